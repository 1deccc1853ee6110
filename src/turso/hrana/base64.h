// Base64 as Hrana servers write it: the standard alphabet, padded or not.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::turso::hrana {

// Appends what `text` encodes; false (and `out` in any state) when it is not base64.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);
// With padding.
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace tidemark::turso::hrana
