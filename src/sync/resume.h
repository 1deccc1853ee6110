// Whether a pass may go on with the fill that another one began. Pure.
#pragma once

#include <optional>
#include <string>

#include "cache/meta.h"

namespace tidemark::sync {

// What this pass would begin.
struct WantedFill {
  std::string source;  // SourceUrl::identity
  Scope scope;
  const model::Catalog& catalog;                   // of the source, now
  std::optional<std::string> standing_generation;  // as cache::Meta::filled_over
};

// Why the rows that `begun` has cannot be a part of it; nothing: they can, if the source's log
// still holds `begun`'s position and anchors (source::doubt).
[[nodiscard]] std::optional<std::string> cannot_resume(const cache::Meta& begun,
                                                       const WantedFill& wanted);

}  // namespace tidemark::sync
