#include "cache/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cache/read_stats.h"

namespace tidemark::cache {
namespace {

// statfs(2) magic numbers of file systems whose locks or mmap do not hold between machines.
constexpr std::array<long, 9> kNetworkFileSystems = {
    0x6969 /* NFS */,      0x517B /* SMB */,      0xFF534D42 /* CIFS */,
    0xFE534D42 /* SMB2 */, 0x65735546 /* FUSE */, 0x01021997 /* 9P */,
    0x5346414F /* AFS */,  0x73757245 /* Coda */, 0x00C36400 /* Ceph */};
constexpr std::string_view kRedbMagic{"redb\x1A\x0A\xA9\x0D\x0A", 9};

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
  for (const long magic : kNetworkFileSystems) {
    if (static_cast<unsigned long>(system.f_type) == static_cast<unsigned long>(magic)) {
      return fail(ErrorCode::unsupported, "the cache would lie on a network file system: " + folder,
                  "give a --cache path on a local disk");
    }
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::invalid, "cannot write in " + folder,
                "give a --cache path in a folder of yours");
  }
  return {};
}

}  // namespace

std::string generation_path(const std::string& cache) { return cache + ".next"; }

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
  if (S_ISDIR(info.st_mode)) {
    return fail(ErrorCode::invalid, path + " is a directory",
                "give the path of a file: --cache " + path + "/cache.redb");
  }
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.get() < 0) {
    return fail(ErrorCode::invalid, "cannot write " + path + ": " + std::strerror(errno),
                "only the cache's owner can sync it; others can read it");
  }
  std::array<char, kRedbMagic.size()> head{};
  const ssize_t got = ::pread(fd.get(), head.data(), head.size(), 0);
  if (got != static_cast<ssize_t>(head.size()) ||
      std::string_view(head.data(), head.size()) != kRedbMagic) {
    return fail(ErrorCode::invalid, path + " is not a tidemark cache",
                "give another --cache path; a file that is no cache is never overwritten");
  }
  return Standing::present;
}

}  // namespace tidemark::cache
