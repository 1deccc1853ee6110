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

  Routes() {
    cache.readable = true;
    cache.freshness.state = FreshnessState::fresh;
    cache.freshness.checked_at = kNow - seconds(60);
  }
  [[nodiscard]] HttpReply ask(const HttpRequest& request) const {
    const std::function<std::string()> metrics = [] { return std::string("metrics"); };
    const std::function<std::string()> status = [] { return std::string("status"); };
    return answer(request, {cache, kNow, token, metrics, status});
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

TEST_F(Routes, the_status_is_for_the_whole_token_alone) {
  const auto status = [&](const std::string& header) {
    return ask({"/v1/status", {}, header}).status;
  };
  EXPECT_EQ(status("Bearer " + token), 200U);
  const std::vector<std::string> all_wrong = {"",
                                              token,
                                              "Basic " + token,
                                              "Bearer ",
                                              "Bearer " + token + token,
                                              "Bearer " + token.substr(1),
                                              "Bearer 0123456789abcdeF"};
  for (const std::string& wrong : all_wrong) {
    EXPECT_EQ(status(wrong), 401U) << wrong;
  }
}

}  // namespace
}  // namespace tidemark::daemon
