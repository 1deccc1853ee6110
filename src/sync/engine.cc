#include "sync/engine.h"

#include <algorithm>

#include "cache/files.h"
#include "sync/discover.h"
#include "sync/pass.h"

namespace tidemark::sync {

Pass::Pass(const EngineSetup& setup, std::stop_token stop, const SyncRequest& request)
    : setup_(setup),
      stop_(std::move(stop)),
      request_(request),
      deadline_(pass_deadline(setup.config, *setup.clock)),
      started_(setup.clock->steady()) {}

Result<SyncReport> Pass::run() {
  TIDEMARK_TRY(prepare());
  checked_at_ = setup_.clock->wall();
  auto done = synchronize();
  if (connection_) connection_->release_snapshot();
  if (!done) {
    if (filling_) leave_generation(done.error());
    note_failure(done.error());
    return std::unexpected(std::move(done).error());
  }
  return std::move(report_);
}

void Pass::progress(const std::string& phase) {
  if (request_.progress) request_.progress({phase, {}, 0, std::nullopt});
}

// Counts what an event settles; the total of a collection is known once its list has ended.
void Pass::count(const Event& event) {
  const auto tally = [this](const model::Collection& of) -> Progress& {
    return tallies_.try_emplace(&of, Progress{phase_, of.name, 0, std::nullopt}).first->second;
  };
  if (const auto* const places = std::get_if<ListedPlaces>(&event)) {
    listed_[places->collection] += places->places.size();
    if (places->last) tally(*places->collection).rows_total = listed_[places->collection];
  } else if (const auto* const rows = std::get_if<FetchedRows>(&event)) {
    Progress& done = tally(*rows->collection);
    done.rows_done += rows->rows.size() + rows->missing.size() + rows->stored;
    // A skipped key of the odd ones is on no list.
    if (done.rows_total) done.rows_done = std::min(done.rows_done, *done.rows_total);
    if (request_.progress) request_.progress(done);
  }
}

// Lock, what stands at the path, the scope: all before the first request.
Result<void> Pass::prepare() {
  const bool replace = setup_.recovery.replace;
  if (!replace) TIDEMARK_TRY(cache::examine(setup_.cache));
  TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(setup_.cache, setup_.options.cache_mode));
  lock_.emplace(std::move(lock));
  stored_scope_ = setup_.recovery.scope;
  reason_ = setup_.recovery.reason;
  if (!replace) {
    TIDEMARK_ASSIGN(standing, cache::examine(setup_.cache));  // again, under the lock
    if (standing == cache::Standing::present) TIDEMARK_TRY(open_existing());
    if (standing == cache::Standing::missing) standing_generation_ = "";
  }
  TIDEMARK_ASSIGN(scope, resolve_scope(stored_scope_, setup_.config, request_));
  scope_ = scope;
  return {};
}

// The log is worth a request: nothing is known that needs everything to be read.
bool Pass::may_follow(const cache::Meta& meta) const {
  return !meta.capture.database_id.empty() && !meta.state.in_doubt && !meta.state.needs_repair &&
         meta.audit.missed.empty() && !request_.full && !setup_.audit && !setup_.recovery.mended;
}

Result<void> Pass::open_existing() {
  progress("open");
  // A file that can be read as it is may need no write; the open for writing repairs it.
  if (auto peeked = cache::peek_meta(setup_.cache)) {
    TIDEMARK_TRY(check_identity(peeked->identity, setup_.url));
    if (peeked->identity.format_version == cache::kFormatVersion && may_follow(*peeked)) {
      stored_scope_ = peeked->identity.scope;
      standing_generation_ = peeked->identity.generation;
      meta_ = std::move(*peeked);
      return {};
    }
  } else {
    TIDEMARK_ASSIGN(identity, cache::peek_identity(setup_.cache));
    if (identity) TIDEMARK_TRY(check_identity(*identity, setup_.url));
  }
  TIDEMARK_ASSIGN(writer, cache::Writer::open(setup_.cache, writer_options()));
  const cache::Meta& meta = writer.meta();
  TIDEMARK_TRY(check_identity(meta.identity, setup_.url));
  if (meta.state.needs_repair && !setup_.recovery.mended && !request_.full) {
    return fail(ErrorCode::corrupt, "a check found the cache damaged", cache::kRepairHint);
  }
  stored_scope_ = meta.identity.scope;
  standing_generation_ = meta.identity.generation;
  older_format_ = meta.identity.format_version < cache::kFormatVersion;
  if (older_format_) return std::move(writer).close();  // readable until it is replaced
  meta_ = meta;
  writer_.emplace(std::move(writer));
  return {};
}

Result<cache::Writer*> Pass::writer() {
  if (!writer_) {
    TIDEMARK_ASSIGN(writer, cache::Writer::open(setup_.cache, writer_options()));
    writer_.emplace(std::move(writer));
  }
  return &*writer_;
}

cache::WriterOptions Pass::writer_options() const {
  cache::WriterOptions options;
  options.page_cache_bytes = setup_.options.page_cache_bytes;
  options.file_mode = setup_.options.cache_mode;
  options.fail_after_operations = setup_.fail_after_operations;
  options.keep_going = [this] { return !stop_.stop_requested(); };
  return options;
}

Result<void> Pass::connect() {
  turso::ConnectOptions options = connect_options(setup_);
  if (meta_) options.traits.text = meta_->identity.server_traits;
  TIDEMARK_ASSIGN(connection, setup_.connect(setup_.url, std::move(options)));
  connection_ = std::move(connection);
  return {};
}

Result<void> Pass::synchronize() {
  TIDEMARK_TRY(connect());
  const std::stop_callback wake(stop_, [this] { connection_->wake(); });
  TIDEMARK_ASSIGN(held, connection_->hold_snapshot());
  held_snapshot_ = held;
  Fetcher fetcher(*connection_, setup_.config, deadline_, stop_, *setup_.clock);
  if (setup_.in_step) fetcher.keep_in_step();
  if (meta_ && may_follow(*meta_) && scope_ == meta_->identity.scope) {
    progress("changes");
    report_.mode = to_string(Mode::delta);
    const model::Catalog catalog = meta_->catalog.catalog;
    TIDEMARK_ASSIGN(followed, follow(catalog, fetcher));
    if (followed == Followed::caught_up) {
      const cache::AuditRecord last = (writer_ ? writer_->meta() : *meta_).audit;
      if (const auto why = why_audit(last, checked_at_, setup_.config)) return audit(*why, fetcher);
      TIDEMARK_TRY(close_writer());
      pack();
      return {};
    }
  }
  return read_everything(fetcher);
}

Result<void> Pass::read_everything(Fetcher& fetcher) {
  progress("discover");
  std::optional<model::Catalog> known;
  if (meta_) known = meta_->catalog.catalog;
  TIDEMARK_ASSIGN(discovered, discover(fetcher, known));
  const model::Catalog& catalog = discovered.catalog;
  source_has_log_ = discovered.has_log;
  if (discovered.has_log) TIDEMARK_TRY(guard_by_capture(catalog, fetcher));
  if (!held_snapshot_ && !capture_) {
    fetcher.set_guard(std::make_shared<SchemaGuard>(catalog.fingerprint));
  }
  plan_ = make_plan(known, catalog, older_format_, request_.full, scope_, other_database_);
  explain_plan(catalog);
  if (setup_.audit && plan_.mode != Mode::scan) {
    return fail(ErrorCode::needs_repair, "the cache cannot be compared: " + plan_.reason,
                "run `tidemark sync`");
  }
  return plan_.mode == Mode::fill ? fill(catalog, fetcher) : finish_in_place(catalog, fetcher);
}

// Everything is to be read: from the log's head on, when there is a log that can be trusted.
Result<void> Pass::guard_by_capture(const model::Catalog& catalog, Fetcher& fetcher) {
  TIDEMARK_ASSIGN(results, fetcher.ask_each(source::guard_statements({})));
  TIDEMARK_ASSIGN(guard, source::read_guard(results));
  if (guard.schema != catalog.fingerprint) {
    return fail(ErrorCode::unavailable, "the tables of the source changed during the pass",
                "run `tidemark sync` again");
  }
  const std::string followed = meta_ ? meta_->capture.database_id : std::string();
  other_database_ =
      !followed.empty() && !guard.database_id.empty() && guard.database_id != followed;
  auto trouble = capture_trouble(guard, catalog, scope_);
  if (!trouble && meta_) trouble = missed_before(meta_->audit, guard, catalog, scope_);
  if (trouble) {
    report_.notes.push_back("every pass reads the whole scope: " + *trouble);
    if (reason_.empty()) untrusted_ = "the change log cannot be followed: " + *trouble;
    return {};
  }
  behind_ = meta_ && source::is_behind(guard_state(*meta_), guard);
  capture_ = std::make_shared<CaptureGuard>(guard.schema, state_at_head(guard));
  if (!held_snapshot_) fetcher.set_guard(capture_);
  return {};
}

void Pass::explain_plan(const model::Catalog& catalog) {
  const bool scan = plan_.mode == Mode::scan;
  if (scan && capture_) {
    plan_.reason = meta_->capture.database_id.empty() ? "change capture was installed"
                   : setup_.recovery.mended           ? "the cache is being repaired"
                   : setup_.audit                     ? "the cache is compared with the source"
                                                      : "the scope is another one";
  }
  if (scan && meta_ && meta_->state.in_doubt && !meta_->doubt.empty()) plan_.reason = meta_->doubt;
  if (scan && !untrusted_.empty()) plan_.reason = untrusted_;
  if (!reason_.empty()) plan_.reason = reason_;
  report_.mode = to_string(scan && capture_ ? Mode::reconcile : plan_.mode);
  report_.reason = plan_.reason;
  report_.notes.insert(report_.notes.begin(), catalog.notes.begin(), catalog.notes.end());
  report_.roles = describe_roles(catalog);
}

turso::ConnectOptions connect_options(const EngineSetup& setup) {
  turso::ConnectOptions options;
  options.token = setup.options.token;
  options.ca_file = setup.options.ca_file;
  options.request_timeout = setup.config.request_deadline;
  options.max_in_flight = setup.config.max_concurrent_fetches;
  return options;
}

Result<SyncReport> run_pass(const EngineSetup& setup, std::stop_token stop,
                            const SyncRequest& request) {
  return Pass(setup, std::move(stop), request).run();
}

}  // namespace tidemark::sync
