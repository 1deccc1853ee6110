// Reading everything: into a new generation, or in place.
#include <sys/random.h>

#include <array>

#include "cache/files.h"
#include "cache/pack.h"
#include "sync/pass.h"
#include "sync/transfer.h"

namespace tidemark::sync {
namespace {

Result<std::string> random_hex() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(ErrorCode::internal, "no random numbers from the system");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace

// Into a new generation, which replaces the cache only when it is whole.
Result<void> Pass::fill(const model::Catalog& catalog, Fetcher& fetcher) {
  TIDEMARK_TRY(close_writer());
  cache::Meta first;
  TIDEMARK_ASSIGN(generation, random_hex());
  first.identity.generation = generation;
  first.identity.source = setup_.url.identity;
  first.identity.scope = scope_;
  if (meta_) first.audit = meta_->audit;
  const std::string path = cache::generation_path(setup_.cache);
  TIDEMARK_ASSIGN(writer, cache::Writer::create(path, first, writer_options()));
  writer_.emplace(std::move(writer));
  filling_ = true;
  TIDEMARK_TRY(finish_in_place(catalog, fetcher));
  progress("install");
  TIDEMARK_TRY(
      cache::pack_generation(path, writer_options(), [this] { return !stop_.stop_requested(); }));
  TIDEMARK_TRY(cache::install_generation(path, setup_.cache));
  filling_ = false;
  return {};
}

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
  Applier applier(session, catalog, scope_, filling_, setup_.audit);
  if (suspects_) applier.watch(&*suspects_);
  const auto observe = [this](const Event& event) { count(event); };
  TIDEMARK_TRY(applier.drop_out_of_scope(open->meta().catalog.catalog));
  TIDEMARK_TRY(transfer(
      applier, fetcher,
      [&](const Emit& emit) { return Scan(fetcher, catalog, scope_, emit).run(); }, observe));
  phase_ = "confirm";
  tallies_.clear();
  // At most three rounds: candidates, the embeddings of those that came back, what these lack.
  for (bool again = false;; again = true) {
    TIDEMARK_ASSIGN(candidates, applier.candidates());
    applier.begin_confirm();
    if (candidates.empty()) break;
    TIDEMARK_TRY(transfer(
        applier, fetcher,
        [&](const Emit& emit) {
          return Scan(fetcher, catalog, scope_, emit).confirm(candidates, again);
        },
        observe));
  }
  if (suspects_) TIDEMARK_TRY(explain_differences(fetcher));
  progress("validate");
  TIDEMARK_TRY(applier.finish(report_));
  list_torn_ = applier.list_was_torn();
  report_.commits += applier.commits() + 1;
  return commit(std::move(session), catalog, fetcher);
}

}  // namespace tidemark::sync
