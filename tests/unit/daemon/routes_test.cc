#include "daemon/routes.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidemark::daemon {
namespace {

using std::chrono::seconds;

const std::chrono::system_clock::time_point kNow{seconds(1'700'000'000)};

struct Routes : public testing::Test {
  CacheStatus cache;
  std::string token = "0123456789abcdef";
  PassLog passes;

  Routes() {
    cache.readable = true;
    cache.freshness.state = FreshnessState::fresh;
    cache.freshness.checked_at = kNow - seconds(60);
  }
  [[nodiscard]] Routed routed(const HttpRequest& request) const {
    const std::function<std::string()> metrics = [] { return std::string("metrics"); };
    const std::function<std::string()> status = [] { return std::string("status"); };
    return route(request, {cache, kNow, token, metrics, status, passes});
  }
  [[nodiscard]] HttpReply ask(const HttpRequest& request) const {
    const Routed answer = routed(request);
    const auto* const reply = std::get_if<HttpReply>(&answer);
    return reply == nullptr ? HttpReply{0} : *reply;
  }
  // With the token.
  [[nodiscard]] Routed may(const std::string& path, const std::string& query = "") const {
    return routed({path, query, "Bearer " + token});
  }
  [[nodiscard]] HttpReply reply(const std::string& path, const std::string& query = "") const {
    return ask({path, query, "Bearer " + token});
  }
  [[nodiscard]] unsigned ready(const std::string& query) const {
    return ask({"/readyz", query, {}}).status;
  }
};

TEST_F(Routes, ready_is_a_cache_that_is_no_older_than_the_asker_accepts) {
  for (const char* accepted : {"", "max_age=60", "max_age=60s", "max_age=60000ms", "max_age=1m",
                               "max_age=1h", "max_age=4294967295h"}) {
    EXPECT_EQ(ready(accepted), 200U) << accepted;
  }
  for (const char* passed : {"max_age=0", "max_age=59s", "max_age=59999ms"}) {
    EXPECT_EQ(ready(passed), 503U) << passed;
  }
  for (const char* wrong : {"max_age=", "max_age=s", "max_age=-1", "max_age=1d", "max_age=1s&a=b",
                            "max_age=99999999999", "age=1s"}) {
    EXPECT_EQ(ready(wrong), 400U) << wrong;
  }
}

TEST_F(Routes, what_cannot_be_trusted_is_not_ready_however_young) {
  cache.freshness.checked_at = kNow + seconds(1);  // the clock went back
  EXPECT_EQ(ready(""), 503U);
  cache.freshness.checked_at = kNow;
  EXPECT_EQ(ready(""), 200U);
  for (const auto state : {FreshnessState::never_synced, FreshnessState::needs_repair}) {
    cache.freshness.state = state;
    EXPECT_EQ(ready(""), 503U);
  }
  cache.freshness.state = FreshnessState::fresh;
  cache.readable = false;
  EXPECT_EQ(ready(""), 503U);
}

TEST_F(Routes, what_holds_memories_is_for_the_whole_token_alone) {
  EXPECT_EQ(reply("/v1/status").status, 200U);
  EXPECT_EQ(reply("/v1/status").body, "status");
  EXPECT_EQ(reply("/v1/reports").status, 200U);
  EXPECT_TRUE(std::holds_alternative<EventsAsked>(may("/v1/events")));
  EXPECT_TRUE(std::holds_alternative<ItemPath>(may("/v1/items/episodes/e1")));
  const std::vector<std::string> all_wrong = {"",
                                              token,
                                              "Basic " + token,
                                              "Bearer ",
                                              "Bearer " + token + token,
                                              "Bearer " + token.substr(1),
                                              "Bearer 0123456789abcdeF"};
  for (const std::string& wrong : all_wrong) {
    for (const char* path : {"/v1/status", "/v1/reports", "/v1/events", "/v1/items/episodes/e1",
                             "/v1/items/%zz", "/v1/", "/v1/other"}) {
      EXPECT_EQ(ask({path, {}, wrong}).status, 401U) << path << " " << wrong;
    }
  }
}

TEST_F(Routes, an_item_is_named_by_its_path) {
  const auto item = [&](const std::string& rest) {
    const Routed answer = may("/v1/items/" + rest);
    const auto* const path = std::get_if<ItemPath>(&answer);
    return path == nullptr ? std::string("none") : path->collection + "|" + path->key;
  };
  using namespace std::string_literals;
  EXPECT_EQ(item("episodes/e1"), "episodes|e1");
  EXPECT_EQ(item("episodes/a/b%2Fc"), "episodes|a/b/c");
  EXPECT_EQ(item("%65pisodes/%22%27%20%25"), "episodes|\"' %");
  EXPECT_EQ(item("episodes/a+b"), "episodes|a+b");
  EXPECT_EQ(item("episodes/%C3%A9%c3%a9"), "episodes|\u00e9\u00e9");
  EXPECT_EQ(item("episodes/%00x"), "episodes|\0x"s);
  EXPECT_EQ(item("episodes/../status"), "episodes|../status");
  EXPECT_EQ(item("episodes/"), "episodes|");
  for (const char* wrong : {"", "episodes", "episodes/%", "episodes/%4", "episodes/%zz",
                            "episodes/%-1", "episodes/%4g", "%/e1", "episodes/%ff", "%c3/e1"}) {
    EXPECT_EQ(item(wrong), "none") << wrong;
    EXPECT_EQ(reply("/v1/items/" + std::string(wrong)).status, 400U) << wrong;
  }
  EXPECT_EQ(reply("/v1/items/episodes/e1", "a=b").status, 400U);
  for (const char* unknown : {"/", "/v1/", "/v1/items", "/v1/status/", "/v2/status", "/metrics/"}) {
    EXPECT_EQ(reply(unknown).status, 404U) << unknown;
  }
}

TEST_F(Routes, reports_come_newest_first_and_as_many_as_are_asked_for) {
  EXPECT_EQ(reply("/v1/reports").body, "{\"reports\":[]}\n");
  for (const char* pass : {"1", "2", "3"}) passes.add(pass);
  EXPECT_EQ(reply("/v1/reports").body, "{\"reports\":[3,2,1]}\n");
  EXPECT_EQ(reply("/v1/reports", "limit=2").body, "{\"reports\":[3,2]}\n");
  EXPECT_EQ(reply("/v1/reports", "limit=1000").body, "{\"reports\":[3,2,1]}\n");
  for (const char* wrong : {"limit", "limit=", "limit=0", "limit=-1", "limit=1x", "limit=1&limit=2",
                            "limit=99999999999999999999", "newest=1", "lim"}) {
    EXPECT_EQ(reply("/v1/reports", wrong).status, 400U) << wrong;
  }
}

}  // namespace
}  // namespace tidemark::daemon
