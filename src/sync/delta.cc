// Following the change log: from the cache's position to the log's head, one commit for each range.
#include "sync/pass.h"
#include "sync/tuning.h"

namespace tidemark::sync {

namespace {

// Why what was seen, or not to be had, needs everything to be read; empty: it does not.
std::string doubt_of(const Result<Follower::Seen>& seen) {
  if (seen && !seen->doubt.empty()) return seen->doubt;
  if (seen && seen->other_schema) return "the schema of the source changed";
  if (seen) return {};
  if (source::is_capture_gone(seen.error())) return "change capture was removed from the source";
  // The statements are ours: what they name is no longer there.
  if (seen.error().code != ErrorCode::invalid || is_over_limit(seen.error())) return {};
  return "the tables of the source changed: " + seen.error().message;
}

}  // namespace

// Caught up, or everything has to be read: then reason_ says why. A source that is written all the
// time is caught up with when the cache is where its log ended at the first look, and a few rounds
// more brought no moment of rest.
Result<Pass::Followed> Pass::follow(const model::Catalog& catalog, Fetcher& fetcher) {
  Follower follower(fetcher, catalog, scope_, setup_.changes_per_range);
  for (std::size_t rounds_beyond = 0;;) {
    const source::GuardState state = guard_state(writer_ ? writer_->meta() : *meta_);
    auto seen = follower.look(state);
    if (const std::string doubt = doubt_of(seen); !doubt.empty()) {
      TIDEMARK_TRY(note_doubt(doubt));
      return Followed::everything;
    }
    if (!seen) return std::unexpected(std::move(seen).error());
    if (!first_head_) first_head_ = seen->guard.head;
    if (seen->changes.up == state.position) {
      TIDEMARK_TRY(confirm(fetcher));
      return Followed::caught_up;
    }
    TIDEMARK_TRY(take(follower, *seen, state, fetcher));
    if (!writer_->meta().state.catching_up) return Followed::caught_up;
    if (seen->changes.up >= *first_head_ && ++rounds_beyond == kRoundsBeyondHead) {
      return Followed::caught_up;
    }
  }
}

// After a reconcile: what changed while it read.
Result<void> Pass::follow_on(const model::Catalog& catalog, Fetcher& fetcher) {
  if (!capture_ || writer_->meta().state.consistent) return {};
  capture_.reset();
  first_head_.reset();  // of a history that may be lost, when this pass began as a delta
  fetcher.set_guard(nullptr);
  TIDEMARK_ASSIGN(followed, follow(catalog, fetcher));
  if (followed == Followed::everything) {
    return fail(ErrorCode::unavailable, "the source changed during the pass: " + reason_,
                "run `tidemark sync` again");
  }
  if (writer_->meta().state.checked_at_us != 0) return {};
  return fail(ErrorCode::unavailable, "the source is written faster than its log can be followed",
              "run `tidemark sync` again, which goes on with this fill");
}

Result<void> Pass::take(Follower& follower, Follower::Seen& seen, const source::GuardState& state,
                        const Fetcher& fetcher) {
  TIDEMARK_ASSIGN(open, writer());
  TIDEMARK_ASSIGN(session, open->begin());
  TIDEMARK_TRY(follower.take(seen, state, session, report_));
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  progress("commit");
  cache::Meta& meta = session.edit_meta();
  meta.state.consistent = meta.state.position >= meta.state.ahead;
  meta.state.catching_up = !meta.state.consistent;
  meta.identity.server_traits = connection_->traits().text;
  // The log drops an item's entry that is far behind its newest: what changed before the pass
  // began, and again since, may be beyond any range that ends before the log does.
  if (seen.changes.up >= seen.guard.head) confirm_all(meta);
  ++report_.commits;
  if (report_.reason.empty()) report_.reason = "changes were logged";
  finish_report(meta, fetcher);
  meta.last_report_json = report_.to_json();
  return std::move(session).commit();
}

// Nothing is new. Readers must learn that this was seen, but not more often than the heartbeat.
Result<void> Pass::confirm(const Fetcher& fetcher) {
  if (report_.reason.empty()) report_.reason = "nothing changed";
  const cache::Meta& known = writer_ ? writer_->meta() : *meta_;
  const auto last = WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::microseconds(known.state.checked_at_us)));
  const bool due = checked_at_ - last >= setup_.config.heartbeat || checked_at_ < last;
  const bool flagged = known.state.catching_up || !known.state.consistent ||
                       known.state.source_unavailable_since_us != 0 || known.refusal.since_us != 0;
  if (!due && !flagged) {
    finish_report(known, fetcher);
    return {};
  }
  TIDEMARK_ASSIGN(open, writer());
  TIDEMARK_ASSIGN(session, open->begin());
  cache::Meta& meta = session.edit_meta();
  meta.state.catching_up = false;
  meta.state.consistent = true;  // position, ahead and head are one
  confirm_all(meta);
  ++report_.commits;
  finish_report(meta, fetcher);
  meta.last_report_json = report_.to_json();
  return std::move(session).commit();
}

// Before anything else is done: from here on no reader takes the cache for what the source has.
Result<void> Pass::note_doubt(const std::string& reason) {
  reason_ = reason;
  TIDEMARK_ASSIGN(open, writer());
  TIDEMARK_ASSIGN(session, open->begin());
  cache::Meta& meta = session.edit_meta();
  meta.doubt = reason;
  meta.state.in_doubt = true;
  meta.state.consistent = false;
  TIDEMARK_TRY(std::move(session).commit());
  if (!filling_) meta_ = open->meta();
  return {};
}

}  // namespace tidemark::sync
