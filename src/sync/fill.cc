// A new generation, which replaces the cache only when it is whole. Beside a change log one that
// was cut short is gone on with: its rows were read at its position or later, so that the log from
// there on tells of all that changed in them since.
#include <algorithm>
#include <filesystem>

#include "base/random.h"
#include "cache/files.h"
#include "cache/pack.h"
#include "cache/scrub.h"
#include "sync/pass.h"
#include "sync/resume.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

// A replica that lags shows less than the fill has seen: it may catch up.
Result<source::Guard> look_at_log(Fetcher& fetcher, const source::GuardState& state) {
  for (std::uint32_t tries = 1;; ++tries) {
    TIDEMARK_ASSIGN(results,
                    fetcher.ask_each(source::guard_statements(source::guard_request(state))));
    TIDEMARK_ASSIGN(guard, source::read_guard(results));
    if (!source::is_behind(state, guard) || tries == kTriesMax) return std::move(guard);
    TIDEMARK_TRY(fetcher.pause(tries));
  }
}

Result<void> settle_indexes(cache::Writer& writer) {
  TIDEMARK_ASSIGN(session, writer.begin());
  TIDEMARK_TRY(session.settle_indexes());
  return session.checkpoint();
}

std::uint64_t rows_of(const cache::Meta& meta) {
  std::uint64_t rows = 0;
  for (const auto& [name, sum] : meta.sums) rows += sum.count;
  return rows;
}

}  // namespace

Result<void> Pass::fill(const model::Catalog& catalog, Fetcher& fetcher) {
  TIDEMARK_TRY(close_writer());
  const std::string path = cache::generation_path(setup_.cache);
  // The next pass would fill as well, whatever was asked of this one.
  std::optional<model::Catalog> known;
  if (meta_) known = meta_->catalog.catalog;
  const Plan next = make_plan(known, catalog, older_format_, false, scope_, other_database_);
  resumable_ = capture_ && standing_generation_ && next.mode == Mode::fill;
  TIDEMARK_ASSIGN(resumed, resume_fill(catalog, fetcher));
  report_.resumed = resumed;
  filling_ = true;
  if (!resumed) TIDEMARK_TRY(begin_fill(catalog));
  TIDEMARK_TRY(finish_in_place(catalog, fetcher));
  progress("install");
  TIDEMARK_TRY(cache::pack_generation(path, writer_options()));
  TIDEMARK_TRY(cache::install_generation(path, setup_.cache));
  filling_ = false;
  return {};
}

Result<void> Pass::begin_fill(const model::Catalog& catalog) {
  cache::Meta first;
  TIDEMARK_ASSIGN(generation, base::random_hex(16));
  first.identity.generation = generation;
  first.identity.source = setup_.url.identity;
  first.filled_over = standing_generation_;
  if (meta_) first.audit = meta_->audit;
  first.audit.ended_at_us = wall_us();  // every row is read after this, whoever ends the fill
  describe(first, catalog);
  TIDEMARK_ASSIGN(
      writer, cache::Writer::create(cache::generation_path(setup_.cache), first, writer_options()));
  writer_.emplace(std::move(writer));
  return {};
}

Result<bool> Pass::resume_fill(const model::Catalog& catalog, Fetcher& fetcher) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(cache::generation_path(setup_.cache), none)) return false;
  progress("resume");
  TIDEMARK_ASSIGN(trouble, take_up(catalog, fetcher));
  if (trouble) {
    report_.notes.push_back("a fill that was cut short is begun anew: " + *trouble);
    return false;
  }
  report_.reason += "; a fill that was cut short goes on, with " +
                    std::to_string(rows_of(writer_->meta())) + " rows that it had";
  return true;
}

// Every error leaves what was filled for another pass; what cannot be used is no error.
Result<std::optional<std::string>> Pass::take_up(const model::Catalog& catalog, Fetcher& fetcher) {
  if (request_.full) return "everything is to be read";
  if (!capture_) return "no change log vouches for its rows";
  auto writer = cache::Writer::open(cache::generation_path(setup_.cache), writer_options());
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  if (!writer) return "it cannot be opened: " + writer.error().message;
  const cache::Meta& begun = writer->meta();
  auto trouble = cannot_resume(begun, {setup_.url.identity, scope_, catalog, standing_generation_});
  if (trouble) return trouble;
  source::GuardState state = guard_state(begun);
  TIDEMARK_ASSIGN(guard, look_at_log(fetcher, state));
  if (auto doubt = source::doubt(state, guard)) return doubt;
  if (const auto settled = settle_indexes(*writer); !settled) {
    if (stop_.stop_requested()) return std::unexpected(settled.error());
    return "its indexes cannot be merged: " + settled.error().message;
  }
  TIDEMARK_ASSIGN(damage, look_for_damage());
  if (damage) return damage;
  // What is read from here on is read now or later, at a source that has both anchors.
  state.ahead = guard.head;
  state.ahead_nonce = guard.head_nonce;
  capture_ = std::make_shared<CaptureGuard>(catalog.fingerprint, state);
  if (!held_snapshot_) fetcher.set_guard(capture_);
  writer_.emplace(std::move(*writer));
  return std::optional<std::string>();
}

// Rows that were written long before are not looked at again by a fill that goes on.
Result<std::optional<std::string>> Pass::look_for_damage() const {
  ReaderOptions options;
  options.repair = false;
  cache::Scrub scrub(cache::generation_path(setup_.cache), options);
  for (bool more = true; more;) {
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
    const auto stepped = scrub.step();
    if (!stepped) return "it is damaged: " + stepped.error().message;
    more = *stepped;
  }
  const auto& problems = scrub.found().problems;
  if (problems.empty()) return std::optional<std::string>();
  return "it is damaged: " + problems.front();
}

std::optional<Filling> Pass::filling() {
  if (!filling_) return std::nullopt;
  return Filling{setup_.fill_commit_bytes,
                 [this](cache::Meta& meta) {
                   if (capture_) store_guard_state(capture_->seen(), meta);
                 },
                 report_.resumed};
}

Cached Pass::cached() const {
  Cached cached;
  if (filling_ && report_.resumed) {
    cached.stored = [this](const model::Collection& collection, std::span<const std::string> keys) {
      return writer_->stored(collection.name, keys);
    };
  }
  cached.nothing = filling_ && !report_.resumed;
  cached.window_full = meta_ && !meta_->boundary.place.empty();
  return cached;
}

// What can be gone on with stays, when it was the source, a deadline or a person that ended it.
void Pass::leave_generation(const Error& error) {
  filling_ = false;
  const bool passes = error.code == ErrorCode::cancelled || error.code == ErrorCode::unavailable ||
                      error.code == ErrorCode::rejected;
  const bool worth_it = !writer_ || rows_of(writer_->meta()) > 0;  // closed: it is whole
  if (resumable_ && passes && worth_it && close_writer()) return;
  writer_.reset();
  cache::remove_generation(cache::generation_path(setup_.cache));
}

}  // namespace tidemark::sync
