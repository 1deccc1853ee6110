// The files of a cache: what stands at its path, its next generation, and how that is put in place.
#pragma once

#include <cstdint>
#include <string>

#include "tidemark/error.h"

namespace tidemark::cache {

// CACHE.next: the file that a fill writes before it is renamed into place.
[[nodiscard]] std::string generation_path(const std::string& cache);
// CACHE.next.begun: the same while nothing of it need outlive the machine.
[[nodiscard]] std::string begun_path(const std::string& generation);
// fsync of CACHE.next.begun, which is CACHE.next from then on.
[[nodiscard]] Result<void> keep_generation(const std::string& generation);
// CACHE.next.packed: its copy in key order, until that takes its place.
[[nodiscard]] std::string packed_path(const std::string& generation);
// All of these.
void remove_generation(const std::string& generation);
// fsync of the file, rename over the cache, fsync of the directory. The caller holds CACHE.lock.
[[nodiscard]] Result<void> install_generation(const std::string& generation,
                                              const std::string& cache);

// What stands at a cache path before a pass.
enum class Standing : std::uint8_t { missing, present };
// Errors: invalid (a directory, no redb file, no folder, no right to write), unsupported (network
// file system). Opens nothing for writing; whether the file is a cache of ours shows when it is
// opened.
[[nodiscard]] Result<Standing> examine(const std::string& path);

}  // namespace tidemark::cache
