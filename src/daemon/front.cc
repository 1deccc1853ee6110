#include "daemon/front.h"

#include <utility>

#include "cache/read_stats.h"
#include "cache/staleness.h"
#include "daemon/exchange.h"
#include "daemon/json_forms.h"
#include "daemon/log.h"
#include "daemon/routes.h"
#include "daemon/token.h"

namespace tidemark::daemon {
namespace {

using std::chrono::system_clock;

Result<std::string> token_of(const Settings& settings) {
  if (settings.listen.empty()) return std::string();
  return http_token(settings.token_file.empty() ? settings.setup.cache + ".token"
                                                : settings.token_file);
}

}  // namespace

Front::Front(asio::io_context& loop, Facts facts)
    : facts_(std::move(facts)),
      events_(loop, {[this] { return status(); },
                     [this] {
                       Freshness now = freshness();
                       now.age.reset();  // changes all the time
                       return freshness_json(now);
                     }}),
      items_(loop),
      server_(loop, [this](const HttpRequest& request, const std::shared_ptr<Exchange>& client) {
        answer(request, client);
      }) {}

Result<void> Front::listen(const Settings& settings) {
  if (settings.listen.empty()) return {};
  TIDEMARK_TRY(reload(settings));
  TIDEMARK_ASSIGN(local, server_.listen(settings.listen));
  listening_ = true;
  log_line(local ? Level::info : Level::warning,
           "HTTP on " + settings.listen +
               (local ? "" : ": /metrics and /readyz are open to who can connect"));
  return {};
}

void Front::start() {
  if (listening_) items_.start();
}

Result<void> Front::reload(const Settings& settings) {
  TIDEMARK_ASSIGN(token, token_of(settings));
  token_ = std::move(token);
  max_staleness_ = settings.max_staleness;
  return {};
}

void Front::pass_ended(const Job& job, const Result<Done>& result, std::chrono::milliseconds took) {
  std::string pass = pass_json({system_clock::now(), job.trigger, job.ask.work, took, result});
  events_.pass_ended(pass);
  passes_.add(std::move(pass));
}

void Front::close() {
  events_.close();
  server_.close();
}

void Front::answer(const HttpRequest& request, const std::shared_ptr<Exchange>& client) {
  const std::function<std::string()> status_now = [this] { return status(); };
  Routed routed = route(
      request, {facts_.cache(), system_clock::now(), token_, facts_.metrics, status_now, passes_});
  if (auto* const reply = std::get_if<HttpReply>(&routed)) return client->reply(std::move(*reply));
  if (const auto* const item = std::get_if<ItemPath>(&routed)) {
    return items_.ask(facts_.cache().path, *item, max_staleness_,
                      [client](HttpReply reply) { client->reply(std::move(reply)); });
  }
  if (!events_.add(client)) {
    client->reply({503, std::to_string(kEventStreamsMax) + " clients follow the events already\n"});
  }
}

Freshness Front::freshness() const {
  return cache::seen_at(facts_.cache().freshness, system_clock::now(), max_staleness_);
}

std::string Front::status() const {
  CacheStatus cache = facts_.cache();
  cache.reads = cache::total_reads(cache.path);
  return status_json(facts_.status(), cache, freshness());
}

}  // namespace tidemark::daemon
