// Requests of one pass: guarded by the schema, tried again within bounds, pages of rows in
// parallel.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "model/collection.h"
#include "model/record.h"
#include "source/source.h"
#include "sync/page_sizer.h"
#include "sync/request_guard.h"
#include "sync/worker.h"
#include "tidemark/config.h"
#include "turso/connection.h"

namespace tidemark::sync {

// Plain counters of a pass.
struct FetchCounts {
  std::uint64_t pages = 0;
  std::uint64_t retries = 0;
  std::optional<std::uint64_t> rows_read;
  // What counts against max_rows_read_per_pass: of each reply what the server says, or the rows
  // that came where these are more (some servers say 0).
  std::uint64_t rows_spent = 0;

  void spend(const std::optional<std::uint64_t>& read, std::uint64_t came) {
    rows_spent += std::max(read.value_or(0), came);
    add_rows_read(read);
  }
  void add_rows_read(const std::optional<std::uint64_t>& read) {
    if (read) rows_read = rows_read.value_or(0) + *read;
  }
};

// The error of a pass that would exceed max_rows_read_per_pass.
[[nodiscard]] bool is_over_limit(const Error& error);

// The rows of statements of one form, one after the other.
[[nodiscard]] Result<model::RowSet> joined(std::vector<model::RowSet> results);

// How keys lie among those of their table. Adjacent ones are sorted (sort_by_key()), and few rows
// that are not wanted lie between them: their rows are read as ranges, where an index allows it.
enum class Keys : std::uint8_t { scattered, adjacent };

// A page of rows with the keys that were asked for.
using RowsSink =
    std::function<Result<void>(const std::vector<Value>& keys, model::RecordPage page)>;

// One thread uses it; pages from a server are decoded, and given to the sink, on a second one, so
// that the next replies are read from the network meanwhile. Errors of every call: the
// connection's, after kTriesMax tries of what may pass; cancelled; unavailable at the pass's
// deadline or when the schema changed under the pass; is_over_limit().
class Fetcher {
 public:
  Fetcher(turso::Connection& connection, const SyncConfig& config,
          std::chrono::steady_clock::time_point deadline, const std::stop_token& stop,
          const base::Clock& clock = base::machine_clock());

  // From any thread: every call, the one that runs too, ends with `cancelled`.
  void abandon();

  // From now on each reply must pass it. Null: no guard.
  void set_guard(std::shared_ptr<RequestGuard> guard) { guard_ = std::move(guard); }
  // From now on transfer() has what was fetched applied before more is asked for.
  void keep_in_step() { in_step_ = true; }
  [[nodiscard]] bool in_step() const { return in_step_; }
  // Rows that the source may still read in this pass; nothing: any number.
  [[nodiscard]] std::optional<std::uint64_t> rows_left() const;
  // Refuses what would read about so many rows more than it may.
  [[nodiscard]] Result<void> afford(std::uint64_t rows) const;
  // Waits before the try after `tries` that came to nothing.
  [[nodiscard]] Result<void> pause(std::uint32_t tries);

  // One unguarded batch.
  [[nodiscard]] Result<turso::BatchReply> ask(const turso::Batch& batch);
  // Guarded statements of one form, in one transaction; their rows, one after the other.
  [[nodiscard]] Result<model::RowSet> ask(std::vector<turso::Statement> statements);
  // Guarded statements of any form, in one transaction; the rows of each.
  [[nodiscard]] Result<std::vector<model::RowSet>> ask_each(
      std::vector<turso::Statement> statements);
  // The rows of `keys`, in pages, several in flight; `sink` gets each page once, in any order,
  // maybe from two threads at once. A row too large even alone is skipped. Keys that are called
  // adjacent and are not cost a page more.
  [[nodiscard]] Result<void> rows(const model::Collection& collection, std::span<const Value> keys,
                                  Keys lie, const RowsSink& sink);
  [[nodiscard]] const FetchCounts& counts() const { return counts_; }

 private:
  struct Page {
    std::vector<Value> keys;
    std::uint32_t tries = 0;
    bool exact = false;     // ask in the form that loses nothing
    bool as_range = false;  // ask for all from the first key to the last
    std::chrono::steady_clock::time_point not_before{};
    std::chrono::steady_clock::time_point started{};
    std::chrono::milliseconds took{};
  };
  // What came of a page's reply.
  struct Finished {
    Page page;
    Result<void> outcome;
    std::size_t bytes = 0;
    std::optional<std::uint64_t> rows_read;
    std::uint64_t rows_came = 0;
    bool inexact = false;    // to be asked again in the exact form
    bool scattered = false;  // to be asked again by key
  };
  struct Work;
  // What pages of a collection told.
  struct Learned {
    PageSizer sizer;
    bool scattered = false;
  };

  [[nodiscard]] Result<void> check_time() const;
  [[nodiscard]] turso::Batch guarded(std::vector<turso::Statement> statements) const;
  [[nodiscard]] Result<std::vector<model::RowSet>> take_each(turso::BatchReply reply) const;
  [[nodiscard]] turso::Batch page_batch(const model::Collection& collection,
                                        const Page& page) const;
  [[nodiscard]] std::chrono::steady_clock::time_point request_deadline() const;
  void start_pages(Work& work);
  void take_completion(Work& work, turso::Completion completion);
  void decode(const Work& work, Finished& finished, turso::BatchReply reply) const;
  [[nodiscard]] Result<void> settle_finished(Work& work);
  [[nodiscard]] Result<void> settle(Work& work, Finished finished);
  void split(Work& work, Page page);

  turso::Connection& connection_;
  const SyncConfig& config_;
  const base::Clock& clock_;
  const std::chrono::steady_clock::time_point deadline_;
  std::stop_source abandoned_;  // by abandon(), or by the pass's own stop
  const std::stop_callback<std::function<void()>> on_stop_;
  const base::Backoff backoff_;
  std::minstd_rand random_;  // jitter; seeded by the clock, so that a stepped one repeats it
  std::shared_ptr<RequestGuard> guard_;
  bool in_step_ = false;
  FetchCounts counts_;
  std::map<std::string, Learned> learned_;  // by collection
  std::mutex finished_mutex_;
  std::deque<Finished> finished_;
  Worker worker_;  // last: it ends before what its jobs use
};

}  // namespace tidemark::sync
