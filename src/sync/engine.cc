#include "sync/engine.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <thread>

#include "base/bounded_queue.h"
#include "cache/files.h"
#include "cache/lock.h"
#include "cache/pack.h"
#include "cache/scrub.h"
#include "sync/applier.h"
#include "sync/discover.h"
#include "sync/fetcher.h"
#include "sync/scan.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Candidates = std::map<const model::Collection*, std::vector<std::string>>;

std::int64_t to_us(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

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

// One pass. Members in order of their making: the lock outlives the writer.
class Pass {
 public:
  Pass(const EngineSetup& setup, std::stop_token stop, const SyncRequest& request)
      : setup_(setup),
        stop_(std::move(stop)),
        request_(request),
        deadline_(pass_deadline(setup.config, *setup.clock)),
        started_(setup.clock->steady()) {}

  Result<SyncReport> run() {
    TIDEMARK_TRY(prepare());
    const auto checked_at = setup_.clock->wall();
    auto done = synchronize(checked_at);
    if (connection_) connection_->release_snapshot();
    if (!done) {
      note_unavailable(done.error());
      if (filling_) discard_generation();
      return std::unexpected(std::move(done).error());
    }
    return std::move(report_);
  }

 private:
  void progress(const std::string& phase) {
    if (request_.progress) request_.progress({phase, {}, 0, std::nullopt});
  }

  // Counts what an event settles; the total of a collection is known once its list has ended.
  void count(const Event& event) {
    const auto tally = [this](const model::Collection& of) -> Progress& {
      return tallies_.try_emplace(&of, Progress{phase_, of.name, 0, std::nullopt}).first->second;
    };
    if (const auto* const places = std::get_if<ListedPlaces>(&event)) {
      listed_[places->collection] += places->places.size();
      if (places->last) tally(*places->collection).rows_total = listed_[places->collection];
    } else if (const auto* const rows = std::get_if<FetchedRows>(&event)) {
      Progress& done = tally(*rows->collection);
      done.rows_done += rows->rows.size() + rows->missing.size();
      // A skipped key of the odd ones is on no list.
      if (done.rows_total) done.rows_done = std::min(done.rows_done, *done.rows_total);
      if (request_.progress) request_.progress(done);
    }
  }

  // Lock, what stands at the path, the scope: all before the first request.
  Result<void> prepare() {
    const bool replace = setup_.recovery.replace;
    if (!replace) TIDEMARK_TRY(cache::examine(setup_.cache));
    TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(setup_.cache, setup_.options.cache_mode));
    lock_.emplace(std::move(lock));
    stored_scope_ = setup_.recovery.scope;
    reason_ = setup_.recovery.reason;
    if (!replace) {
      TIDEMARK_ASSIGN(standing, cache::examine(setup_.cache));  // again, under the lock
      if (standing == cache::Standing::present) TIDEMARK_TRY(open_existing());
    }
    TIDEMARK_ASSIGN(scope, resolve_scope(stored_scope_, setup_.config, request_));
    scope_ = scope;
    return {};
  }

  Result<void> open_existing() {
    progress("open");
    TIDEMARK_ASSIGN(identity, cache::peek_identity(setup_.cache));
    if (identity) TIDEMARK_TRY(check_identity(*identity, setup_.url.identity));
    TIDEMARK_ASSIGN(writer, cache::Writer::open(setup_.cache, writer_options()));
    const cache::Meta& meta = writer.meta();
    TIDEMARK_TRY(check_identity(meta.identity, setup_.url.identity));
    if (meta.state.needs_repair && !setup_.recovery.mended && !request_.full) {
      return fail(ErrorCode::corrupt, "a check found the cache damaged", cache::kRepairHint);
    }
    stored_scope_ = meta.identity.scope;
    older_format_ = meta.identity.format_version < cache::kFormatVersion;
    if (older_format_) return std::move(writer).close();  // readable until it is replaced
    writer_.emplace(std::move(writer));
    return {};
  }

  cache::WriterOptions writer_options() const {
    cache::WriterOptions options;
    options.page_cache_bytes = setup_.options.page_cache_bytes;
    options.file_mode = setup_.options.cache_mode;
    options.fail_after_operations = setup_.fail_after_operations;
    options.on_repair_progress = [this](double) { return !stop_.stop_requested(); };
    return options;
  }

  Result<void> connect() {
    turso::ConnectOptions options;
    options.token = setup_.options.token;
    options.ca_file = setup_.options.ca_file;
    options.request_timeout = setup_.config.request_deadline;
    options.max_in_flight = setup_.config.max_concurrent_fetches;
    if (writer_) options.traits.text = writer_->meta().identity.server_traits;
    TIDEMARK_ASSIGN(connection, setup_.connect(setup_.url, std::move(options)));
    connection_ = std::move(connection);
    return {};
  }

  Result<void> synchronize(WallTime checked_at) {
    progress("discover");
    TIDEMARK_TRY(connect());
    const std::stop_callback wake(stop_, [this] { connection_->wake(); });
    TIDEMARK_ASSIGN(held, connection_->hold_snapshot());
    held_snapshot_ = held;
    Fetcher fetcher(*connection_, setup_.config, deadline_, stop_, *setup_.clock);
    std::optional<model::Catalog> known;
    if (writer_) known = writer_->meta().catalog.catalog;
    TIDEMARK_ASSIGN(catalog, discover(fetcher, known));
    if (!held) fetcher.guard_schema(catalog.fingerprint);
    plan_ = make_plan(known, catalog, older_format_, request_.full, scope_);
    if (!reason_.empty()) plan_.reason = reason_;
    report_.mode = to_string(plan_.mode);
    report_.reason = plan_.reason;
    report_.notes = catalog.notes;
    report_.roles = describe_roles(catalog);

    if (setup_.audit && plan_.mode != Mode::scan) {
      return fail(ErrorCode::needs_repair, "the cache cannot be compared: " + plan_.reason,
                  "run `tidemark sync`");
    }
    if (plan_.mode == Mode::scan) return reconcile(*writer_, catalog, fetcher, checked_at);
    return fill(catalog, fetcher, checked_at);
  }

  // Into a new generation, which replaces the cache only when it is whole.
  Result<void> fill(const model::Catalog& catalog, Fetcher& fetcher, WallTime checked_at) {
    if (writer_) TIDEMARK_TRY(std::move(*writer_).close());
    writer_.reset();
    cache::Meta first;
    TIDEMARK_ASSIGN(generation, random_hex());
    first.identity.generation = generation;
    first.identity.source = setup_.url.identity;
    first.identity.scope = scope_;
    const std::string path = cache::generation_path(setup_.cache);
    TIDEMARK_ASSIGN(writer, cache::Writer::create(path, first, writer_options()));
    writer_.emplace(std::move(writer));
    filling_ = true;
    TIDEMARK_TRY(reconcile(*writer_, catalog, fetcher, checked_at));
    progress("install");
    TIDEMARK_TRY(
        cache::pack_generation(path, writer_options(), [this] { return !stop_.stop_requested(); }));
    TIDEMARK_TRY(cache::install_generation(path, setup_.cache));
    filling_ = false;
    return {};
  }

  Result<void> reconcile(cache::Writer& writer, const model::Catalog& catalog, Fetcher& fetcher,
                         WallTime checked_at) {
    TIDEMARK_ASSIGN(session, writer.begin());
    Applier applier(session, catalog, scope_, filling_, setup_.audit);
    TIDEMARK_TRY(applier.drop_out_of_scope(writer.meta().catalog.catalog));
    TIDEMARK_TRY(transfer(applier, fetcher, [&](const Emit& emit) {
      return Scan(fetcher, catalog, scope_, emit).run();
    }));
    TIDEMARK_ASSIGN(candidates, applier.candidates());
    applier.begin_confirm();
    phase_ = "confirm";
    tallies_.clear();
    if (!candidates.empty()) {
      TIDEMARK_TRY(transfer(applier, fetcher, [&](const Emit& emit) {
        return Scan(fetcher, catalog, scope_, emit).confirm(candidates);
      }));
    }
    progress("validate");
    TIDEMARK_TRY(applier.finish(report_));
    report_.commits = applier.commits() + 1;
    return commit(writer, std::move(session), catalog, fetcher, checked_at);
  }

  // Fetches on a thread of its own and applies here, with a queue between that is bounded in bytes.
  template <typename Fetch>
  Result<void> transfer(Applier& applier, Fetcher& fetcher, Fetch fetch) {
    base::BoundedQueue<Event> queue(kQueueBytesMax);
    const Emit emit = [&queue](Event event) {
      const std::size_t bytes = bytes_of(event);
      return queue.push(std::move(event), bytes);
    };
    Result<void> applied;
    {
      const std::jthread fetching([&] { static_cast<void>(emit(FetchDone{fetch(emit)})); });
      applied = apply_all(applier, queue);
      queue.close();                    // the fetch thread meets a closed queue, or is done
      if (!applied) fetcher.abandon();  // it may be waiting for a server that says nothing
    }
    return applied;
  }

  Result<void> apply_all(Applier& applier, base::BoundedQueue<Event>& queue) {
    while (true) {
      std::optional<Event> event = queue.pop();
      if (!event) return fail(ErrorCode::internal, "the fetch thread ended without a word");
      if (auto* const done = std::get_if<FetchDone>(&*event)) return std::move(done->outcome);
      count(*event);
      auto applied = apply(applier, std::move(*event));
      if (!applied) return applied;
    }
  }

  static Result<void> apply(Applier& applier, Event event) {
    if (auto* const places = std::get_if<ListedPlaces>(&event))
      return applier.take(std::move(*places));
    if (auto* const children = std::get_if<ListedChildren>(&event)) {
      return applier.take(std::move(*children));
    }
    if (auto* const rows = std::get_if<FetchedRows>(&event)) return applier.take(std::move(*rows));
    return {};
  }

  Result<void> commit(cache::Writer& writer, cache::WriteSession session,
                      const model::Catalog& catalog, const Fetcher& fetcher, WallTime checked_at) {
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
    cache::Meta& meta = session.edit_meta();
    if (setup_.audit) {
      finish_report(meta, fetcher, checked_at);
      return {};
    }
    progress("commit");
    meta.identity.scope = scope_;
    meta.identity.server_traits = connection_->traits().text;
    meta.catalog.catalog = catalog;
    for (const auto& collection : catalog.collections) {
      auto& names = meta.catalog.schemas[collection.schema_id()];
      names.clear();
      for (const auto& column : collection.columns) names.push_back(column.name);
    }
    meta.state.checked_at_us = to_us(checked_at);
    meta.state.sync_patterns = scope_.sync_patterns;
    meta.state.sync_embeddings = scope_.sync_embeddings;
    meta.state.consistent = held_snapshot_;
    meta.state.source_unavailable_since_us = 0;
    meta.source_unavailable_reason.clear();
    meta.state.needs_repair = false;  // every row was compared with the source
    finish_report(meta, fetcher, checked_at);
    meta.last_report_json = report_.to_json();
    TIDEMARK_TRY(std::move(session).commit());
    TIDEMARK_TRY(std::move(writer).close());
    writer_.reset();
    TIDEMARK_TRY(check_rows());
    if (filling_) return {};  // packed before it is installed
    // The pass is done; a file that could not be packed is as it was.
    [[maybe_unused]] const auto packed = cache::pack_cache(
        setup_.cache, writer_options(), [this] { return !stop_.stop_requested(); });
    return {};
  }

  void finish_report(const cache::Meta& meta, const Fetcher& fetcher, WallTime checked_at) {
    const turso::Usage usage = connection_->usage();
    report_.pages = fetcher.counts().pages;
    report_.retries = fetcher.counts().retries;
    report_.rows_read = fetcher.counts().rows_read;
    report_.requests = usage.requests;
    report_.bytes_received = usage.bytes_received;
    report_.duration = elapsed();
    report_.freshness.state = FreshnessState::fresh;
    report_.freshness.checked_at = checked_at;
    report_.freshness.age =
        std::chrono::duration_cast<std::chrono::milliseconds>(setup_.clock->wall() - checked_at);
    report_.freshness.incomplete = meta.skips.size();
    report_.freshness.consistent = meta.state.consistent;
  }

  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(setup_.clock->steady() - started_);
  }

  // Small caches are checked row by row, indexes and sums included.
  Result<void> check_rows() {
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
    if (damaged && !filling_) {
      return cache::mark_needs_repair(path);  // the next pass repairs it
    }
    return {};
  }

  void discard_generation() {
    writer_.reset();
    ::unlink(cache::generation_path(setup_.cache).c_str());
  }

  // The cache tells its readers that the source cannot be had. When even that fails the age tells.
  void note_unavailable(const Error& error) {
    if (error.code != ErrorCode::unavailable || !writer_ || filling_) return;
    auto session = writer_->begin();
    if (!session) return;
    cache::Meta& meta = session->edit_meta();
    if (meta.state.source_unavailable_since_us == 0) {
      meta.state.source_unavailable_since_us = to_us(setup_.clock->wall());
    }
    meta.source_unavailable_reason = error.message;
    [[maybe_unused]] const auto noted = std::move(*session).commit();
  }

  const EngineSetup& setup_;
  const std::stop_token stop_;
  const SyncRequest& request_;
  const SteadyTime deadline_;
  const SteadyTime started_;
  std::optional<cache::CacheLock> lock_;
  std::optional<cache::Writer> writer_;
  std::unique_ptr<turso::Connection> connection_;
  Scope scope_;
  Plan plan_;
  std::string reason_;
  std::optional<Scope> stored_scope_;
  bool older_format_ = false;
  std::string phase_ = "fetch";
  std::map<const model::Collection*, Progress> tallies_;
  std::map<const model::Collection*, std::uint64_t> listed_;
  bool held_snapshot_ = false;
  bool filling_ = false;
  SyncReport report_;
};

}  // namespace

Result<SyncReport> run_pass(const EngineSetup& setup, std::stop_token stop,
                            const SyncRequest& request) {
  return Pass(setup, std::move(stop), request).run();
}

}  // namespace tidemark::sync
