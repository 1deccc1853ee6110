#include "daemon/routes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/metrics.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using std::chrono::milliseconds;

constexpr const char* kJson = "application/json";
constexpr std::string_view kItems = "/v1/items/";

// "60s"; without a unit: seconds.
std::optional<milliseconds> duration_of(std::string_view text) {
  std::uint32_t count = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, count);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(last - end));
  for (const auto& [name, ms] : {std::pair<std::string_view, std::int64_t>{"ms", 1},
                                 {"", 1'000},
                                 {"s", 1'000},
                                 {"m", 60'000},
                                 {"h", 3'600'000}}) {
    if (unit == name) return milliseconds(ms * count);
  }
  return std::nullopt;
}

HttpReply not_ready(const std::string& why) { return {503, "not ready: " + why + "\n"}; }

HttpReply readiness(const std::string& query, const Shown& shown) {
  constexpr std::string_view kName = "max_age=";
  std::optional<milliseconds> max_age;
  if (!query.empty()) {
    if (query.starts_with(kName)) max_age = duration_of(query.substr(kName.size()));
    if (!max_age) return {400, "only max_age may be asked for, as in /readyz?max_age=60s\n"};
  }
  const CacheStatus& cache = shown.cache;
  if (!cache.readable) return not_ready("the cache cannot be opened");
  const FreshnessState state = cache.freshness.state;
  if (state == FreshnessState::never_synced || state == FreshnessState::needs_repair) {
    return not_ready(std::string(to_string(state)));
  }
  const auto age = age_of(cache, shown.now);
  if (!age) return not_ready("the cache's age is not known: the clock went back");
  const std::string is = std::to_string(age->count()) + " ms old";
  if (max_age && *age > *max_age) return not_ready("stale, " + is);
  return {200, "ready, " + is + "\n"};
}

// Takes as long for a token that is almost right.
bool same(std::string_view given, std::string_view wanted) {
  unsigned different = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t n = 0; n < given.size(); ++n) {
    different |= static_cast<unsigned char>(given[n]) ^
                 static_cast<unsigned char>(wanted[n % wanted.size()]);
  }
  return different == 0;
}

bool authorized(std::string_view header, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  return header.starts_with(kScheme) && same(header.substr(kScheme.size()), token);
}

// "limit=20"; nothing: all that there are.
HttpReply reports(const std::string& query, const PassLog& passes) {
  constexpr std::string_view kName = "limit=";
  std::size_t limit = kReportsMax;
  if (!query.empty()) {
    const std::string_view digits =
        std::string_view(query).substr(std::min(kName.size(), query.size()));
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, limit);
    if (!query.starts_with(kName) || error != std::errc() || end != last || limit == 0) {
      return {400, "only limit may be asked for, as in /v1/reports?limit=20\n"};
    }
  }
  return {200, passes.json(limit), kJson};
}

Routed item(const HttpRequest& request) {
  if (!request.query.empty()) return HttpReply{400, "an item takes no question\n"};
  auto path = item_path(std::string_view(request.path).substr(kItems.size()));
  if (path) return std::move(*path);
  return HttpReply{400,
                   "an item is /v1/items/COLLECTION/KEY, with %XX for what a path cannot hold\n"};
}

// What holds memories, or says whose they are.
std::optional<Routed> guarded(const HttpRequest& request, const Shown& shown) {
  if (request.path == "/v1/status") return HttpReply{200, shown.status(), kJson};
  if (request.path == "/v1/reports") return reports(request.query, shown.passes);
  if (request.path == "/v1/events") return EventsAsked{};
  if (request.path.starts_with(kItems)) return item(request);
  return std::nullopt;
}

}  // namespace

Routed route(const HttpRequest& request, const Shown& shown) {
  if (request.path == "/metrics") {
    return HttpReply{200, shown.metrics(), "text/plain; version=0.0.4; charset=utf-8"};
  }
  if (request.path == "/healthz") return HttpReply{200, "ok\n"};
  if (request.path == "/readyz") return readiness(request.query, shown);
  if (request.path.starts_with("/v1/")) {
    if (!authorized(request.authorization, shown.token)) {
      return HttpReply{401, "a bearer token is needed: docs/daemon.md says where it is\n"};
    }
    if (auto answer = guarded(request, shown)) return std::move(*answer);
  }
  return HttpReply{404,
                   "there are /metrics, /healthz, /readyz, /v1/status, /v1/reports, /v1/events and "
                   "/v1/items/COLLECTION/KEY\n"};
}

}  // namespace tidemark::daemon
