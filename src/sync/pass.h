// One pass, from the lock to the report. engine.cc plans it, reconcile.cc reads everything, fill.cc
// into a new generation, delta.cc follows the change log, audit.cc audits it, settle.cc commits,
// checks and reports.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cache/lock.h"
#include "cache/writer.h"
#include "sync/applier.h"
#include "sync/audit.h"
#include "sync/engine.h"
#include "sync/fetcher.h"
#include "sync/follow.h"
#include "sync/plan.h"
#include "sync/request_guard.h"
#include "sync/scan.h"
#include "turso/connection.h"

namespace tidemark::sync {

// One thread, once. Members in order of their making: the lock outlives the writer.
class Pass {
 public:
  Pass(const EngineSetup& setup, std::stop_token stop, const SyncRequest& request);
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  [[nodiscard]] Result<SyncReport> run();

 private:
  using WallTime = std::chrono::system_clock::time_point;

  // engine.cc
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> open_existing();
  [[nodiscard]] bool may_follow(const cache::Meta& meta) const;
  [[nodiscard]] cache::WriterOptions writer_options() const;
  // The cache as an open file for writing, which a pass with nothing to do never needs.
  [[nodiscard]] Result<cache::Writer*> writer();
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<void> synchronize();
  [[nodiscard]] Result<void> read_everything(Fetcher& fetcher);
  [[nodiscard]] Result<void> guard_by_capture(const model::Catalog& catalog, Fetcher& fetcher);
  void explain_plan(const model::Catalog& catalog);
  void progress(const std::string& phase);
  void count(const Event& event);

  // fill.cc
  [[nodiscard]] Result<void> fill(const model::Catalog& catalog, Fetcher& fetcher);
  [[nodiscard]] Result<void> begin_fill(const model::Catalog& catalog);
  // False: there is nothing to go on with.
  [[nodiscard]] Result<bool> resume_fill(const model::Catalog& catalog, Fetcher& fetcher);
  // Takes it as writer_ and goes on from its position; or says why it must not.
  [[nodiscard]] Result<std::optional<std::string>> take_up(const model::Catalog& catalog,
                                                           Fetcher& fetcher);
  [[nodiscard]] Result<std::optional<std::string>> look_for_damage() const;
  [[nodiscard]] std::optional<Filling> filling();
  [[nodiscard]] Cached cached() const;
  void leave_generation(const Error& error);

  // reconcile.cc
  [[nodiscard]] Result<void> reconcile(const model::Catalog& catalog, Fetcher& fetcher);
  [[nodiscard]] Result<void> confirm_candidates(Applier& applier, const model::Catalog& catalog,
                                                Fetcher& fetcher);
  [[nodiscard]] Result<void> finish_in_place(const model::Catalog& catalog, Fetcher& fetcher);

  // delta.cc
  enum class Followed { caught_up, everything };
  [[nodiscard]] Result<Followed> follow(const model::Catalog& catalog, Fetcher& fetcher);
  [[nodiscard]] Result<void> follow_on(const model::Catalog& catalog, Fetcher& fetcher);
  [[nodiscard]] Result<void> take(Follower& follower, Follower::Seen& seen,
                                  const source::GuardState& state, const Fetcher& fetcher);
  [[nodiscard]] Result<void> confirm(const Fetcher& fetcher);
  [[nodiscard]] Result<void> note_doubt(const std::string& reason);

  // audit.cc
  [[nodiscard]] Result<void> audit(const std::string& why, Fetcher& fetcher);
  [[nodiscard]] Result<source::Changes> logged_changes(Fetcher& fetcher,
                                                       source::ChangeRange& range);
  [[nodiscard]] Result<void> explain_differences(Fetcher& fetcher);
  void record_audit(cache::Meta& meta) const;

  // settle.cc
  [[nodiscard]] Result<void> commit(cache::WriteSession session, const model::Catalog& catalog,
                                    const Fetcher& fetcher);
  void describe(cache::Meta& meta, const model::Catalog& catalog) const;
  void confirm_all(cache::Meta& meta) const;
  void finish_report(const cache::Meta& meta, const Fetcher& fetcher);
  [[nodiscard]] std::chrono::milliseconds elapsed() const;
  [[nodiscard]] std::int64_t wall_us() const;  // now
  [[nodiscard]] Result<void> close_writer();
  [[nodiscard]] Result<void> check_rows();
  void pack();
  void note_failure(const Error& error);
  static void clear_failure(cache::Meta& meta);
  static void clear_doubt(cache::Meta& meta);

  const EngineSetup& setup_;
  const std::stop_token stop_;
  const SyncRequest& request_;
  const std::chrono::steady_clock::time_point deadline_;
  const std::chrono::steady_clock::time_point started_;
  std::optional<cache::CacheLock> lock_;
  std::optional<cache::Meta> meta_;  // as the cache has it; nothing: there is none, or none usable
  std::optional<cache::Writer> writer_;
  std::unique_ptr<turso::Connection> connection_;
  std::shared_ptr<CaptureGuard>
      capture_;                       // everything is being read, beside a log that is followed
  std::optional<Suspects> suspects_;  // this is an audit
  bool source_has_log_ = true;
  bool behind_ = false;    // its log ended before what the cache had seen
  WallTime checked_at_{};  // before the first request
  Scope scope_;
  Plan plan_;
  std::string reason_;
  std::optional<std::int64_t> first_head_;  // of the log, at the first look
  std::string untrusted_;                   // why a change log that is there is not followed
  std::optional<Scope> stored_scope_;
  bool older_format_ = false;
  bool other_database_ = false;  // than the one that the cache followed
  bool list_torn_ = false;       // the list of the window came in several replies
  std::string phase_ = "fetch";
  std::map<const model::Collection*, Progress> tallies_;
  std::map<const model::Collection*, std::uint64_t> listed_;
  bool held_snapshot_ = false;
  std::optional<std::string> standing_generation_;  // empty: none; nothing: it cannot be said
  bool filling_ = false;
  bool resumable_ = false;  // what is filled can be gone on with by another pass
  SyncReport report_;
};

}  // namespace tidemark::sync
