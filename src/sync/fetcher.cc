#include "sync/fetcher.h"

#include <algorithm>

#include "source/exact.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using Clock = std::chrono::steady_clock;

// Looks at the stop token and the deadlines at least this often; wake() ends a poll sooner.
constexpr std::chrono::milliseconds kPollStep{250};

bool may_pass(const Error& error) { return error.code == ErrorCode::unavailable; }

}  // namespace

struct Fetcher::Work {
  const model::Collection& collection;
  const RowsSink& sink;
  PageSizer& sizer;
  std::span<const Value> left;  // not yet in a page
  std::deque<Page> again;       // to be tried again or halved
  std::map<turso::Ticket, Page> in_flight;

  [[nodiscard]] bool done() const { return left.empty() && again.empty() && in_flight.empty(); }
};

Fetcher::Fetcher(turso::Connection& connection, const SyncConfig& config,
                 Clock::time_point deadline, std::stop_token stop)
    : connection_(connection),
      config_(config),
      deadline_(deadline),
      stop_(std::move(stop)),
      backoff_{kRetryFirst, kRetryCap},
      random_(std::random_device{}()) {}

Result<void> Fetcher::check_time() const {
  if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
  if (Clock::now() >= deadline_) {
    return fail(ErrorCode::unavailable, "the pass did not end before its deadline",
                "raise --deadline, or check the connection to the source");
  }
  return {};
}

Clock::time_point Fetcher::request_deadline() const {
  return std::min(deadline_, Clock::now() + config_.request_deadline);
}

turso::Batch Fetcher::guarded(std::vector<turso::Statement> statements) const {
  if (!fingerprint_.empty()) statements.insert(statements.begin(), source::schema_statement());
  return {std::move(statements)};
}

Result<model::RowSet> Fetcher::take_rows(turso::BatchReply reply) {
  const std::size_t guards = fingerprint_.empty() ? 0 : 1;
  if (reply.results.size() <= guards) return turso::unexpected_reply("rows");
  if (guards > 0 && source::fingerprint(reply.results[0]) != fingerprint_) {
    schema_changed_ = true;
    return fail(ErrorCode::unavailable, "the tables of the source changed during the pass",
                "run `tidemark sync` again");
  }
  if (reply.rows_read) counts_.rows_read = counts_.rows_read.value_or(0) + *reply.rows_read;
  model::RowSet rows = std::move(reply.results[guards]);
  for (std::size_t i = guards + 1; i < reply.results.size(); ++i) {
    if (reply.results[i].columns().size() != rows.columns().size()) {
      return turso::unexpected_reply("rows");
    }
    rows.append(std::move(reply.results[i]));
  }
  return rows;
}

Result<turso::BatchReply> Fetcher::ask(const turso::Batch& batch) {
  for (std::uint32_t tries = 1;; ++tries) {
    TIDEMARK_TRY(check_time());
    auto reply = turso::run(connection_, batch, request_deadline(), stop_);
    if (reply || !may_pass(reply.error()) || tries >= kTriesMax) return reply;
    ++counts_.retries;
    const auto until = Clock::now() + backoff_.delay(tries - 1, random_());
    while (Clock::now() < until) {
      TIDEMARK_TRY(check_time());
      connection_.poll(std::min(until, Clock::now() + kPollStep));
    }
  }
}

Result<model::RowSet> Fetcher::ask(turso::Statement statement) {
  std::vector<turso::Statement> statements;
  statements.push_back(std::move(statement));
  return ask(std::move(statements));
}

Result<model::RowSet> Fetcher::ask(std::vector<turso::Statement> statements) {
  TIDEMARK_ASSIGN(reply, ask(guarded(statements)));
  TIDEMARK_ASSIGN(rows, take_rows(std::move(reply)));
  if (!rows.inexact()) return std::move(rows);
  for (auto& statement : statements) {
    statement = source::exact_statement(statement, rows.columns().size());
  }
  TIDEMARK_ASSIGN(again, ask(guarded(std::move(statements))));
  TIDEMARK_ASSIGN(exact, take_rows(std::move(again)));
  return source::read_exact(exact);
}

turso::Batch Fetcher::page_batch(const model::Collection& collection, const Page& page) const {
  auto statements = source::rows_statements(collection, page.keys);
  if (page.exact) {
    for (auto& statement : statements) {
      statement = source::exact_statement(statement, collection.columns.size());
    }
  }
  return guarded(std::move(statements));
}

void Fetcher::start_pages(Work& work) {
  const std::size_t by_bytes = std::max<std::size_t>(
      1, kInFlightBytesMax / std::max<std::size_t>(1, work.sizer.expected_bytes()));
  const std::size_t limit = std::min(
      {connection_.capacity(), by_bytes, static_cast<std::size_t>(config_.max_concurrent_fetches)});
  while (work.in_flight.size() < limit) {
    Page page;
    if (!work.again.empty() && work.again.front().not_before <= Clock::now()) {
      page = std::move(work.again.front());
      work.again.pop_front();
    } else if (!work.left.empty()) {
      const std::size_t n = std::min(work.sizer.rows(), work.left.size());
      page.keys.assign(work.left.begin(), work.left.begin() + static_cast<std::ptrdiff_t>(n));
      work.left = work.left.subspan(n);
    } else {
      return;
    }
    page.started = Clock::now();
    const auto ticket = connection_.start(page_batch(work.collection, page));
    work.in_flight.emplace(ticket, std::move(page));
  }
}

// Two pages of half the keys each.
void Fetcher::split(Work& work, Page page) {
  work.sizer.too_large(page.keys.size());
  const auto middle = page.keys.begin() + static_cast<std::ptrdiff_t>(page.keys.size() / 2);
  Page first{{page.keys.begin(), middle}, page.tries, page.exact, {}, {}};
  Page second{{middle, page.keys.end()}, page.tries, page.exact, {}, {}};
  work.again.push_back(std::move(first));
  work.again.push_back(std::move(second));
}

Result<void> Fetcher::finish_page(Work& work, Page page, Result<turso::BatchReply> reply) {
  if (!reply && turso::is_too_large(reply.error())) {
    if (page.keys.size() > 1) {
      split(work, std::move(page));
      return {};
    }
    model::RecordPage skipped;
    skipped.skipped.push_back({work.collection.name, model::key_text(page.keys[0]),
                               "the row is too large for the source to send"});
    return work.sink(page.keys, std::move(skipped));
  }
  if (!reply && may_pass(reply.error()) && ++page.tries < kTriesMax) {
    ++counts_.retries;
    page.not_before = Clock::now() + backoff_.delay(page.tries - 1, random_());
    if (turso::is_timeout(reply.error()) && page.keys.size() > 1) {
      split(work, std::move(page));
    } else {
      work.again.push_back(std::move(page));
    }
    return {};
  }
  if (!reply) return wrap("fetch " + work.collection.name, std::move(reply).error());
  return take_page(work, std::move(page), std::move(*reply));
}

Result<void> Fetcher::take_page(Work& work, Page page, turso::BatchReply reply) {
  const std::uint64_t body = reply.body_bytes;
  TIDEMARK_ASSIGN(rows, take_rows(std::move(reply)));
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - page.started);
  work.sizer.measured(page.keys.size(), std::max<std::size_t>(body, rows.bytes()), took);
  ++counts_.pages;
  if (page.exact) {
    TIDEMARK_ASSIGN(exact, source::read_exact(rows));
    rows = std::move(exact);
  } else if (rows.inexact()) {
    page.exact = true;
    work.again.push_back(std::move(page));
    return {};
  }
  TIDEMARK_ASSIGN(records, source::read_rows(work.collection, page.keys, std::move(rows)));
  return work.sink(page.keys, std::move(records));
}

Result<void> Fetcher::rows(const model::Collection& collection, std::span<const Value> keys,
                           const RowsSink& sink) {
  PageSizer& sizer =
      sizers_.try_emplace(collection.name, static_cast<std::size_t>(config_.batch_size))
          .first->second;
  Work work{collection, sink, sizer, keys, {}, {}};
  Result<void> outcome;
  while (outcome && !work.done()) {
    outcome = check_time();
    if (!outcome) break;
    start_pages(work);
    auto completion = connection_.poll(std::min(request_deadline(), Clock::now() + kPollStep));
    if (!completion) continue;
    auto page = work.in_flight.extract(completion->ticket);
    if (page.empty()) continue;  // an abandoned attempt
    outcome = finish_page(work, std::move(page.mapped()), std::move(completion->reply));
  }
  if (!outcome) connection_.cancel_all();
  return outcome;
}

}  // namespace tidemark::sync
