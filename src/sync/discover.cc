#include "sync/discover.h"

#include "source/source.h"

namespace tidemark::sync {

Result<model::Catalog> discover(Fetcher& fetcher, const std::optional<model::Catalog>& known) {
  turso::Batch ping;
  ping.statements.push_back(source::schema_statement());
  TIDEMARK_ASSIGN(schema, fetcher.ask(std::move(ping)));
  if (schema.results.size() != 1 || schema.results[0].columns().size() != 4) {
    return turso::unexpected_reply("what its tables are");
  }
  if (known && known->fingerprint == source::fingerprint(schema.results[0])) return *known;
  TIDEMARK_ASSIGN(batch, source::discovery_batch(schema.results[0]));
  TIDEMARK_ASSIGN(reply, fetcher.ask(std::move(batch)));
  return source::read_discovery(schema.results[0], reply);
}

std::chrono::steady_clock::time_point pass_deadline(const SyncConfig& config) {
  if (config.pass_deadline.count() == 0) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::now() + config.pass_deadline;
}

}  // namespace tidemark::sync
