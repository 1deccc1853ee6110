// What the HTTP server says at each path. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "daemon/http.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {

// What there is to show; borrowed for a call.
struct Shown {
  const CacheStatus& cache;  // as the last pass left it
  std::chrono::system_clock::time_point now;
  const std::string& token;                     // never empty
  const std::function<std::string()>& metrics;  // made when asked for
  const std::function<std::string()>& status;
};

[[nodiscard]] HttpReply answer(const HttpRequest& request, const Shown& shown);

}  // namespace tidemark::daemon
