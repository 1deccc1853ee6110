// Server-sent events: who watches is told what happens, as it happens (docs/daemon.md).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/asio.h"
#include "daemon/exchange.h"
#include "tidemark/syncer.h"

namespace tidemark::daemon {

// One event of the stream. `json` holds no newline, but may end with one.
[[nodiscard]] std::string event_text(std::uint64_t id, std::string_view name,
                                     std::string_view json);

// One thread, the loop's. Waits for nobody: who does not take what is sent is let go. Nothing is
// made while nobody watches.
class Events {
 public:
  // What there is to tell; called on the loop's thread.
  struct Facts {
    std::function<std::string()> status;  // JSON
    // Changes when a status is to be told although nothing happened: time passed.
    std::function<std::string()> freshness;
  };

  Events(asio::io_context& loop, Facts facts) : tick_(loop), facts_(std::move(facts)) {}
  // Tells it the status at once. False: there are kEventStreamsMax.
  [[nodiscard]] bool add(const std::shared_ptr<Exchange>& client);
  void status_changed();
  // Who has not taken the last one yet does not get it.
  void progress(const Progress& progress);
  // `pass`: pass_json().
  void pass_ended(const std::string& pass);
  // The clients are the server's to let go.
  void close() { tick_.cancel(); }

 private:
  std::list<std::shared_ptr<Exchange>> watching();
  void tell(std::string_view name, const std::string& json);
  void await_tick();
  void tick();

  std::list<std::weak_ptr<Exchange>> clients_;
  asio::steady_timer tick_;
  Facts facts_;
  std::string told_freshness_;
  std::uint64_t last_id_ = 0;
  int ticks_ = 0;  // since all were sent something
};

}  // namespace tidemark::daemon
