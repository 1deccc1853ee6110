// The page for who watches in a browser: src/daemon/page/, put together by its embed.py at build
// time. It holds nothing of the cache; what it shows it asks for with the token.
#pragma once

#include <string_view>

namespace tidemark::daemon {

struct Page {
  std::string_view html;    // of itself complete: no other file is asked for
  std::string_view policy;  // Content-Security-Policy: its own scripts and style, nothing else
};
[[nodiscard]] Page page();

}  // namespace tidemark::daemon
