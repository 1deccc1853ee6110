#include "tests/fault/simulation/source_double.h"

#include <unistd.h>

#include <thread>

namespace tidemark::simulation {
namespace {

constexpr std::chrono::seconds kInnerMax{60};   // real time, for a small local file
constexpr std::chrono::seconds kDecodeMax{30};  // real time

std::chrono::steady_clock::time_point real_deadline() {
  return std::chrono::steady_clock::now() + kInnerMax;
}

}  // namespace

std::string Weather::text() const {
  std::string out = held ? "held" : "server x" + std::to_string(capacity);
  const auto add = [&out](const char* name, std::size_t n) {
    if (n > 0) out += std::string(", ") + name + " " + std::to_string(n);
  };
  add("unavailable", unavailable);
  add("lost", lost);
  add("delayed", delayed);
  add("repeated", repeated);
  add("stale", stale);
  add("writes", writes);
  if (cancel_at) out += ", cancelled at " + std::to_string(*cancel_at);
  if (kill_at) out += ", killed at " + std::to_string(*kill_at);
  add("reply bytes", reply_bytes_max >> 20U == 16 ? 0 : reply_bytes_max);
  return out;
}

SourceDouble::SourceDouble(turso::SourceUrl url, turso::ConnectOptions options,
                           const Weather& weather, Outside outside, std::uint64_t seed, Met& met)
    : url_(std::move(url)),
      options_(std::move(options)),
      weather_(weather),
      outside_(std::move(outside)),
      dice_(seed),
      met_(met) {}

Result<void> SourceDouble::open() {
  options_.reply_bytes_max = weather_.reply_bytes_max;
  const bool keeps = outside_.plant == Plant::keeps_old_file && outside_.memory != nullptr;
  if (keeps && outside_.memory->kept) {
    inner_ = outside_.memory->kept;
  } else {
    TIDEMARK_ASSIGN(inner, turso::connect(url_, options_));
    inner_ = std::move(inner);
  }
  if (keeps) outside_.memory->kept = inner_;
  if (outside_.replica.empty()) return {};
  turso::SourceUrl replica = url_;
  replica.path = outside_.replica;
  TIDEMARK_ASSIGN(other, turso::connect(replica, options_));
  replica_ = std::move(other);
  return {};
}

Result<bool> SourceDouble::hold_snapshot() {
  if (outside_.plant == Plant::claims_a_snapshot) return true;
  if (outside_.plant == Plant::keeps_old_file && outside_.memory != nullptr) return weather_.held;
  if (!weather_.held) return false;
  return inner_->hold_snapshot();
}

void SourceDouble::release_snapshot() { inner_->release_snapshot(); }

turso::Ticket SourceDouble::start(turso::Batch batch) {
  queue_.push_back({++last_ticket_, std::move(batch)});
  return last_ticket_;
}

void SourceDouble::cancel_all() {
  queue_.clear();
  replies_.clear();
  handed_over_ = false;
}

void SourceDouble::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wakes_.notify_all();
}

// True: the engine is to look about itself before anything else happens.
bool SourceDouble::wait_for_decoder() {
  std::unique_lock lock(mutex_);
  const bool elsewhere = handed_over_ && !*decoded_here_;
  handed_over_ = false;
  if (elsewhere) wakes_.wait_for(lock, kDecodeMax, [this] { return woken_; });
  return std::exchange(woken_, false);
}

std::nullopt_t SourceDouble::cancel() {
  cancel_is_due_ = false;
  outside_.cancel();
  return std::nullopt;
}

std::optional<turso::Completion> SourceDouble::poll(
    std::chrono::steady_clock::time_point deadline) {
  if (wait_for_decoder()) return std::nullopt;
  if (cancel_is_due_) return cancel();
  if (queue_.empty() && replies_.empty()) {
    outside_.clock.advance_to(deadline);
    return std::nullopt;
  }
  if (!queue_.empty() && (replies_.empty() || dice_.one_in(2))) {
    const auto at = queue_.begin() + static_cast<std::ptrdiff_t>(dice_.below(queue_.size()));
    Request request = std::move(*at);
    queue_.erase(at);
    serve(std::move(request));
    if (cancel_is_due_ && dice_.one_in(2)) return cancel();
    if (one_in(weather_.delayed)) {
      met_.trouble = true;
      if (!queue_.empty()) return std::nullopt;
    }
  }
  if (one_in(weather_.writes)) outside_.write(dice_);
  if (dice_.one_in(8)) outside_.look();
  const auto at = replies_.begin() + static_cast<std::ptrdiff_t>(dice_.below(replies_.size()));
  Reply reply = std::move(*at);
  replies_.erase(at);
  if (one_in(weather_.repeated)) replies_.push_back({reply.ticket, reply.reply, true});
  return deliver(std::move(reply));
}

void SourceDouble::serve(Request request) {
  ++met_.requests;
  ++usage_.requests;
  if (weather_.kill_at == met_.requests) ::_exit(1);
  if (weather_.cancel_at == met_.requests) cancel_is_due_ = true;
  if (one_in(weather_.writes)) outside_.write(dice_);
  outside_.clock.advance(std::chrono::milliseconds(1 + dice_.below(40)));
  Result<turso::BatchReply> reply;
  if (one_in(weather_.unavailable)) {
    met_.trouble = true;
    reply = fail(ErrorCode::unavailable, "the simulated source is not there");
  } else if (one_in(weather_.lost)) {
    met_.trouble = true;
    outside_.clock.advance(options_.request_timeout);
    reply = fail(ErrorCode::unavailable, "the simulated reply is lost", {}, "TIMEOUT");
  } else {
    reply = answer(request.batch);
  }
  if (outside_.memory != nullptr) {
    corrupt(outside_.plant, *outside_.memory, request.batch, reply);
  }
  replies_.push_back(
      {request.ticket, std::make_shared<Result<turso::BatchReply>>(std::move(reply)), false});
}

Result<turso::BatchReply> SourceDouble::answer(const turso::Batch& batch) {
  const bool planted = outside_.plant == Plant::stale_page && reads_rows(batch);
  const bool stale = replica_ != nullptr && (planted || one_in(weather_.stale));
  if (stale && !planted) met_.stale = true;
  return turso::run(stale ? *replica_ : *inner_, batch, real_deadline());
}

turso::Completion SourceDouble::deliver(Reply reply) {
  auto here = std::make_shared<bool>(false);  // only the poller's thread touches it
  if (!reply.again) {
    handed_over_ = true;
    decoded_here_ = here;
  }
  return {reply.ticket, [held = reply.reply, here, poller = std::this_thread::get_id()]() {
            if (std::this_thread::get_id() == poller) *here = true;
            return std::move(*held);
          }};
}

}  // namespace tidemark::simulation
