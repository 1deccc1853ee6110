#include "daemon/place.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "cache/lock.h"

namespace tidemark::daemon {
namespace {

std::filesystem::path absolute(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).lexically_normal();
}

Result<void> write_text(int fd, const std::string& path, const std::string& text) {
  const bool written = ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) ==
                                                      static_cast<ssize_t>(text.size());
  if (written) return {};
  return fail(errno == ENOSPC ? ErrorCode::no_space : ErrorCode::internal,
              "write " + path + ": " + std::strerror(errno));
}

std::string pid_line() { return "pid " + std::to_string(::getpid()) + "\n"; }

bool fits(const std::string& path) { return path.size() < sizeof(sockaddr_un{}.sun_path); }

}  // namespace

Result<Place> Place::claim(const std::string& cache, unsigned file_mode) {
  std::string path = cache::daemon_path(cache);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, static_cast<mode_t>(file_mode));
  if (fd < 0) {
    return fail(errno == ENOSPC ? ErrorCode::no_space : ErrorCode::invalid,
                "cannot make " + path + ": " + std::strerror(errno),
                "the cache's folder must be writable for the user who runs the daemon");
  }
  if (!cache::lock_exclusively(fd)) {
    const std::string holder = cache::read_daemon(fd, path).name;
    ::close(fd);
    return fail(ErrorCode::busy, "a daemon keeps this cache already: " + holder,
                "`tidemark sync` asks it for a pass; stop it with SIGTERM");
  }
  cache::LocalDescriptor local(fd);
  if (!local) return fail(ErrorCode::unsupported, "too many open caches in this process");
  TIDEMARK_TRY(write_text(local.get(), path, pid_line()));
  return Place(std::move(local), std::move(path));
}

Result<void> Place::announce(const std::string& socket) const {
  const std::filesystem::path folder = absolute(path_).parent_path();
  const std::filesystem::path listens(socket);
  const std::string told = listens.parent_path() == folder ? listens.filename().string() : socket;
  return write_text(fd_.get(), path_, pid_line() + std::string(cache::kSocketWord) + told + "\n");
}

Result<std::string> socket_path(const std::string& cache, const std::string& configured) {
  const std::string whole = absolute(cache).string();
  std::string wanted = configured.empty() ? whole + ".sock" : absolute(configured).string();
  if (fits(wanted)) return wanted;
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (configured.empty() && runtime != nullptr && *runtime == '/') {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "tidemark-%016zx.sock",
                  std::hash<std::string>{}(whole));
    std::string other = (std::filesystem::path(runtime) / name.data()).string();
    if (fits(other)) return other;
  }
  return fail(ErrorCode::invalid, "too long for a socket: " + wanted,
              "name a shorter one: [daemon] socket in tidemark.toml");
}

}  // namespace tidemark::daemon
