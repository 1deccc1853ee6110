// The write side of a reconcile: takes events, keeps the scope in one write session.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cache/writer.h"
#include "sync/engine.h"
#include "sync/events.h"
#include "tidemark/report.h"

namespace tidemark::sync {

// One thread. Everything happens in the session, so readers see the pass as one commit.
//
// Rows are put as they come. What the cache has and a list lacks is a candidate: the source is
// asked for exactly that key (Scan::confirm), and then it is put, deleted (gone) or evicted (left
// the scope).
class Applier {
 public:
  // filling: nobody reads the session's file yet, so it may commit on the way. `observe` may be
  // empty.
  Applier(cache::WriteSession& session, const model::Catalog& catalog, const Scope& scope,
          bool filling, ObserveDifference observe = {});

  // Removes what the scope switched off and tables that the source no longer has.
  [[nodiscard]] Result<void> drop_out_of_scope(const model::Catalog& cached);
  [[nodiscard]] Result<void> take(ListedPlaces event);
  [[nodiscard]] Result<void> take(ListedChildren event);
  [[nodiscard]] Result<void> take(FetchedRows event);

  // Ends the listing; the keys to confirm at the source, by collection.
  [[nodiscard]] Result<std::map<const model::Collection*, std::vector<std::string>>> candidates();
  // From here on fetched rows are answers to candidates.
  void begin_confirm() { confirming_ = true; }
  // Settles removals and the window; checks what this pass learned.
  [[nodiscard]] Result<void> finish(SyncReport& report);

  [[nodiscard]] std::uint64_t commits() const { return commits_; }

 private:
  struct Listed {
    std::uint64_t count = 0;     // rows of the source in scope
    bool changed_under = false;  // a row moved or went between its list and its fetch
    bool ended = false;
  };

  [[nodiscard]] Result<void> put(const model::Collection& collection,
                                 std::span<const cache::EncodedRow> rows);
  [[nodiscard]] Result<void> remove(const model::Collection& collection,
                                    const std::vector<std::string>& keys, bool gone);
  [[nodiscard]] Result<void> remove_children(model::Kind parent_kind,
                                             const std::string& parent_key);
  [[nodiscard]] Result<bool> in_scope(const FetchedRows& event, std::size_t row);
  [[nodiscard]] Result<bool> has_parent(const model::Parent& parent);
  [[nodiscard]] Result<void> join_window(const ListedPlaces& event);
  [[nodiscard]] Result<void> find_unlisted(const model::Collection& collection);
  [[nodiscard]] Result<void> skip(const std::vector<model::Skipped>& skipped);
  [[nodiscard]] Result<void> validate(SyncReport& report);

  cache::WriteSession& session_;
  const model::Catalog& catalog_;
  const Scope& scope_;
  const bool filling_;
  const ObserveDifference observe_;
  std::size_t uncommitted_bytes_ = 0;
  bool confirming_ = false;
  std::uint64_t commits_ = 0;  // on the way
  std::uint64_t vectors_kept_raw_ = 0;
  std::map<std::string, CollectionReport> reports_;
  std::map<const model::Collection*, Listed> listed_;
  std::map<const model::Collection*, std::set<std::string>> candidates_;
  std::map<const model::Collection*, std::set<std::string>> keys_;  // listed keys, not of episodes
  std::vector<model::Skipped> skips_;
  std::string walked_to_;   // the episodes' index is joined down to this place
  std::string newest_key_;  // of the source
  std::string boundary_;    // lowest place of the window; empty: the source is exhausted
};

}  // namespace tidemark::sync
