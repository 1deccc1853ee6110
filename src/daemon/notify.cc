#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tidemark::daemon {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void notify_manager(const std::string& state) {
  const std::string_view path = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const void* const raw = &address;
  [[maybe_unused]] const ssize_t sent =
      ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               static_cast<const sockaddr*>(raw), length);
  ::close(fd);
}

// Half of what it allows, as its manual says.
std::optional<std::chrono::milliseconds> watchdog_interval() {
  const auto limit = number(environment("WATCHDOG_USEC"));
  if (!limit || *limit <= 0) return std::nullopt;
  const std::string_view watched = environment("WATCHDOG_PID");
  if (!watched.empty() && number(watched) != ::getpid()) return std::nullopt;
  const auto half =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(*limit / 2));
  return std::max(half, std::chrono::milliseconds(1));
}

}  // namespace tidemark::daemon
