// Following a source by its change log: one request asks whether the cache still follows it and
// what was touched since, and one session takes that in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/writer.h"
#include "source/changes.h"
#include "source/guard.h"
#include "sync/applier.h"
#include "sync/fetcher.h"
#include "sync/request_guard.h"
#include "tidemark/report.h"

namespace tidemark::sync {

// The state that a cache's meta holds of its source's log, and back.
[[nodiscard]] source::GuardState guard_state(const cache::Meta& meta);
void store_guard_state(const source::GuardState& state, cache::Meta& meta);

// Why the log cannot be used for what the scope holds; nothing: it can.
[[nodiscard]] std::optional<std::string> capture_trouble(const source::Guard& guard,
                                                         const model::Catalog& catalog,
                                                         const Scope& scope);
// Where a reconcile under `guard` begins: at its head.
[[nodiscard]] source::GuardState state_at_head(const source::Guard& guard);

// One thread; uses the fetcher without a guard of its own, but while it applies.
class Follower {
 public:
  // `changes_max`: log rows that one request covers.
  Follower(Fetcher& fetcher, const model::Catalog& catalog, const Scope& scope,
           std::size_t changes_max)
      : fetcher_(fetcher), catalog_(catalog), scope_(scope), changes_max_(changes_max) {}

  struct Seen {
    source::Guard guard;
    source::Changes changes;
    std::string doubt;          // why the log does not suffice; empty: it does
    bool other_schema = false;  // the user's tables are not the catalog's
    // Of the statements below, in their order; empty when they came out too large together.
    std::vector<model::RowSet> rows;
    std::vector<model::RowSet> children;
  };
  // One request. Errors: those of the fetcher; is_capture_gone().
  [[nodiscard]] Result<Seen> look(const source::GuardState& state);

  // Takes in what was seen, and its rows away: rows, window, embeddings, skip list and the state
  // that goes with them. Errors: those of the fetcher and of the session, which must then not be
  // committed.
  [[nodiscard]] Result<void> take(Seen& seen, const source::GuardState& state,
                                  cache::WriteSession& session, SyncReport& report);

 private:
  [[nodiscard]] std::vector<const model::Collection*> followed(bool embeddings) const;
  [[nodiscard]] std::vector<std::string> parents_of(const model::Collection& embeddings) const;
  [[nodiscard]] Result<Seen> look_within_limits(const source::GuardState& state);
  [[nodiscard]] Result<Seen> look_once(const source::GuardState& state, std::size_t changes_max,
                                       bool rows);
  [[nodiscard]] Result<void> take_rows(Seen& seen, Applier& applier) const;
  [[nodiscard]] Result<void> take_children(Seen& seen, Applier& applier) const;
  [[nodiscard]] Result<void> settle_window(Applier& applier);
  [[nodiscard]] Result<void> retry_skips(Applier& applier);

  Fetcher& fetcher_;
  const model::Catalog& catalog_;
  const Scope& scope_;
  const std::size_t changes_max_;
};

}  // namespace tidemark::sync
