#include "sync/follow.h"

#include <algorithm>

#include "base/utf8.h"
#include "cache/order_key.h"
#include "sync/pages.h"
#include "sync/plan.h"
#include "sync/transfer.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using model::Collection;
using model::Kind;

// An embedding that names no parent is never cached.
bool is_followed(const Collection& collection, const Scope& scope) {
  return in_scope(collection, scope) &&
         (collection.kind != Kind::embeddings || collection.parent_column);
}

// Moves `count` results off the front of `from`.
std::vector<model::RowSet> take_front(std::vector<model::RowSet>& from, std::size_t count) {
  const auto end = from.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<model::RowSet> out(std::make_move_iterator(from.begin()),
                                 std::make_move_iterator(end));
  from.erase(from.begin(), end);
  return out;
}

}  // namespace

source::GuardState guard_state(const cache::Meta& meta) {
  source::GuardState state;
  state.database_id = meta.capture.database_id;
  state.epochs = meta.capture.epochs;
  state.position = static_cast<std::int64_t>(meta.state.position);
  state.position_nonce = meta.capture.position_nonce;
  state.ahead = static_cast<std::int64_t>(meta.state.ahead);
  state.ahead_nonce = meta.capture.ahead_nonce;
  return state;
}

void store_guard_state(const source::GuardState& state, cache::Meta& meta) {
  meta.capture = {state.database_id, state.epochs, state.position_nonce, state.ahead_nonce};
  meta.state.position = static_cast<std::uint64_t>(state.position);
  meta.state.ahead = static_cast<std::uint64_t>(state.ahead);
}

std::optional<std::string> capture_trouble(const source::Guard& guard,
                                           const model::Catalog& catalog, const Scope& scope) {
  for (const Collection& collection : catalog.collections) {
    if (!is_followed(collection, scope)) continue;
    if (!guard.epochs.contains(collection.name)) return collection.name + " is not captured";
    const auto sick = guard.unhealthy.find(collection.name);
    if (sick != guard.unhealthy.end()) {
      return "capture of " + collection.name + " cannot be trusted: " + sick->second;
    }
  }
  return std::nullopt;
}

source::GuardState state_at_head(const source::Guard& guard) {
  source::GuardState state;
  state.database_id = guard.database_id;
  for (const auto& [table, epoch] : guard.epochs) {
    if (!guard.unhealthy.contains(table)) state.epochs[table] = epoch;
  }
  state.position = state.ahead = guard.head;
  state.position_nonce = state.ahead_nonce = guard.head_nonce;
  return state;
}

std::vector<const Collection*> Follower::followed(bool embeddings) const {
  std::vector<const Collection*> out;
  for (const Collection& collection : catalog_.collections) {
    if (!is_followed(collection, scope_)) continue;
    if (!embeddings || collection.kind == Kind::embeddings) out.push_back(&collection);
  }
  return out;
}

std::vector<std::string> Follower::parents_of(const Collection& embeddings) const {
  std::vector<std::string> tables;
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings || !in_scope(collection, scope_)) continue;
    if (embeddings.parent_kind.value_or(collection.kind) == collection.kind) {
      tables.push_back(collection.name);
    }
  }
  return tables;
}

Result<Follower::Seen> Follower::look(const source::GuardState& state) {
  for (std::uint32_t tries = 1;; ++tries) {
    TIDEMARK_ASSIGN(seen, look_within_limits(state));
    // A replica that lags shows less than the cache has seen: it may catch up.
    if (!source::is_behind(state, seen.guard) || tries == kTriesMax) {
      seen.doubt = source::doubt(state, seen.guard).value_or("");
      seen.other_schema = seen.guard.schema != catalog_.fingerprint;
      return std::move(seen);
    }
    TIDEMARK_TRY(fetcher_.pause(tries));
  }
}

// Rows that are too large to come together come in pages; a range whose ids are is cut shorter.
Result<Follower::Seen> Follower::look_within_limits(const source::GuardState& state) {
  bool rows = true;
  std::size_t changes_max = changes_max_;
  // A change costs its log row, read once for each table, its row, and maybe an embedding.
  if (const auto left = fetcher_.rows_left()) {
    changes_max = std::clamp<std::uint64_t>(*left / kRowsPerChange, 1, changes_max_);
  }
  for (std::size_t changes = changes_max;; changes /= 2) {
    auto seen = look_once(state, changes, rows);
    if (seen || !turso::is_too_large(seen.error()) || changes == 1) return seen;
    if (rows) changes *= 2;
    rows = false;
  }
}

Result<Follower::Seen> Follower::look_once(const source::GuardState& state, std::size_t changes_max,
                                           bool rows) {
  const source::ChangeRange range{state.position, changes_max};
  auto statements = source::guard_statements(source::guard_request(state));
  std::ranges::move(source::changes_statements(range), std::back_inserter(statements));
  const auto tables = followed(false);
  const auto embeddings = followed(true);
  if (rows) {
    for (const Collection* const table : tables) {
      statements.push_back(source::touched_rows_statement(*table, range));
    }
    for (const Collection* const table : embeddings) {
      statements.push_back(source::touched_children_statement(*table, parents_of(*table), range));
    }
  }
  TIDEMARK_ASSIGN(results, fetcher_.ask_each(std::move(statements)));
  Seen seen;
  const auto guard_rows = take_front(results, source::kGuardStatements);
  TIDEMARK_ASSIGN(guard, source::read_guard(guard_rows));
  const auto change_rows = take_front(results, source::kChangesStatements);
  TIDEMARK_ASSIGN(changes, source::read_changes(change_rows, range));
  seen.guard = std::move(guard);
  seen.changes = std::move(changes);
  if (rows) {
    seen.rows = take_front(results, tables.size());
    seen.children = std::move(results);
  }
  return seen;
}

Result<void> Follower::take(Seen& seen, const source::GuardState& state,
                            cache::WriteSession& session, SyncReport& report) {
  source::GuardState now = state;
  now.position = seen.changes.up;
  now.position_nonce = seen.changes.up_nonce;
  if (seen.guard.head >= state.ahead) {
    now.ahead = seen.guard.head;
    now.ahead_nonce = seen.guard.head_nonce;
  }
  // What is asked from here on must come from the same history, at `up` or later.
  const auto guard = std::make_shared<CaptureGuard>(seen.guard.schema, now);
  fetcher_.set_guard(guard);
  Applier applier(session, catalog_, scope_);
  applier.resume();
  const auto apply_all = [&]() -> Result<void> {
    TIDEMARK_TRY(take_rows(seen, applier));
    TIDEMARK_TRY(settle_window(applier));
    TIDEMARK_TRY(take_children(seen, applier));
    TIDEMARK_TRY(retry_skips(applier));
    return applier.finish(report);
  };
  auto applied = apply_all();
  fetcher_.set_guard(nullptr);
  if (!applied) return applied;
  const auto last = guard->seen();
  if (last.ahead > now.ahead) {
    now.ahead = last.ahead;
    now.ahead_nonce = last.ahead_nonce;
  }
  store_guard_state(now, session.edit_meta());
  return {};
}

// Rows of every table first, embeddings among them: what is re-parented is then where it belongs
// before the lists of children are taken.
Result<void> Follower::take_rows(Seen& seen, Applier& applier) const {
  const auto tables = followed(false);
  if (seen.rows.empty()) {
    std::map<const Collection*, std::vector<Value>> touched;
    for (const Collection* const table : tables) {
      const auto keys = seen.changes.of(table->name);
      if (!keys.empty()) touched[table] = {keys.begin(), keys.end()};
    }
    return transfer(
        applier, fetcher_,
        [&](const Emit& emit) { return Scan(fetcher_, catalog_, scope_, emit).touched(touched); },
        {});
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto touched = seen.changes.of(tables[i]->name);
    if (touched.empty()) continue;
    const std::vector<Value> keys(touched.begin(), touched.end());
    TIDEMARK_ASSIGN(page, source::read_rows(*tables[i], keys, std::move(seen.rows[i])));
    TIDEMARK_TRY(applier.take(encode_page(*tables[i], keys, std::move(page))));
  }
  return {};
}

// The embeddings of touched parents: complete lists of them.
Result<void> Follower::take_children(Seen& seen, Applier& applier) const {
  const auto tables = followed(true);
  for (std::size_t i = 0; i < seen.children.size(); ++i) {
    const Collection& embeddings = *tables[i];
    model::RowSet& rows = seen.children[i];
    std::vector<Value> keys;
    std::vector<std::string> texts;
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const ValueView key = rows.row(n)[embeddings.key_column];
      if (key.type() == ValueType::int64) keys.emplace_back(key.as_int64());
      if (key.type() == ValueType::text && base::is_utf8(key.bytes())) {
        keys.emplace_back(std::string(key.bytes()));
      }
    }
    texts.reserve(keys.size());
    for (const Value& key : keys) texts.push_back(model::key_text(key));
    TIDEMARK_ASSIGN(page, source::read_rows(embeddings, keys, std::move(rows)));
    TIDEMARK_TRY(applier.take(encode_page(embeddings, keys, std::move(page))));
    for (const Collection& parent : catalog_.collections) {
      const auto touched = seen.changes.of(parent.name);
      // Of a table that is out of scope nothing was asked.
      if (parent.kind == Kind::embeddings || touched.empty()) continue;
      if (!in_scope(parent, scope_)) continue;
      if (embeddings.parent_kind.value_or(parent.kind) != parent.kind) continue;
      ListedChildren event{&embeddings, parent.kind, {}, texts};
      for (const Value& key : touched) event.parents.push_back(model::key_text(key));
      TIDEMARK_TRY(applier.take(std::move(event)));
    }
  }
  return {};
}

// One more request where something is skipped: it may have become valid, or have left the scope.
Result<void> Follower::retry_skips(Applier& applier) {
  const auto keys = applier.skips_to_retry();
  if (keys.empty()) return {};
  return transfer(
      applier, fetcher_,
      [&](const Emit& emit) { return Scan(fetcher_, catalog_, scope_, emit).confirm(keys, false); },
      {});
}

Result<void> Follower::settle_window(Applier& applier) {
  const Collection& episodes = *catalog_.find(Kind::episodes);
  std::vector<std::string> skipped;
  if (const auto keys = applier.skipped_keys(episodes); !keys.empty()) {
    TIDEMARK_ASSIGN(places, Scan(fetcher_, catalog_, scope_, {}).places(episodes, keys));
    skipped = std::move(places);
  }
  TIDEMARK_ASSIGN(wanted, applier.settle_window(std::move(skipped)));
  if (wanted == 0) return {};
  const auto after = cache::decode_place(applier.boundary());
  if (!after) {
    return fail(ErrorCode::corrupt, "the cache's window boundary is damaged",
                "run `tidemark repair`");
  }
  return transfer(applier, fetcher_,
                  [&](const Emit& emit) {
                    return Scan(fetcher_, catalog_, scope_, emit).below(episodes, *after, wanted);
                  },
                  {});
}

}  // namespace tidemark::sync
