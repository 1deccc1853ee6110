// The daemon's HTTP side, put together: routes, token, the log of passes, events and items.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http.h"
#include "daemon/items.h"
#include "daemon/jobs.h"
#include "daemon/pass_log.h"
#include "daemon/wire.h"

namespace tidemark::daemon {

// One thread, the loop's, which must outlive it.
class Front {
 public:
  // What the daemon knows; called on the loop's thread.
  struct Facts {
    std::function<Status()> status;
    std::function<std::string()> metrics;  // Prometheus' text
    // As the last pass left it.
    std::function<const CacheStatus&()> cache;
  };

  Front(asio::io_context& loop, Facts facts);
  // Nothing listens when `settings` name no address. Errors: as HttpServer::listen, http_token.
  [[nodiscard]] Result<void> listen(const Settings& settings);
  // Starts the thread that reads items, which inherits the caller's signal mask.
  void start();
  // Takes over what can change while it listens; nothing when the token cannot be had.
  [[nodiscard]] Result<void> reload(const Settings& settings);

  // What happens, as it happens.
  void status_changed() { events_.status_changed(); }
  void progress(const Progress& progress) { events_.progress(progress); }
  void pass_ended(const Job& job, const Result<Done>& result, std::chrono::milliseconds took);
  // Lets everybody go.
  void close();

 private:
  void answer(const HttpRequest& request, const std::shared_ptr<Exchange>& client);
  [[nodiscard]] Freshness freshness() const;
  [[nodiscard]] std::string status() const;

  Facts facts_;
  std::string token_;
  std::chrono::milliseconds max_staleness_{0};
  bool listening_ = false;
  PassLog passes_;
  Events events_;
  Items items_;
  HttpServer server_;
};

}  // namespace tidemark::daemon
