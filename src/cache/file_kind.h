// What kind of file, and of file system, stands at a cache's path.
#pragma once

#include <string>

#include "tidemark/error.h"

namespace tidemark::cache {

// `f_type` of statfs(2): a file system whose locks or mmap do not hold between machines. Pure.
[[nodiscard]] bool is_network_file_system(long f_type);
// `unsupported`, where statfs(2) said `f_type` of `folder`. Pure.
[[nodiscard]] Result<void> check_file_system(long f_type, const std::string& folder);

// True unless the file can be read and does not begin as redb's files do.
[[nodiscard]] bool may_be_redb(const std::string& path);
[[nodiscard]] std::unexpected<Error> not_a_cache(const std::string& path);
// The path of a folder where a file's was wanted; the hint is that of a file in it.
[[nodiscard]] std::unexpected<Error> is_a_folder(const std::string& path);

}  // namespace tidemark::cache
