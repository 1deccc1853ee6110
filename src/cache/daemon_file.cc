#include "cache/daemon_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "cache/fork.h"

namespace tidemark::cache {
namespace {

constexpr std::int64_t kNudgeSpacingMs = 1'000;
constexpr std::string_view kNudgeLine = "{\"v\":1,\"do\":\"nudge\"}\n";

std::string beside(const std::string& path, std::string_view socket) {
  std::error_code ignored;
  const auto file = std::filesystem::absolute(path, ignored).lexically_normal();
  return (file.parent_path() / socket).string();
}

std::int64_t steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void say(const std::string& socket, std::string_view line) {
  const LocalDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!connect_socket(fd.get(), socket)) return;
  [[maybe_unused]] const ssize_t sent = ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL);
}

}  // namespace

bool connect_socket(int fd, const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const void* const raw = &address;
  return ::connect(fd, static_cast<const sockaddr*>(raw), sizeof address) == 0;
}

std::string daemon_path(const std::string& cache) { return cache + ".daemon"; }

DaemonHolder read_daemon(int fd, const std::string& path) {
  std::array<char, 8192> bytes{};
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  std::string_view text(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  DaemonHolder holder{"another process", {}};
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // being written
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with("pid ")) holder.name = line;
    if (line.starts_with(kSocketWord)) {
      holder.socket = beside(path, line.substr(kSocketWord.size()));
    }
  }
  return holder;
}

std::optional<DaemonHolder> find_daemon(const std::string& cache) {
  const std::string path = daemon_path(cache);
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return std::nullopt;
  const LocalDescriptor fd(opened);  // a forked child must not keep the lock that is tried here
  if (!fd || ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return read_daemon(fd.get(), path);
}

void Nudge::send(const std::string& cache) {
  const std::int64_t now = steady_ms();
  std::int64_t last = last_ms_.load(std::memory_order_relaxed);
  if (last != 0 && now - last < kNudgeSpacingMs) return;
  if (!last_ms_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
  if (const auto holder = find_daemon(cache)) say(holder->socket, kNudgeLine);
}

}  // namespace tidemark::cache
