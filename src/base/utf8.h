// UTF-8 validity.
#pragma once

#include <string_view>

namespace tidemark::base {

// True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). Embedded NUL
// is fine.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace tidemark::base
