// What a pass would read, by the source's own counts and its change log.
#include <algorithm>

#include "cache/writer.h"
#include "source/look.h"
#include "sync/audit.h"
#include "sync/discover.h"
#include "sync/engine.h"
#include "sync/follow.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

// A fill that begins learns which episode is the newest, and whether the window has room for all.
std::uint64_t rows_of_beginning(const model::Collection& episodes, std::uint64_t count,
                                std::uint64_t room) {
  if (!episodes.access.key_index) return 0;  // it asks for the window, as any pass
  const std::uint64_t newest = episodes.access.order_index ? 0 : count;
  if (room >= kListChunkRows) return newest + std::min(count, room);
  return newest + (count > room ? room : 0);
}

// What is in scope, and what reading all of it costs.
Result<void> price_everything(Fetcher& fetcher, const model::Catalog& catalog, const Scope& scope,
                              Mode mode, SyncPrice& price) {
  std::vector<turso::Statement> counts;
  counts.reserve(catalog.collections.size());
  for (const auto& collection : catalog.collections)
    counts.push_back(source::count_statement(collection));
  TIDEMARK_ASSIGN(counted, fetcher.ask_each(std::move(counts)));
  for (std::size_t i = 0; i < catalog.collections.size(); ++i) {
    const model::Collection& collection = catalog.collections[i];
    const std::uint64_t count = source::read_count(counted[i]).value_or(0);
    if (!in_scope(collection, scope)) continue;
    // The list and the rows; without an index on the order column the list reads the whole table.
    std::uint64_t cost = 2 * count;
    switch (collection.kind) {
      case model::Kind::episodes:
        price.episodes = std::min(count, scope.max_episodes_cache);
        cost = count + price.episodes;
        if (mode == Mode::fill) {
          cost += rows_of_beginning(collection, count, scope.max_episodes_cache);
        }
        break;
      case model::Kind::patterns:
        price.patterns = count;
        break;
      case model::Kind::heuristics:
        price.heuristics = count;
        break;
      case model::Kind::embeddings:
        price.embeddings += count;
        break;
    }
    price.everything_rows_read += cost;
  }
  return {};
}

// The change log, as one guarded request finds it.
struct LogLook {
  source::Guard guard;
  std::uint64_t rows_read = 0;  // by that request
};

Result<LogLook> look_at_log(Fetcher& fetcher, const source::GuardState& state) {
  TIDEMARK_ASSIGN(results,
                  fetcher.ask_each(source::guard_statements(source::guard_request(state))));
  TIDEMARK_ASSIGN(guard, source::read_guard(results));
  constexpr std::uint64_t kSeeks = 3;
  return LogLook{std::move(guard), results[0].size() + results[1].size() + kSeeks};
}

// A range is read for its keys, for the rows of each table in it, and for the embeddings of what
// was touched; each change touches one row.
std::uint64_t rows_of_change(const model::Catalog& catalog, const Scope& scope) {
  std::uint64_t rows = 2;
  for (const auto& collection : catalog.collections) {
    if (!in_scope(collection, scope)) continue;
    rows += collection.kind == model::Kind::embeddings ? 2 : 1;
  }
  return rows;
}

// Mode and reason beside a log, of a cache whose tables are the source's.
void price_beside_log(const cache::Meta& meta, const LogLook& look, const model::Catalog& catalog,
                      const Scope& scope, const std::optional<std::string>& audit,
                      SyncPrice& price) {
  auto trouble = capture_trouble(look.guard, catalog, scope);
  if (!trouble) trouble = missed_before(meta.audit, look.guard, catalog, scope);
  if (trouble) {
    price.reason = "the change log cannot be followed: " + *trouble;
    return;
  }
  const std::string& followed = meta.capture.database_id;
  if (!followed.empty() && followed != look.guard.database_id) {
    price.mode = to_string(Mode::fill);
    price.reason = kOtherDatabase;
    return;
  }
  price.mode = to_string(Mode::reconcile);
  if (meta.capture.database_id.empty() || meta.state.needs_repair) return;
  const source::GuardState state = guard_state(meta);
  const auto doubt = source::doubt(state, look.guard);
  if (meta.state.in_doubt || doubt) {
    price.reason = meta.state.in_doubt ? meta.doubt : *doubt;
    return;
  }
  price.changes = static_cast<std::uint64_t>(look.guard.head - state.position);
  price.delta_rows_read = look.rows_read + *price.changes * rows_of_change(catalog, scope);
  if (scope != meta.identity.scope) {
    price.reason = "the scope is another one";
    return;
  }
  price.mode = to_string(audit ? Mode::audit : Mode::delta);
  price.reason = audit.value_or("");
}

}  // namespace

Result<SyncPrice> price_pass(const EngineSetup& setup, std::stop_token stop,
                             const SyncRequest& request) {
  const CacheStatus status = inspect(setup.cache);
  std::optional<cache::Meta> meta;
  if (status.readable) meta = cache::peek_meta(setup.cache);
  std::optional<Scope> stored;
  if (status.readable) stored = status.scope;
  TIDEMARK_ASSIGN(scope, resolve_scope(stored, setup.config, request));
  TIDEMARK_ASSIGN(connection, setup.connect(setup.url, connect_options(setup)));
  const std::stop_callback wake(stop, [&connection] { connection->wake(); });
  SyncConfig config = setup.config;
  config.max_rows_read_per_pass = 0;  // of a pass, not of its price
  Fetcher fetcher(*connection, config, pass_deadline(config, *setup.clock), stop, *setup.clock);
  TIDEMARK_ASSIGN(discovered, discover(fetcher, std::nullopt));
  const model::Catalog& catalog = discovered.catalog;
  SyncPrice price;
  std::optional<model::Catalog> known;
  if (meta) known = meta->catalog.catalog;
  const bool older = status.readable && status.format_version < cache::kFormatVersion;
  const Plan plan = make_plan(known, catalog, older, request.full, scope);
  TIDEMARK_TRY(price_everything(fetcher, catalog, scope, plan.mode, price));
  price.mode = to_string(plan.mode);
  price.reason = plan.reason;
  if (plan.mode == Mode::scan && discovered.has_log) {
    TIDEMARK_ASSIGN(look, look_at_log(fetcher, guard_state(*meta)));
    const auto audit = why_audit(meta->audit, setup.clock->wall(), setup.config);
    price.reason.clear();
    price_beside_log(*meta, look, catalog, scope, audit, price);
  }
  const bool follows = price.mode == to_string(Mode::delta);
  const bool audits = price.mode == to_string(Mode::audit);
  price.rows_read = (follows ? 0 : price.everything_rows_read) +
                    (follows || audits ? price.delta_rows_read.value_or(0) : 0);
  return price;
}

}  // namespace tidemark::sync
