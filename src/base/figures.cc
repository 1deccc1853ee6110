#include "base/figures.h"

namespace tidemark::base {

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms < 1'000) return std::to_string(ms) + " ms";
  if (ms < 60'000)
    return std::to_string(ms / 1'000) + "." + std::to_string(ms % 1'000 / 100) + " s";
  if (ms < 3'600'000) return std::to_string(ms / 60'000) + " min";
  if (ms < 86'400'000) return std::to_string(ms / 3'600'000) + " h";
  return std::to_string(ms / 86'400'000) + " d";
}

std::string format_moment(std::chrono::microseconds duration) {
  using std::chrono::milliseconds;
  if (duration < milliseconds(1)) return std::to_string(duration.count()) + " µs";
  return format_duration(std::chrono::duration_cast<milliseconds>(duration));
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t kFew = 10;
  if (bytes < kFew << 10U) return grouped(bytes) + " bytes";
  if (bytes < kFew << 20U) return grouped(bytes >> 10U) + " KiB";
  return grouped(bytes >> 20U) + " MiB";
}

}  // namespace tidemark::base
