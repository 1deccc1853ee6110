#include "daemon/item_path.h"

#include <charconv>
#include <utility>

#include "base/utf8.h"

namespace tidemark::daemon {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const std::string_view digits = text.substr(at + 1, 2);
    unsigned char byte = 0;
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != last) return std::nullopt;
    out += static_cast<char>(byte);
    at += 2;
  }
  return out;
}

std::optional<ItemPath> item_path(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto collection = percent_decoded(text.substr(0, slash));
  auto key = percent_decoded(text.substr(slash + 1));
  if (!collection || !key || !base::is_utf8(*collection) || !base::is_utf8(*key)) {
    return std::nullopt;
  }
  return ItemPath{std::move(*collection), std::move(*key)};
}

}  // namespace tidemark::daemon
