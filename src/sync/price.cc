// What a pass would read, by the source's own counts.
#include <algorithm>

#include "source/quoting.h"
#include "sync/discover.h"
#include "sync/engine.h"

namespace tidemark::sync {
namespace {

turso::Statement count_statement(const model::Collection& collection) {
  return {"SELECT count(*) FROM " + source::quote_name(collection.name), {}};
}

}  // namespace

Result<SyncPrice> price_pass(const EngineSetup& setup, std::stop_token stop,
                             const SyncRequest& request) {
  const CacheStatus status = inspect(setup.cache);
  std::optional<Scope> stored;
  if (status.readable) stored = status.scope;
  TIDEMARK_ASSIGN(scope, resolve_scope(stored, setup.config, request));
  TIDEMARK_ASSIGN(connection, setup.connect(setup.url, connect_options(setup)));
  const std::stop_callback wake(stop, [&connection] { connection->wake(); });
  Fetcher fetcher(*connection, setup.config, pass_deadline(setup.config, *setup.clock), stop,
                  *setup.clock);
  TIDEMARK_ASSIGN(discovered, discover(fetcher, std::nullopt));
  const model::Catalog& catalog = discovered.catalog;
  SyncPrice price;
  price.mode = status.readable && !request.full ? "scan" : "fill";
  std::vector<turso::Statement> counts;
  counts.reserve(catalog.collections.size());
  for (const auto& collection : catalog.collections) counts.push_back(count_statement(collection));
  TIDEMARK_ASSIGN(counted, fetcher.ask_each(std::move(counts)));
  for (std::size_t i = 0; i < catalog.collections.size(); ++i) {
    const model::Collection& collection = catalog.collections[i];
    const model::RowSet& rows = counted[i];
    const auto count = rows.size() == 1 ? static_cast<std::uint64_t>(rows.row(0)[0].as_int64()) : 0;
    if (!in_scope(collection, scope)) continue;
    // The list and the rows; without an index on the order column the list reads the whole table.
    switch (collection.kind) {
      case model::Kind::episodes:
        price.episodes = std::min(count, scope.max_episodes_cache);
        price.rows_read += count + price.episodes;
        break;
      case model::Kind::patterns:
        price.patterns = count;
        price.rows_read += 2 * count;
        break;
      case model::Kind::heuristics:
        price.heuristics = count;
        price.rows_read += 2 * count;
        break;
      case model::Kind::embeddings:
        price.embeddings += count;
        price.rows_read += 2 * count;
        break;
    }
  }
  return price;
}

}  // namespace tidemark::sync
