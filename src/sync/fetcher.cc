#include "sync/fetcher.h"

#include <algorithm>

#include "source/exact.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Looks at the stop token and the deadlines at least this often; wake() ends a poll sooner.
constexpr std::chrono::milliseconds kPollStep{250};

// Rows that a range may have: a quarter more than are wanted.
std::size_t rows_of_range(std::size_t keys) { return keys + keys / 4 + 16; }

constexpr std::string_view kOverLimit = "MAX_ROWS_READ_PER_PASS";

std::uint64_t rows_of(const turso::BatchReply& reply) {
  std::uint64_t rows = 0;
  for (const model::RowSet& result : reply.results) rows += result.size();
  return rows;
}

bool may_pass(const Error& error) { return error.code == ErrorCode::unavailable; }

}  // namespace

Result<model::RowSet> joined(std::vector<model::RowSet> results) {
  if (results.empty()) return turso::unexpected_reply("rows");
  model::RowSet rows = std::move(results[0]);
  for (std::size_t i = 1; i < results.size(); ++i) {
    if (results[i].columns().size() != rows.columns().size()) {
      return turso::unexpected_reply("rows");
    }
    rows.append(std::move(results[i]));
  }
  return rows;
}

bool is_over_limit(const Error& error) { return error.source_text == kOverLimit; }

struct Fetcher::Work {
  const model::Collection& collection;
  const RowsSink& sink;
  Learned& learned;
  bool adjacent;                // and an index allows ranges
  std::span<const Value> left;  // not yet in a page
  std::deque<Page> again;       // to be tried again or halved
  std::map<turso::Ticket, Page> in_flight;
  std::size_t decoding = 0;  // replied, and not yet settled

  [[nodiscard]] bool done() const {
    return left.empty() && again.empty() && in_flight.empty() && decoding == 0;
  }
};

Fetcher::Fetcher(turso::Connection& connection, const SyncConfig& config, SteadyTime deadline,
                 const std::stop_token& stop, const base::Clock& clock)
    : connection_(connection),
      config_(config),
      clock_(clock),
      deadline_(deadline),
      on_stop_(stop, [this] { abandoned_.request_stop(); }),
      backoff_{kRetryFirst, kRetryCap},
      random_(
          static_cast<std::minstd_rand::result_type>(clock.steady().time_since_epoch().count())) {}

void Fetcher::abandon() {
  abandoned_.request_stop();
  connection_.wake();
}

Result<void> Fetcher::check_time() const {
  if (abandoned_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  if (clock_.steady() >= deadline_) {
    return fail(ErrorCode::unavailable, "the pass did not end before its deadline",
                "raise --deadline, or check the connection to the source");
  }
  return {};
}

std::optional<std::uint64_t> Fetcher::rows_left() const {
  const std::uint64_t max = config_.max_rows_read_per_pass;
  if (max == 0) return std::nullopt;
  return max - std::min(max, counts_.rows_spent);
}

Result<void> Fetcher::afford(std::uint64_t rows) const {
  const auto left = rows_left();
  if (!left || rows <= *left) return {};
  return fail(ErrorCode::invalid,
              "the pass would have the source read about " +
                  std::to_string(counts_.rows_spent + rows) + " rows or more, beyond " +
                  "max_rows_read_per_pass = " + std::to_string(config_.max_rows_read_per_pass),
              "raise max_rows_read_per_pass, keep fewer episodes (--max-episodes-cache N "
              "--set-scope), or `tidemark capture install`, so that a pass reads only what "
              "changed; `tidemark sync --dry-run` prices it",
              std::string(kOverLimit));
}

SteadyTime Fetcher::request_deadline() const {
  return std::min(deadline_, clock_.steady() + config_.request_deadline);
}

turso::Batch Fetcher::guarded(std::vector<turso::Statement> statements) const {
  if (!guard_) return {std::move(statements)};
  turso::Batch batch{guard_->statements()};
  std::ranges::move(statements, std::back_inserter(batch.statements));
  return batch;
}

Result<std::vector<model::RowSet>> Fetcher::take_each(turso::BatchReply reply) const {
  const std::size_t guards = guard_ ? guard_->statements().size() : 0;
  if (reply.results.size() <= guards) return turso::unexpected_reply("rows");
  if (guard_) TIDEMARK_TRY(guard_->check(std::span(reply.results).first(guards)));
  reply.results.erase(reply.results.begin(),
                      reply.results.begin() + static_cast<std::ptrdiff_t>(guards));
  return std::move(reply.results);
}

Result<turso::BatchReply> Fetcher::ask(const turso::Batch& batch) {
  for (std::uint32_t tries = 1;; ++tries) {
    TIDEMARK_TRY(check_time());
    TIDEMARK_TRY(afford(1));
    auto reply = turso::run(connection_, batch, request_deadline(), abandoned_.get_token());
    if (reply) {
      counts_.spend(reply->rows_read, rows_of(*reply));
      return reply;
    }
    if (!may_pass(reply.error()) || tries >= kTriesMax) {
      return std::unexpected(guard_ ? explain_guarded(std::move(reply).error())
                                    : std::move(reply).error());
    }
    TIDEMARK_TRY(pause(tries));
  }
}

Result<void> Fetcher::pause(std::uint32_t tries) {
  ++counts_.retries;
  const auto until = clock_.steady() + backoff_.delay(tries - 1, random_());
  while (clock_.steady() < until) {
    TIDEMARK_TRY(check_time());
    connection_.poll(std::min(until, clock_.steady() + kPollStep));
  }
  return {};
}

Result<model::RowSet> Fetcher::ask(std::vector<turso::Statement> statements) {
  TIDEMARK_ASSIGN(results, ask_each(std::move(statements)));
  return joined(std::move(results));
}

Result<std::vector<model::RowSet>> Fetcher::ask_each(std::vector<turso::Statement> statements) {
  TIDEMARK_ASSIGN(reply, ask(guarded(statements)));
  TIDEMARK_ASSIGN(results, take_each(std::move(reply)));
  if (results.size() != statements.size()) return turso::unexpected_reply("rows");
  if (std::ranges::none_of(results, &model::RowSet::inexact)) return std::move(results);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    statements[i] = source::exact_statement(statements[i], results[i].columns().size());
  }
  TIDEMARK_ASSIGN(again, ask(guarded(std::move(statements))));
  TIDEMARK_ASSIGN(exact, take_each(std::move(again)));
  for (model::RowSet& rows : exact) {
    TIDEMARK_ASSIGN(plain, source::read_exact(rows));
    rows = std::move(plain);
  }
  return std::move(exact);
}

turso::Batch Fetcher::page_batch(const model::Collection& collection, const Page& page) const {
  auto statements =
      page.as_range
          ? std::vector{source::range_statement(collection, page.keys.front(), page.keys.back(),
                                                rows_of_range(page.keys.size()))}
          : source::rows_statements(collection, page.keys);
  if (page.exact) {
    for (auto& statement : statements) {
      statement = source::exact_statement(statement, collection.columns.size());
    }
  }
  return guarded(std::move(statements));
}

void Fetcher::start_pages(Work& work) {
  const std::size_t by_bytes = std::max<std::size_t>(
      1, kInFlightBytesMax / std::max<std::size_t>(1, work.learned.sizer.expected_bytes()));
  // The first page tells how large the others may be.
  const std::size_t limit =
      work.learned.sizer.is_measured()
          ? std::min({connection_.capacity(), by_bytes,
                      static_cast<std::size_t>(config_.max_concurrent_fetches)})
          : 1;
  while (work.in_flight.size() + work.decoding < limit) {
    Page page;
    if (!work.again.empty() && work.again.front().not_before <= clock_.steady()) {
      page = std::move(work.again.front());
      work.again.pop_front();
    } else if (!work.left.empty()) {
      const std::size_t n = std::min(work.learned.sizer.rows(), work.left.size());
      page.keys.assign(work.left.begin(), work.left.begin() + static_cast<std::ptrdiff_t>(n));
      work.left = work.left.subspan(n);
      page.as_range = work.adjacent && !work.learned.scattered;
    } else {
      return;
    }
    page.started = clock_.steady();
    const auto ticket = connection_.start(page_batch(work.collection, page));
    work.in_flight.emplace(ticket, std::move(page));
  }
}

// Two pages of half the keys each.
void Fetcher::split(Work& work, Page page) {
  work.learned.sizer.too_large(page.keys.size());
  const auto middle = page.keys.begin() + static_cast<std::ptrdiff_t>(page.keys.size() / 2);
  Page second = page;
  second.keys.assign(middle, page.keys.end());
  page.keys.erase(middle, page.keys.end());
  work.again.push_back(std::move(page));
  work.again.push_back(std::move(second));
}

void Fetcher::take_completion(Work& work, turso::Completion completion) {
  auto found = work.in_flight.extract(completion.ticket);
  if (found.empty()) return;  // an abandoned attempt
  Finished finished;
  finished.page = std::move(found.mapped());
  finished.page.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() -
                                                                             finished.page.started);
  ++work.decoding;
  auto job = [this, &work, finished = std::move(finished),
              reply = std::move(completion.reply)]() mutable {
    auto decoded = reply();
    if (decoded) {
      decode(work, finished, std::move(*decoded));
    } else {
      finished.outcome = std::unexpected(std::move(decoded).error());
    }
    const std::lock_guard lock(finished_mutex_);
    finished_.push_back(std::move(finished));
  };
  if (connection_.capacity() == 1) return job();  // a file: its rows are there, decoded
  worker_.run([this, job = std::move(job)]() mutable {
    job();
    connection_.wake();
  });
}

// To the sink, unless something is wrong. On the worker's thread: touches nothing of the fetcher's
// that changes.
void Fetcher::decode(const Work& work, Finished& finished, turso::BatchReply reply) const {
  const std::uint64_t body = reply.body_bytes;
  finished.rows_read = reply.rows_read;
  finished.rows_came = rows_of(reply);
  const auto give = [&]() -> Result<void> {
    TIDEMARK_ASSIGN(results, take_each(std::move(reply)));
    TIDEMARK_ASSIGN(rows, joined(std::move(results)));
    finished.bytes = std::max<std::size_t>(body, rows.bytes());
    if (finished.page.exact) {
      TIDEMARK_ASSIGN(exact, source::read_exact(rows));
      rows = std::move(exact);
    } else if (rows.inexact()) {
      finished.inexact = true;
      return {};
    }
    if (finished.page.as_range && rows.size() >= rows_of_range(finished.page.keys.size())) {
      finished.scattered = true;
      return {};
    }
    TIDEMARK_ASSIGN(records,
                    source::read_rows(work.collection, finished.page.keys, std::move(rows)));
    return work.sink(finished.page.keys, std::move(records));
  };
  finished.outcome = give();
}

Result<void> Fetcher::settle_finished(Work& work) {
  std::deque<Finished> finished;
  {
    const std::lock_guard lock(finished_mutex_);
    finished.swap(finished_);
  }
  for (Finished& page : finished) {
    --work.decoding;
    TIDEMARK_TRY(settle(work, std::move(page)));
  }
  return {};
}

Result<void> Fetcher::settle(Work& work, Finished finished) {
  Page& page = finished.page;
  counts_.spend(finished.rows_read, finished.rows_came);
  if (finished.outcome) {
    ++counts_.pages;
    work.learned.sizer.measured(page.keys.size(), finished.bytes, page.took);
    if (!finished.inexact && !finished.scattered) return {};
    page.exact = page.exact || finished.inexact;
    page.as_range = page.as_range && !finished.scattered;
    work.learned.scattered = work.learned.scattered || finished.scattered;
    work.again.push_back(std::move(page));
    return {};
  }
  const Error& error = finished.outcome.error();
  if (turso::is_too_large(error) && page.keys.size() == 1) {
    model::RecordPage skipped;
    skipped.skipped.push_back({work.collection.name, model::key_text(page.keys[0]),
                               "the row is too large for the source to send"});
    return work.sink(page.keys, std::move(skipped));
  }
  if (turso::is_too_large(error)) {
    split(work, std::move(page));
    return {};
  }
  if (!may_pass(error) || ++page.tries >= kTriesMax) {
    return wrap("fetch " + work.collection.name,
                explain_guarded(std::move(finished.outcome).error()));
  }
  ++counts_.retries;
  page.not_before = clock_.steady() + backoff_.delay(page.tries - 1, random_());
  if (turso::is_timeout(error) && page.keys.size() > 1) {
    split(work, std::move(page));
  } else {
    work.again.push_back(std::move(page));
  }
  return {};
}

Result<void> Fetcher::rows(const model::Collection& collection, std::span<const Value> keys,
                           Keys lie, const RowsSink& sink) {
  TIDEMARK_TRY(afford(keys.size()));
  Learned& learned =
      learned_.try_emplace(collection.name, PageSizer(static_cast<std::size_t>(config_.batch_size)))
          .first->second;
  const bool adjacent = lie == Keys::adjacent && collection.access.key_index;
  Work work{collection, sink, learned, adjacent, keys, {}, {}};
  Result<void> outcome;
  while (outcome && !work.done()) {
    outcome = check_time();
    if (!outcome) break;
    start_pages(work);
    auto completion = connection_.poll(std::min(request_deadline(), clock_.steady() + kPollStep));
    if (completion) take_completion(work, std::move(*completion));
    outcome = settle_finished(work);
  }
  if (!outcome) connection_.cancel_all();
  worker_.drain();  // nothing of this call is in use any more
  finished_.clear();
  return outcome;
}

}  // namespace tidemark::sync
