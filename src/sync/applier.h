// The write side of a reconcile: takes events, keeps the scope in one write session.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key_set.h"
#include "cache/writer.h"
#include "sync/audit.h"
#include "sync/engine.h"
#include "sync/events.h"
#include "tidemark/report.h"

namespace tidemark::sync {

// A generation that is filled: nobody reads its file yet, so it is committed on the way.
struct Filling {
  std::size_t commit_bytes = 0;                     // of rows
  std::function<void(cache::Meta&)> before_commit;  // what else is known by then
  bool resumed = false;                             // stored rows are not fetched again
};

// One thread. Everything happens in the session, so readers see the pass as one commit.
//
// Rows are put as they come. What the cache has and a list lacks is a candidate: the source is
// asked for exactly that key (Scan::confirm), and then it is put, deleted (gone) or evicted (left
// the scope).
class Applier {
 public:
  // `observe` may be empty.
  Applier(cache::WriteSession& session, const model::Catalog& catalog, const Scope& scope,
          std::optional<Filling> filling = {}, ObserveDifference observe = {});

  // For an audit: learns of every change. It outlives the applier.
  void watch(Suspects* suspects) { suspects_ = suspects; }
  // For a delta, before anything is taken: window and skip list go on from the cache's meta.
  // Fetched rows are judged against the window as they come, and lists of children are complete.
  void resume();
  // After the touched rows of a delta: evicts what the window has no room for. `skipped`: places of
  // the episodes on the skip list, which keep their slots. How many rows are wanted from below.
  [[nodiscard]] Result<std::uint64_t> settle_window(std::vector<std::string> skipped);
  [[nodiscard]] const std::string& boundary() const { return boundary_; }
  [[nodiscard]] std::vector<std::string> skipped_keys(const model::Collection& collection) const;

  // What is on the skip list, to be asked for again once parents and window are settled.
  [[nodiscard]] std::map<const model::Collection*, std::vector<std::string>> skips_to_retry() const;

  // Removes what the scope switched off and tables that the source no longer has.
  [[nodiscard]] Result<void> drop_out_of_scope(const model::Catalog& cached);
  [[nodiscard]] Result<void> take(const ListedPlaces& event);
  [[nodiscard]] Result<void> take(ListedChildren event);
  [[nodiscard]] Result<void> take(FetchedRows event);

  // Ends the listing, or a round of answers; the keys to confirm at the source, by collection. Not
  // all at once where very many were not listed: see more_unlisted().
  [[nodiscard]] Result<std::map<const model::Collection*, std::vector<std::string>>> candidates();
  // From here on fetched rows are answers to candidates.
  void begin_confirm() {
    confirming_ = true;
    ++confirm_round_;
  }
  // After the last round: the next candidates are others, whose rounds begin anew. False: there are
  // none.
  [[nodiscard]] bool more_unlisted() {
    if (!compared_to_) return false;
    confirm_round_ = 0;
    return true;
  }
  // Settles removals and the window; checks what this pass learned.
  [[nodiscard]] Result<void> finish(SyncReport& report);

  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  // The list of episodes came in several replies.
  [[nodiscard]] bool list_was_torn() const { return window_lists_ > 1; }

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
  void note_return(const model::Collection& collection, const std::string& key);
  [[nodiscard]] Result<bool> in_scope(const FetchedRows& event, std::size_t row);
  [[nodiscard]] Result<void> take_rows(FetchedRows& event);
  [[nodiscard]] Result<bool> has_parent(const std::optional<model::Parent>& parent);
  [[nodiscard]] Result<void> join_window(const ListedPlaces& event);
  [[nodiscard]] bool begun_here() const;
  // What a row that the cache has and the list lacks is looked for in: of patterns and heuristics.
  [[nodiscard]] bool compares_keys(const model::Collection& collection) const;
  [[nodiscard]] Result<void> find_unlisted();
  [[nodiscard]] Result<bool> find_unlisted(const model::Collection& collection);
  [[nodiscard]] Result<void> skip(const model::Collection& collection,
                                  const std::vector<model::Skipped>& skipped);
  [[nodiscard]] Result<void> lower_window(const ListedPlaces& event);
  [[nodiscard]] Result<void> evict_some(const model::Collection& episodes, std::uint64_t slots,
                                        std::vector<std::string>& skipped);
  [[nodiscard]] bool is_skipped(const model::Parent& parent) const;
  [[nodiscard]] Result<void> judge_skips(FetchedRows& event);
  void report_counts(SyncReport& report) const;
  [[nodiscard]] Result<void> validate(SyncReport& report);

  cache::WriteSession& session_;
  const model::Catalog& catalog_;
  const Scope& scope_;
  const std::optional<Filling> filling_;
  const ObserveDifference observe_;
  Suspects* suspects_ = nullptr;
  std::size_t uncommitted_bytes_ = 0;
  bool confirming_ = false;
  std::uint32_t window_lists_ = 0;
  bool resumed_ = false;             // a delta
  std::uint32_t confirm_round_ = 0;  // 0: the lists are still read
  std::uint64_t commits_ = 0;        // on the way
  std::uint64_t vectors_kept_raw_ = 0;
  std::map<std::string, CollectionReport> reports_;
  std::map<const model::Collection*, Listed> listed_;
  std::map<const model::Collection*, std::set<std::string>> candidates_;
  std::set<std::pair<std::string, std::string>> moved_;  // candidates that were listed as well
  std::map<const model::Collection*, std::set<std::string>> keys_;  // listed ones of embeddings
  std::map<const model::Collection*, base::KeySet> listed_keys_;    // where compares_keys()
  // Where find_unlisted() stopped: a collection's name and its last key. Nothing: at the end.
  std::optional<std::pair<std::string, std::string>> compared_to_;
  std::map<std::pair<std::string, std::string>, std::string> skips_;  // reasons
  std::set<std::pair<std::string, std::string>> counted_;             // skipped ones
  std::string walked_to_;     // the episodes' index is joined down to this place
  std::string newest_key_;    // of the source
  std::string lowest_place_;  // of the list so far; the last chunk may add none
  std::string boundary_;      // lowest place of the window; empty: the source is exhausted
};

}  // namespace tidemark::sync
