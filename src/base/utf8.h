// UTF-8 validity.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::base {

// True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). Embedded NUL
// is fine.
[[nodiscard]] bool is_utf8(std::string_view text);

// The text with U+FFFD for each byte that belongs to no well-formed sequence.
[[nodiscard]] std::string replace_invalid_utf8(std::string_view text);

}  // namespace tidemark::base
