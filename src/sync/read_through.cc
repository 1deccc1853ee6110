#include "tidemark/read_through.h"

#include <condition_variable>
#include <mutex>

#include "cache/meta_store.h"
#include "cache/read_handle.h"
#include "cache/read_stats.h"
#include "sync/plan.h"
#include "sync/source_reader.h"

namespace tidemark {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kDeadlineMin{100};
constexpr std::chrono::milliseconds kDeadlineMax{600'000};

Result<void> check_deadline(std::chrono::milliseconds deadline) {
  if (deadline >= kDeadlineMin && deadline <= kDeadlineMax) return {};
  return fail(ErrorCode::invalid,
              "the deadline for the source is " + std::to_string(deadline.count()) + " ms",
              "allowed: " + std::to_string(kDeadlineMin.count()) + " to " +
                  std::to_string(kDeadlineMax.count()) + " ms");
}

// The rows of hits are moved out of their look-ups.
void take(Answer& answer, std::vector<Lookup> found) {
  answer.presence = found.front().presence();
  for (Lookup& lookup : found) {
    if (lookup) answer.rows.push_back(std::move(lookup).row());
  }
}

}  // namespace

std::string_view to_string(Origin origin) { return origin == Origin::cache ? "cache" : "source"; }

struct ReadThrough::Impl {
  Impl(const std::string& cache, ReadThroughOptions given, turso::SourceUrl from)
      : options(std::move(given)),
        handle(cache, options.reader),
        stats(cache),
        url(std::move(from)) {}

  // The cache's word, and of that commit all that the answer needs.
  Result<Answer> look(std::string_view collection, std::string_view key) {
    TIDEMARK_ASSIGN(view, handle.view());
    TIDEMARK_ASSIGN(freshness, cache::freshness_of(view, options.reader));
    TIDEMARK_ASSIGN(found, cache::lookup_all(view, collection, key));
    Answer answer;
    answer.as_of = freshness.checked_at;
    answer.freshness = std::move(freshness);
    take(answer, std::move(found));
    stats.count(answer.presence);
    return answer;
  }

  [[nodiscard]] bool may_answer(const Freshness& freshness) const {
    return options.reader.when_stale == StalePolicy::serve ||
           freshness.state == FreshnessState::fresh;
  }

  // What the cache knows of the source saves asking for it.
  Result<void> connect() {
    if (source) return {};
    TIDEMARK_ASSIGN(view, handle.view());
    TIDEMARK_ASSIGN(identity, cache::load_identity(view.txn));
    turso::ConnectOptions connect;
    connect.token = options.token;
    connect.ca_file = options.ca_file;
    connect.request_timeout = options.deadline;
    connect.traits.text = identity.server_traits;
    TIDEMARK_ASSIGN(connection, turso::connect(url, std::move(connect)));
    source.emplace(std::move(connection), view.catalog->catalog);
    return {};
  }

  Result<void> ask(std::string_view collection, std::string_view key, std::stop_token stop,
                   Answer& answer) {
    const sync::AskLimits limits{SteadyClock::now() + options.deadline, std::move(stop)};
    std::unique_lock lock(mutex);
    if (!turn.wait_until(lock, limits.stop, limits.deadline, [this] { return !asking; })) {
      if (limits.stop.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
      return fail(ErrorCode::unavailable, "the source is busy with other questions of this process",
                  "allow a longer deadline, or ask from fewer threads");
    }
    asking = true;
    lock.unlock();
    auto outcome = ask_alone(collection, key, limits, answer);
    lock.lock();
    asking = false;
    lock.unlock();
    turn.notify_one();
    return outcome;
  }

  Result<void> ask_alone(std::string_view collection, std::string_view key,
                         const sync::AskLimits& limits, Answer& answer) {
    TIDEMARK_TRY(connect());
    const std::stop_callback wake(limits.stop, [this] { source->wake(); });
    answer.origin = Origin::source;
    answer.as_of = std::chrono::system_clock::now();
    TIDEMARK_ASSIGN(rows, source->get(collection, key, limits));
    answer.rows = rows ? std::move(*rows) : std::vector<Row>{};
    answer.presence = answer.rows.empty() ? Presence::absent : Presence::hit;
    return {};
  }

  const ReadThroughOptions options;
  cache::ReadHandle handle;
  cache::ReadStats stats;
  const turso::SourceUrl url;
  std::mutex mutex;  // with turn: guards asking
  std::condition_variable_any turn;
  bool asking = false;
  std::optional<sync::SourceReader> source;  // whoever set `asking` has it
};

ReadThrough::ReadThrough(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ReadThrough::ReadThrough(ReadThrough&&) noexcept = default;
ReadThrough& ReadThrough::operator=(ReadThrough&&) noexcept = default;
ReadThrough::~ReadThrough() = default;

Result<ReadThrough> ReadThrough::open(const std::string& source, const std::string& cache,
                                      ReadThroughOptions options) {
  TIDEMARK_TRY(check_deadline(options.deadline));
  TIDEMARK_ASSIGN(url, turso::parse_source_url(source));
  auto impl = std::make_unique<Impl>(cache, std::move(options), std::move(url));
  TIDEMARK_ASSIGN(view, impl->handle.view());
  TIDEMARK_ASSIGN(identity, cache::load_identity(view.txn));
  TIDEMARK_TRY(sync::check_identity(identity, impl->url));
  return ReadThrough(std::move(impl));
}

Result<Answer> ReadThrough::get(std::string_view collection, std::string_view key,
                                std::stop_token stop) const {
  TIDEMARK_ASSIGN(answer, impl_->look(collection, key));
  if (answer.presence != Presence::unknown && impl_->may_answer(answer.freshness)) {
    return std::move(answer);
  }
  answer.rows.clear();
  TIDEMARK_TRY(impl_->ask(collection, key, std::move(stop), answer));
  return std::move(answer);
}

Result<Answer> ReadThrough::cached(std::string_view collection, std::string_view key) const {
  return impl_->look(collection, key);
}

}  // namespace tidemark
