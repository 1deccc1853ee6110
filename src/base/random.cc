#include "base/random.h"

#include <sys/random.h>

#include <array>

#include "base/assert.h"

namespace tidemark::base {

Result<std::string> random_hex(std::size_t bytes) {
  std::array<unsigned char, 256> random{};  // as many as come in one call
  TIDEMARK_ASSERT(bytes <= random.size());
  if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    return fail(ErrorCode::internal, "no random numbers from the system");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t n = 0; n < bytes; ++n) {
    out += kDigits[random[n] >> 4U];
    out += kDigits[random[n] & 15U];
  }
  return out;
}

}  // namespace tidemark::base
