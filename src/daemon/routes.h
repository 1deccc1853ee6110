// What the HTTP server says at each path. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <variant>

#include "daemon/http.h"
#include "daemon/item_path.h"
#include "daemon/pass_log.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {

// What there is to show; borrowed for a call.
struct Shown {
  const CacheStatus& cache;  // as the last pass left it
  std::chrono::system_clock::time_point now;
  const std::string& token;                     // never empty
  const std::function<std::string()>& metrics;  // made when asked for
  const std::function<std::string()>& status;
  const PassLog& passes;
};

// Wants to be told what happens from now on.
struct EventsAsked {};
// A reply, or what takes longer.
using Routed = std::variant<HttpReply, ItemPath, EventsAsked>;

[[nodiscard]] Routed route(const HttpRequest& request, const Shown& shown);

}  // namespace tidemark::daemon
