// Which item a path of the HTTP server names. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemark::daemon {

// As `tidemark get` takes them: UTF-8.
struct ItemPath {
  std::string collection;
  std::string key;
};

// %41 is A; a plus is a plus. nullopt: a percent sign without two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// "episodes/a%2Fb": what follows the first slash is the key, further slashes included. nullopt: no
// slash, not UTF-8, or as percent_decoded.
[[nodiscard]] std::optional<ItemPath> item_path(std::string_view text);

}  // namespace tidemark::daemon
