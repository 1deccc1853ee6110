// Names of machines, as in `Host` and in [daemon] listen. Pure.
#pragma once

#include <string_view>

namespace tidemark::daemon {

// Views of the text that was split.
struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // empty: none
};
[[nodiscard]] HostPort split_host(std::string_view text);

// An IP address or localhost: a page of another site, whose name it had point here, says that name.
[[nodiscard]] bool means_this_host(std::string_view host);

}  // namespace tidemark::daemon
