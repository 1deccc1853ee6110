#include "tidemark/freshness.h"

namespace tidemark {

std::string_view to_string(FreshnessState state) {
  switch (state) {
    case FreshnessState::fresh:
      return "fresh";
    case FreshnessState::stale:
      return "stale";
    case FreshnessState::never_synced:
      return "never_synced";
    case FreshnessState::needs_repair:
      return "needs_repair";
  }
  return "stale";
}

}  // namespace tidemark
