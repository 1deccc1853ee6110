// The end of a pass: commit, check, report.
#include <algorithm>

#include "cache/files.h"
#include "cache/pack.h"
#include "cache/scrub.h"
#include "sync/pass.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

std::int64_t to_us(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<void> Pass::commit(cache::WriteSession session, const model::Catalog& catalog,
                          const Fetcher& fetcher) {
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  cache::Meta& meta = session.edit_meta();
  if (setup_.audit) {
    finish_report(meta, fetcher);
    return {};
  }
  progress("commit");
  describe(meta, catalog);
  meta.state.consistent = capture_ ? meta.state.position >= meta.state.ahead : held_snapshot_;
  meta.state.catching_up = capture_ && !meta.state.consistent;
  // A list that came in several replies is no snapshot: an episode that moved up meanwhile is on
  // none of them. A log tells of it; without one, what is not cached is not known to be absent.
  if (list_torn_ && !capture_ && !held_snapshot_) meta.state.window_complete = false;
  meta.state.needs_repair = false;  // every row was compared with the source
  record_audit(meta);
  // Every row was read after the pass began, but for those that a fill had when it was cut short.
  // And where the log ended before what was seen, a replica may have lagged rather than the source
  // been restored: then the doubt stays, since rows may be older than checked_at. Both until all
  // that is logged was followed.
  const bool all_read = !behind_ && !report_.resumed;
  if (all_read || !meta.state.catching_up) confirm_all(meta);
  finish_report(meta, fetcher);
  meta.last_report_json = report_.to_json();
  return std::move(session).commit();
}

// What the rows are of.
void Pass::describe(cache::Meta& meta, const model::Catalog& catalog) const {
  meta.identity.scope = scope_;
  meta.identity.server_traits = connection_->traits().text;
  meta.catalog.catalog = catalog;
  for (const auto& collection : catalog.collections) {
    auto& names = meta.catalog.schemas[collection.schema_id()];
    names.clear();
    for (const auto& column : collection.columns) names.push_back(column.name);
  }
  meta.state.sync_patterns = scope_.sync_patterns;
  meta.state.sync_embeddings = scope_.sync_embeddings;
  store_guard_state(capture_ ? capture_->seen() : source::GuardState{}, meta);
}

// The cache holds everything that the source had when the pass began.
void Pass::confirm_all(cache::Meta& meta) const {
  meta.state.checked_at_us = to_us(checked_at_);
  clear_failure(meta);
  clear_doubt(meta);
}

void Pass::clear_doubt(cache::Meta& meta) {
  meta.state.in_doubt = false;
  meta.doubt.clear();
}

void Pass::finish_report(const cache::Meta& meta, const Fetcher& fetcher) {
  const turso::Usage usage = connection_->usage();
  report_.pages = fetcher.counts().pages;
  report_.retries = fetcher.counts().retries;
  report_.rows_read = fetcher.counts().rows_read;
  report_.requests = usage.requests;
  report_.bytes_received = usage.bytes_received;
  report_.duration = elapsed();
  report_.position = meta.state.position;
  report_.position_lag = std::max(meta.state.ahead, meta.state.position) - meta.state.position;
  report_.freshness.state = FreshnessState::fresh;
  // A pass that is still catching up has confirmed nothing.
  const bool confirmed = !meta.state.catching_up || meta.state.checked_at_us == to_us(checked_at_);
  const auto checked_at =
      confirmed ? checked_at_ : WallTime(std::chrono::microseconds(meta.state.checked_at_us));
  report_.freshness.checked_at = checked_at;
  report_.freshness.age =
      std::chrono::duration_cast<std::chrono::milliseconds>(setup_.clock->wall() - checked_at);
  report_.freshness.incomplete = meta.skips.size();
  report_.freshness.catching_up = meta.state.catching_up;
  report_.freshness.consistent = meta.state.consistent;
}

std::chrono::milliseconds Pass::elapsed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(setup_.clock->steady() - started_);
}

std::int64_t Pass::wall_us() const { return to_us(setup_.clock->wall()); }

// A writer that is killed while it holds the file makes readers wait for a repair.
Result<void> Pass::close_writer() {
  if (!writer_) return {};
  TIDEMARK_TRY(std::move(*writer_).close());
  writer_.reset();
  return {};
}

// Small caches are checked row by row, indexes and sums included.
Result<void> Pass::check_rows() {
  std::uint64_t rows = 0;
  for (const auto& [name, counts] : report_.collections) {
    rows += counts.upserted + counts.unchanged;
  }
  if (rows > kCheckRowsMax && !setup_.config.validate_checksums) return {};
  const std::string path = filling_ ? cache::generation_path(setup_.cache) : setup_.cache;
  ReaderOptions options;
  options.repair = false;
  TIDEMARK_ASSIGN(checked, tidemark::check(path, false, options));
  report_.validation.indexes = checked.problems.empty();
  report_.validation.checksums = checked.problems.empty();
  const bool damaged = !checked.problems.empty();
  for (std::string& problem : checked.problems) {
    report_.validation.problems.push_back(std::move(problem));
  }
  report_.duration = elapsed();
  if (damaged && !filling_) return cache::mark_needs_repair(path);  // the next pass repairs it
  return {};
}

// The pass is done; a file that could not be packed is as it was.
void Pass::pack() {
  if (filling_ || report_.commits == 0) return;  // a generation is packed before it is installed
  [[maybe_unused]] const auto packed = cache::pack_cache(setup_.cache, writer_options());
}

// The cache tells its readers why the source cannot be had. When even that fails the age tells.
void Pass::note_failure(const Error& error) {
  const bool refused = error.code == ErrorCode::rejected;
  if (setup_.audit) return;  // which writes nothing
  if ((!refused && error.code != ErrorCode::unavailable) || !meta_) return;
  auto open = writer();
  if (!open) return;
  auto session = (*open)->begin();
  if (!session) return;
  cache::Meta& meta = session->edit_meta();
  std::int64_t since = refused ? meta.refusal.since_us : meta.state.source_unavailable_since_us;
  if (since == 0) since = to_us(setup_.clock->wall());
  clear_failure(meta);
  if (refused) {
    meta.refusal = {since, error.message};
  } else {
    meta.state.source_unavailable_since_us = since;
    meta.source_unavailable_reason = error.message;
  }
  [[maybe_unused]] const auto noted = std::move(*session).commit();
}

void Pass::clear_failure(cache::Meta& meta) {
  meta.state.source_unavailable_since_us = 0;
  meta.source_unavailable_reason.clear();
  meta.refusal = {};
}

}  // namespace tidemark::sync
