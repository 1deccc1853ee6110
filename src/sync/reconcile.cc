// Reading everything: in place, or into the generation that a fill has opened.
#include "sync/pass.h"
#include "sync/transfer.h"

namespace tidemark::sync {

Result<void> Pass::finish_in_place(const model::Catalog& catalog, Fetcher& fetcher) {
  if (meta_) TIDEMARK_TRY(fetcher.afford(least_price(*meta_, scope_)));
  TIDEMARK_TRY(reconcile(catalog, fetcher));
  if (setup_.audit) return close_writer();
  TIDEMARK_TRY(follow_on(catalog, fetcher));
  TIDEMARK_TRY(close_writer());
  TIDEMARK_TRY(check_rows());
  pack();
  return {};
}

Result<void> Pass::reconcile(const model::Catalog& catalog, Fetcher& fetcher) {
  TIDEMARK_ASSIGN(open, writer());
  TIDEMARK_ASSIGN(session, open->begin());
  // What is smaller than that stays in the page cache from one commit of a fill to the next.
  if (filling_ && !report_.resumed) session.defer_indexes(setup_.fill_commit_bytes / 2);
  Applier applier(session, catalog, scope_, filling(), setup_.audit);
  if (suspects_) applier.watch(&*suspects_);
  TIDEMARK_TRY(applier.drop_out_of_scope(open->meta().catalog.catalog));
  TIDEMARK_TRY(transfer(
      applier, fetcher,
      [&](const Emit& emit) { return Scan(fetcher, catalog, scope_, emit).run(cached()); },
      [this](const Event& event) { count(event); }));
  phase_ = "confirm";
  tallies_.clear();
  do {
    TIDEMARK_TRY(confirm_candidates(applier, catalog, fetcher));
  } while (applier.more_unlisted());
  // Those that moved up since the window was listed may be more than it has room for.
  TIDEMARK_TRY(applier.settle_window({}));
  if (suspects_) TIDEMARK_TRY(explain_differences(fetcher));
  progress("validate");
  TIDEMARK_TRY(applier.finish(report_));
  list_torn_ = applier.list_was_torn();
  report_.commits += applier.commits() + 1;
  return commit(std::move(session), catalog, fetcher);
}

// At most three rounds: candidates, the embeddings of those that came back, what these lack.
Result<void> Pass::confirm_candidates(Applier& applier, const model::Catalog& catalog,
                                      Fetcher& fetcher) {
  for (bool again = false;; again = true) {
    TIDEMARK_ASSIGN(candidates, applier.candidates());
    applier.begin_confirm();
    if (candidates.empty()) return {};
    TIDEMARK_TRY(transfer(
        applier, fetcher,
        [&](const Emit& emit) {
          return Scan(fetcher, catalog, scope_, emit).confirm(candidates, again);
        },
        [this](const Event& event) { count(event); }));
  }
}

}  // namespace tidemark::sync
