#include "cache/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cache/file_kind.h"
#include "cache/read_stats.h"

namespace tidemark::cache {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

ErrorCode code_of_errno() {
  return errno == ENOSPC || errno == EDQUOT ? ErrorCode::no_space : ErrorCode::internal;
}

std::unexpected<Error> system_error(const std::string& operation) {
  return fail(code_of_errno(), operation + ": " + std::strerror(errno));
}

Result<void> sync_path(const std::string& path, int flags) {
  const Descriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (fd.get() < 0) return system_error("open " + path);
  if (::fsync(fd.get()) != 0) return system_error("flush " + path);
  return {};
}

Result<void> check_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  struct statfs system{};
  if (::statfs(folder.c_str(), &system) != 0) {
    return fail(ErrorCode::invalid, "no folder " + folder + " for the cache",
                "make the folder, or give another --cache path");
  }
  TIDEMARK_TRY(check_file_system(static_cast<long>(system.f_type), folder));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::invalid, "cannot write in " + folder,
                "give a --cache path in a folder of yours");
  }
  return {};
}

}  // namespace

std::string generation_path(const std::string& cache) { return cache + ".next"; }
std::string begun_path(const std::string& generation) { return generation + ".begun"; }
std::string packed_path(const std::string& generation) { return generation + ".packed"; }

void remove_generation(const std::string& generation) {
  for (const std::string& path : {generation, begun_path(generation), packed_path(generation)}) {
    ::unlink(path.c_str());
  }
}

Result<void> keep_generation(const std::string& generation) {
  const std::string begun = begun_path(generation);
  TIDEMARK_TRY(sync_path(begun, O_RDONLY));
  if (::rename(begun.c_str(), generation.c_str()) == 0) return {};
  return system_error("rename to " + generation);
}

Result<void> install_generation(const std::string& generation, const std::string& cache) {
  TIDEMARK_TRY(sync_path(generation, O_RDONLY));
  if (::rename(generation.c_str(), cache.c_str()) != 0) return system_error("rename to " + cache);
  TIDEMARK_TRY(sync_path(folder_of(cache), O_RDONLY | O_DIRECTORY));
  make_stats_file(cache);
  return {};
}

Result<Standing> examine(const std::string& path) {
  TIDEMARK_TRY(check_folder(path));
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Standing::missing;
    return fail(ErrorCode::invalid, "cannot look at " + path + ": " + std::strerror(errno),
                "give another --cache path");
  }
  if (S_ISDIR(info.st_mode)) return is_a_folder(path);
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.get() < 0) {
    return fail(ErrorCode::invalid, "cannot write " + path + ": " + std::strerror(errno),
                "only the cache's owner can sync it; others can read it");
  }
  if (!may_be_redb(path)) return not_a_cache(path);
  return Standing::present;
}

}  // namespace tidemark::cache
