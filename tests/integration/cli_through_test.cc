// The built program reading through to a source, and what a failed pass leaves for status.
#include "tests/integration/cli.h"
#include "tests/support/hrana_peer.h"

namespace tidemark {
namespace {

using support::Cli;
using support::HranaPeer;
using support::Json;
using support::Said;

// A cache of the newest two episodes, e2 and e3, from the scripted server.
struct CliThrough : public Cli {
  CliThrough() { EXPECT_EQ(run(synced(peer.url())).exit, 0); }
  std::vector<std::string> synced(const std::string& url) {
    return {"sync", "--source", url, "--cache", world.cache(), "--max-episodes-cache", "2"};
  }
  std::vector<std::string> through(std::vector<std::string> more) {
    more.insert(more.begin(),
                {"get", "--read-through", "--source", peer.url(), "--cache", world.cache()});
    return more;
  }
  std::vector<std::string> status() { return {"status", "--cache", world.cache()}; }
  HranaPeer peer{world.folder.file("source.db")};
};

TEST_F(CliThrough, items_say_where_they_came_from_and_absent_is_not_asked_for) {
  peer.reset_stats();
  Json result = envelope(through({"episodes", "e3", "e1"}), 0)["result"];
  EXPECT_EQ(result[0]["origin"], "cache");
  EXPECT_EQ(result[1]["origin"], "source");
  EXPECT_EQ(result[1]["row"]["task_description"], "one");
  EXPECT_GE(result[1]["as_of_ms"], result[0]["as_of_ms"]);
  EXPECT_EQ(peer.count("requests"), 1U);
  EXPECT_EQ(envelope(through({"patterns", "none"}), 8)["result"][0]["origin"], "cache");
  EXPECT_EQ(peer.count("requests"), 1U);
  EXPECT_EQ(envelope(through({"episodes", "none"}), 8)["result"][0]["origin"], "source");
  EXPECT_EQ(peer.count("requests"), 2U);
  const Said said = run(through({"-v", "episodes", "e1"}));
  EXPECT_EQ(Json::parse(said.out)["task_description"], "one");
  EXPECT_NE(said.err.find("episodes e1: from the source, as of "), std::string::npos) << said.err;
}

TEST_F(CliThrough, without_the_flag_nothing_is_asked_and_items_look_as_ever) {
  peer.reset_stats();
  const Json result =
      envelope({"get", "--cache", world.cache(), "episodes", "e1", "e3"}, 9)["result"];
  EXPECT_FALSE(result[0].contains("origin"));
  EXPECT_EQ(peer.count("requests"), 0U);
  EXPECT_EQ(run({"get", "--cache", world.cache(), "--source", peer.url(), "episodes", "e1"}).exit,
            2);
}

TEST_F(CliThrough, the_source_of_the_configuration_is_taken_and_none_is_an_error) {
  const Json error =
      envelope({"get", "--read-through", "--cache", world.cache(), "episodes", "e1"}, 2)["error"];
  EXPECT_NE(std::string(error["hint"]).find("--source"), std::string::npos) << error;
  write("tidemark.toml", "[source]\nurl = \"" + peer.url() + "\"\n");
  EXPECT_EQ(run({"get", "--read-through", "--cache", world.cache(), "episodes", "e1"}).exit, 0);
}

TEST_F(CliThrough, when_the_source_fails_what_is_cached_is_printed_and_the_error_is_clear) {
  peer.script({{{"kind", "status"}, {"status", 503}}});
  peer.reset_stats();
  const Json json = envelope(through({"episodes", "e3", "e1", "e0", "e2"}), 3);
  EXPECT_EQ(json["error"]["code"], "unavailable");
  ASSERT_EQ(json["result"].size(), 4U);
  EXPECT_EQ(json["result"][0]["presence"], "hit");
  EXPECT_EQ(json["result"][1]["presence"], "unknown");
  EXPECT_EQ(json["result"][2]["presence"], "unknown");
  EXPECT_EQ(json["result"][3]["presence"], "hit");
  EXPECT_EQ(json["freshness"]["state"], "fresh");
  EXPECT_EQ(peer.count("requests"), 1U);  // e0 would only fail again
  peer.script({});
  peer.set({{"tokens", {"right"}}});
  const Said said = run(through({"episodes", "e3", "e1"}));
  EXPECT_EQ(said.exit, 1);
  EXPECT_NE(said.out.find("three"), std::string::npos);
  EXPECT_NE(said.err.find("TURSO_AUTH_TOKEN"), std::string::npos) << said.err;
}

TEST_F(CliThrough, a_silent_source_costs_no_more_than_the_deadline) {
  peer.script({{{"kind", "hang"}}});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run(through({"--deadline", "300ms", "episodes", "e1"})).exit, 3);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(run(through({"--deadline", "1ms", "episodes", "e1"})).exit, 2);
}

TEST_F(CliThrough, with_max_age_an_older_cache_is_not_believed) {
  world.source.run("UPDATE episodes SET task_description = 'THREE' WHERE episode_id = 'e3'");
  EXPECT_EQ(envelope(through({"episodes", "e3"}), 0)["result"][0]["row"]["task_description"],
            "three");
  std::vector<std::string> words = through({"--max-age", "0", "episodes", "e3"});
  const Json fresh = envelope(words, 0)["result"][0];
  EXPECT_EQ(fresh["row"]["task_description"], "THREE");
  EXPECT_EQ(fresh["origin"], "source");
  peer.script({{{"kind", "status"}, {"status", 503}}});
  const Json old = envelope(words, 3)["result"][0];
  EXPECT_EQ(old["presence"], "unknown");
  EXPECT_TRUE(old["row"].is_null());
}

// After a 401 `status` said "fresh" and nothing else.
TEST_F(CliThrough, a_pass_that_was_refused_leaves_its_reason_until_one_succeeds) {
  peer.set({{"tokens", {"right"}}});
  EXPECT_EQ(run(synced(peer.url())).exit, 1);
  Json freshness = envelope(status(), 0)["freshness"];
  EXPECT_FALSE(freshness["source_refused_since_ms"].is_null());
  EXPECT_NE(std::string(freshness["source_refused_reason"]).find("none is given"),
            std::string::npos);
  EXPECT_TRUE(freshness["source_unavailable_since_ms"].is_null());
  EXPECT_EQ(freshness["state"], "fresh");
  const Said said = run(status());
  EXPECT_NE(said.out.find("refused by the source for "), std::string::npos) << said.out;
  const Json since = freshness["source_refused_since_ms"];
  EXPECT_EQ(run(synced(peer.url())).exit, 1);
  EXPECT_EQ(envelope(status(), 0)["freshness"]["source_refused_since_ms"], since);
  // What was learned last holds: now it cannot be reached at all.
  peer.script({{{"kind", "status"}, {"status", 503}}});
  peer.set({{"tokens", Json::array()}});
  EXPECT_EQ(run(synced(peer.url())).exit, 3);
  freshness = envelope(status(), 0)["freshness"];
  EXPECT_TRUE(freshness["source_refused_since_ms"].is_null());
  EXPECT_FALSE(freshness["source_unavailable_since_ms"].is_null());
  peer.script({});
  peer.set({{"tokens", {"right"}}});
  EXPECT_EQ(run(synced(peer.url())).exit, 1);
  EXPECT_TRUE(envelope(status(), 0)["freshness"]["source_unavailable_since_ms"].is_null());
  environment["TURSO_AUTH_TOKEN"] = "right";
  EXPECT_EQ(run(synced(peer.url())).exit, 0);
  EXPECT_TRUE(envelope(status(), 0)["freshness"]["source_refused_since_ms"].is_null());
  EXPECT_EQ(envelope(status(), 0)["freshness"]["source_refused_reason"], "");
}

}  // namespace
}  // namespace tidemark
