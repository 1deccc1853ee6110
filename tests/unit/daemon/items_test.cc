#include "daemon/items.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/tuning.h"
#include "tests/support/small_cache.h"

namespace tidemark::daemon {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kStale{60'000};

TEST(Items, an_age_is_judged_as_the_daemon_is_configured) {
  const support::SmallCache small;
  ASSERT_TRUE(support::write_episodes(small.path, {support::episode("e1", 1, "x")}));
  const HttpReply hit = read_item(small.path, {"episodes", "e1"}, kStale);
  EXPECT_EQ(hit.status, 200U);
  const Json json = Json::parse(hit.body);
  EXPECT_EQ(json["result"][0]["row"]["body"], "x");
  EXPECT_EQ(json["freshness"]["state"], "stale");
  const milliseconds forever = std::chrono::hours(24 * 365 * 1000);
  const Json fresh = Json::parse(read_item(small.path, {"episodes", "e1"}, forever).body);
  EXPECT_EQ(fresh["freshness"]["state"], "fresh");
}

// What a writer leaves that is killed while it holds the file.
TEST(Items, a_file_that_needs_a_repair_is_told_of_and_left_as_it_is) {
  const support::SmallCache small;
  ASSERT_TRUE(support::write_episodes(small.path, {support::episode("e1", 1, "x")}));
  const std::string left = small.folder.file("left.redb");
  {
    const auto writer = cache::Writer::open(small.path, {});
    ASSERT_TRUE(writer);
    std::filesystem::copy_file(small.path, left);
  }
  const HttpReply reply = read_item(left, {"episodes", "e1"}, kStale);
  EXPECT_EQ(reply.status, 503U) << reply.body;
  const Json json = Json::parse(reply.body);
  EXPECT_EQ(json["error"]["code"], "needs_repair");
  EXPECT_EQ(json["result"], nullptr);
  EXPECT_EQ(read_item(left, {"episodes", "e1"}, kStale).status, 503U);
}

TEST(Items, more_than_can_wait_are_refused_and_those_before_are_read) {
  const support::SmallCache small;
  ASSERT_TRUE(support::write_episodes(small.path, {support::episode("e1", 1, "x")}));
  asio::io_context loop;
  Items items(loop);
  std::vector<unsigned> said;
  const auto ask = [&] {
    items.ask(small.path, {"episodes", "e1"}, kStale,
              [&said](const HttpReply& reply) { said.push_back(reply.status); });
  };
  for (std::size_t n = 0; n < kItemsWaitingMax; ++n) ask();
  EXPECT_TRUE(said.empty());  // the loop has not run
  ask();
  EXPECT_EQ(said, std::vector<unsigned>{503});
  const auto work = asio::make_work_guard(loop);
  while (said.size() <= kItemsWaitingMax && loop.run_one_for(std::chrono::seconds(30)) > 0) {
  }
  ASSERT_EQ(said.size(), kItemsWaitingMax + 1);
  for (std::size_t n = 1; n < said.size(); ++n) EXPECT_EQ(said[n], 200U);
  ask();
  EXPECT_EQ(said.size(), kItemsWaitingMax + 1);  // there is room again
}

}  // namespace
}  // namespace tidemark::daemon
