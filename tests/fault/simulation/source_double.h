// The connection of a simulated pass: real SQL on the real database, in bad weather.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "tests/fault/simulation/clock.h"
#include "tests/fault/simulation/operations.h"
#include "tests/fault/simulation/plants.h"
#include "turso/connection.h"

namespace tidemark::simulation {

// What a pass meets. A count n means "one request in n"; 0: none.
struct Weather {
  bool held = true;          // one snapshot for the whole pass, as of a file
  std::size_t capacity = 1;  // requests in flight
  std::size_t unavailable = 0;
  std::size_t lost = 0;                  // no reply until the deadline
  std::size_t delayed = 0;               // answered, but it arrives after others
  std::size_t repeated = 0;              // arrives twice
  std::size_t stale = 0;                 // answered by a replica that lags behind
  std::size_t writes = 0;                // the application writes between two requests
  std::optional<std::size_t> cancel_at;  // this request
  std::optional<std::size_t> kill_at;
  std::size_t reply_bytes_max = std::size_t{16} << 20U;

  [[nodiscard]] bool calm() const {
    return unavailable + lost + delayed + repeated + stale + writes == 0 && !cancel_at && !kill_at;
  }
  [[nodiscard]] std::string text() const;
};

struct Outside {
  StepClock& clock;
  std::function<void(Dice&)> write;  // one change of the source, on the pass's fetch thread
  std::function<void()> look;        // reads the caches that the pass leaves alone meanwhile
  std::function<void()> cancel;
  std::string replica;  // path of the lagging copy; empty: there is none
  Plant plant = Plant::none;
  PlantMemory* memory = nullptr;  // of the cache, across passes
};

// What a pass met, for the judges.
struct Met {
  std::size_t requests = 0;
  bool stale = false;    // some reply was the replica's
  bool trouble = false;  // some request failed or was held up
};

class SourceDouble final : public turso::Connection {
 public:
  // `met` outlives it.
  SourceDouble(turso::SourceUrl url, turso::ConnectOptions options, const Weather& weather,
               Outside outside, std::uint64_t seed, Met& met);

  [[nodiscard]] Result<void> open();
  turso::Ticket start(turso::Batch batch) override;
  std::optional<turso::Completion> poll(std::chrono::steady_clock::time_point deadline) override;
  void cancel_all() override;
  void wake() override;
  [[nodiscard]] std::size_t in_flight() const override { return queue_.size() + replies_.size(); }
  [[nodiscard]] std::size_t capacity() const override {
    return weather_.held ? 1 : weather_.capacity;
  }
  Result<bool> hold_snapshot() override;
  void release_snapshot() override;
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] turso::Usage usage() const override { return usage_; }
  [[nodiscard]] turso::ServerTraits traits() const override { return {}; }

 private:
  struct Request {
    turso::Ticket ticket;
    turso::Batch batch;
  };
  struct Reply {
    turso::Ticket ticket;
    std::shared_ptr<Result<turso::BatchReply>> reply;
    bool again = false;  // it has arrived before
  };

  bool one_in(std::size_t n) { return n > 0 && dice_.one_in(n); }
  bool wait_for_decoder();
  void serve(Request request);
  [[nodiscard]] Result<turso::BatchReply> answer(const turso::Batch& batch);
  [[nodiscard]] turso::Completion deliver(Reply reply);
  std::nullopt_t cancel();

  const turso::SourceUrl url_;
  turso::ConnectOptions options_;
  const Weather weather_;
  const Outside outside_;
  Dice dice_;
  Met& met_;
  std::shared_ptr<turso::Connection> inner_;
  std::unique_ptr<turso::Connection> replica_;
  turso::Ticket last_ticket_ = 0;
  std::deque<Request> queue_;
  std::deque<Reply> replies_;
  turso::Usage usage_;
  // The reply that was handed over: decoded by the poller itself, or on the engine's other thread,
  // which then wakes. The next step waits for it, so that a seed gives one history.
  std::shared_ptr<bool> decoded_here_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool woken_ = false;
  bool handed_over_ = false;
  // The pass is stopped before the reply is handed over, or after it was decoded: between the two
  // it would be a race whether the engine's other thread begins with it.
  bool cancel_is_due_ = false;
};

}  // namespace tidemark::simulation
