#include "sync/resume.h"

namespace tidemark::sync {

std::optional<std::string> cannot_resume(const cache::Meta& begun, const WantedFill& wanted) {
  if (begun.identity.format_version != cache::kFormatVersion) return "it has an older format";
  if (begun.identity.source != wanted.source) return "it was of another source";
  if (!(begun.identity.scope == wanted.scope)) return "it was of another scope";
  if (begun.capture.database_id.empty()) return "no change log vouches for its rows";
  if (begun.state.in_doubt || begun.state.needs_repair) return "it was in doubt";
  if (!begun.filled_over || begun.filled_over != wanted.standing_generation) {
    return "another cache stood here when it began";
  }
  const model::Catalog& catalog = begun.catalog.catalog;
  if (catalog.fingerprint != wanted.catalog.fingerprint ||
      !model::same_tables(catalog.collections, wanted.catalog.collections)) {
    return "the tables of the source changed since";
  }
  return std::nullopt;
}

}  // namespace tidemark::sync
