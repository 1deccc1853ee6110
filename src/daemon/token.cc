#include "daemon/token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/random.h"

namespace tidemark::daemon {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kTokenBytesMin = 16;  // fewer could be guessed
constexpr std::size_t kTokenBytesMax = 1024;

std::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return fail(ErrorCode::invalid, "cannot use " + path + ": " + why,
              "it holds the token for [daemon] listen; without the file a new one is made");
}

Result<void> make_file(const std::string& path) {
  TIDEMARK_ASSIGN(text, base::random_hex(kRandomBytes));
  text += '\n';
  // Whole or not at all, and never with other rights.
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return unusable(path, std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
  const std::string why = std::strerror(errno);
  ::unlink(fresh.c_str());
  return unusable(path, why);
}

Result<std::string> read_file(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return unusable(path, "it is no file");
  if (info.st_uid != ::geteuid()) return unusable(path, "it is another user's");
  if ((info.st_mode & 077U) != 0) return unusable(path, "others may read it (chmod 600)");
  std::array<char, kTokenBytesMax> bytes{};
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  if (got < 0) return unusable(path, std::strerror(errno));
  std::string token(bytes.data(), static_cast<std::size_t>(got));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  for (const char c : token) {
    if (c <= ' ' || c > '~') return unusable(path, "it is not one word");
  }
  if (token.size() < kTokenBytesMin) return unusable(path, "its token is too short");
  return token;
}

}  // namespace

Result<std::string> http_token(const std::string& path) {
  for (const bool first : {true, false}) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
      auto token = read_file(fd, path);
      ::close(fd);
      return token;
    }
    if (errno != ENOENT || !first) break;
    TIDEMARK_TRY(make_file(path));
  }
  return unusable(path, std::strerror(errno));
}

}  // namespace tidemark::daemon
