// Reading through the cache, to each kind of source: what is asked, what is not, and what a failure
// leaves.
#include "tidemark/read_through.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "tests/integration/serving.h"
#include "tests/integration/world.h"
#include "tests/support/program.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using support::HranaPeer;
using support::Serving;
using support::TursoServer;
using support::World;
using Json = nlohmann::json;

std::string json_of(const Result<Answer>& answer) {
  if (!answer) return answer.error().message;
  return answer->rows.empty() ? "" : answer->rows.front().to_json();
}

// A cache of the newest 600 of 1,000 episodes: ep-0000 is beyond its window.
struct Through : public ::testing::Test {
  ReadThrough open(const std::string& url, ReadThroughOptions options = {}) {
    options.deadline = std::max<std::chrono::milliseconds>(options.deadline, 20s);
    auto through = ReadThrough::open(url, serving.cache(), options);
    EXPECT_TRUE(through) << (through ? "" : through.error().message);
    return std::move(*through);
  }
  Serving serving;
};

void expect_presence(const Result<Answer>& answer, Presence presence, Origin origin) {
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->presence, presence);
  EXPECT_EQ(answer->origin, origin);
  EXPECT_EQ(answer->rows.empty(), presence != Presence::hit);
}

// The same questions to every kind of source.
void answers_all(const ReadThrough& through) {
  const auto begun = std::chrono::system_clock::now();
  expect_presence(through.get("episodes", "ep-0998"), Presence::hit, Origin::cache);
  expect_presence(through.get("patterns", "none"), Presence::absent, Origin::cache);
  expect_presence(through.get("heuristics", "he-001"), Presence::hit, Origin::cache);
  const auto old = through.get("episodes", "ep-0000");
  expect_presence(old, Presence::hit, Origin::source);
  EXPECT_EQ(old->rows.at(0).collection(), "episodes");
  EXPECT_EQ(old->rows.at(0).at("task_type")->bytes(), "fix");
  EXPECT_EQ(old->rows.at(0).at("steps")->bytes(), "[{\"tool\":\"read\"}]");
  EXPECT_GE(*old->as_of, begun);
  EXPECT_EQ(old->freshness.state, FreshnessState::fresh);
  expect_presence(through.get("episodes", "none"), Presence::absent, Origin::source);
  // Of the parent ep-0000, which is not cached; the next one is cached with its pattern.
  const auto vector = through.get("embeddings_384", "em-0000");
  expect_presence(vector, Presence::hit, Origin::source);
  EXPECT_EQ(vector->rows.at(0).at("embedding_vector")->dimension(), 384U);
  expect_presence(through.get("embeddings_other", "em-0001"), Presence::hit, Origin::cache);
  expect_presence(through.get("embeddings", "none"), Presence::absent, Origin::source);
}

TEST_F(Through, answers_from_a_file) {
  const std::string url = "file:" + serving.database();
  ASSERT_TRUE(serving.sync(url));
  answers_all(open(url));
}

TEST_F(Through, answers_from_the_real_server) {
  serving.source.run("PRAGMA journal_mode=DELETE");
  ASSERT_TRUE(serving.sync("file:" + serving.database()));
  const std::string other = serving.folder.file("served.db");
  std::filesystem::copy_file(serving.database(), other);
  const TursoServer server(other);
  ASSERT_TRUE(serving.sync_into(serving.folder.file("s.redb"), server.url()));
  auto through = ReadThrough::open(server.url(), serving.folder.file("s.redb"));
  ASSERT_TRUE(through) << through.error().message;
  answers_all(*through);
}

struct ThroughPeer : public Through {
  ThroughPeer() { EXPECT_TRUE(serving.sync(peer.url())); }
  HranaPeer peer{serving.database()};
};

TEST_F(ThroughPeer, answers_from_a_server_with_one_request_for_each_unknown) {
  const ReadThrough through = open(peer.url());
  peer.reset_stats();
  answers_all(through);
  // Cached and absent ask nothing; the other four one request each: what was learned of the server
  // is in the cache.
  EXPECT_EQ(peer.count("requests"), 4U);
}

TEST_F(ThroughPeer, a_row_through_is_the_row_that_a_pass_would_have_cached) {
  const ReadThrough through = open(peer.url());
  const std::string all = serving.folder.file("all.redb");
  serving.config.max_episodes_cache = 1000;
  ASSERT_TRUE(serving.sync_into(all, peer.url()));
  const auto reader = Reader::open(all);
  for (const char* key : {"ep-0000", "ep-0009", "ep-0123", "ep-0399"}) {
    const auto answer = through.get("episodes", key);
    expect_presence(answer, Presence::hit, Origin::source);
    EXPECT_EQ(json_of(answer), reader->get("episodes", key)->row().to_json());
  }
}

// JSON has no bytes that are not UTF-8 and no sign of an infinity.
TEST_F(ThroughPeer, what_json_cannot_hold_is_asked_again_in_a_form_that_loses_nothing) {
  serving.source.run("UPDATE episodes SET reward = -9e999 WHERE episode_id = 'ep-0001'");
  serving.source.run(
      "UPDATE episodes SET domain = CAST(x'ff' AS TEXT) WHERE episode_id = 'ep-0002'");
  const ReadThrough through = open(peer.url());
  const auto infinite = through.get("episodes", "ep-0001");
  expect_presence(infinite, Presence::hit, Origin::source);
  EXPECT_EQ(infinite->rows.at(0).at("reward")->as_real(), -std::numeric_limits<double>::infinity());
  const auto unfit = through.get("episodes", "ep-0002");
  ASSERT_FALSE(unfit);
  EXPECT_EQ(unfit.error().code, ErrorCode::unsupported);
  EXPECT_NE(unfit.error().message.find("a text is not UTF-8"), std::string::npos);
}

TEST_F(ThroughPeer, a_source_failure_is_a_clear_error_and_the_cache_goes_on) {
  const ReadThrough through = open(peer.url());
  const auto still = [&] {
    expect_presence(through.get("episodes", "ep-0998"), Presence::hit, Origin::cache);
    expect_presence(through.get("patterns", "none"), Presence::absent, Origin::cache);
    expect_presence(through.cached("episodes", "ep-0000"), Presence::unknown, Origin::cache);
  };
  peer.script({Json{{"kind", "status"}, {"status", 503}}});
  auto answer = through.get("episodes", "ep-0000");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  still();
  peer.script({});
  peer.set({{"tokens", {"right"}}});
  answer = through.get("episodes", "ep-0000");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::rejected);
  EXPECT_NE(answer.error().message.find("none is given"), std::string::npos);
  still();
  peer.set({{"tokens", Json::array()}});
  expect_presence(through.get("episodes", "ep-0000"), Presence::hit, Origin::source);
}

TEST_F(ThroughPeer, a_silent_source_is_waited_for_until_the_deadline_or_a_stop) {
  auto through = ReadThrough::open(peer.url(), serving.cache(), {.deadline = 300ms});
  ASSERT_TRUE(through);
  peer.script({Json{{"kind", "hang"}}});
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = through->get("episodes", "ep-0000");
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_GE(took, 290ms);
  EXPECT_LT(took, 5s);
  const ReadThrough patient = open(peer.url(), {.deadline = 60s});
  std::stop_source stop;
  const std::jthread stopper([&] {
    EXPECT_TRUE(peer.wait_until([](const Json& stats) { return stats["hanging"] >= 1; }));
    stop.request_stop();
  });
  EXPECT_EQ(patient.get("episodes", "ep-0000", stop.get_token()).error().code,
            ErrorCode::cancelled);
}

TEST_F(ThroughPeer, threads_share_one_and_each_gets_its_own_answer) {
  const ReadThrough through = open(peer.url(), {.deadline = 30s});
  peer.set({{"latency_ms", 2}});
  std::vector<std::jthread> threads;
  std::array<int, 4> right{};
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = "ep-00" + std::to_string(10 + 10 * static_cast<int>(t) + i);
        const auto answer = through.get("episodes", key);
        if (answer && answer->origin == Origin::source && answer->rows.at(0).key() == key) {
          ++right[t];
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, (std::array<int, 4>{10, 10, 10, 10}));
}

TEST_F(ThroughPeer, changed_tables_are_looked_at_again) {
  const ReadThrough through = open(peer.url());
  serving.source.run("ALTER TABLE episodes ADD COLUMN mood TEXT");
  serving.source.run("UPDATE episodes SET mood = 'calm' WHERE episode_id = 'ep-0000'");
  const auto answer = through.get("episodes", "ep-0000");
  expect_presence(answer, Presence::hit, Origin::source);
  EXPECT_EQ(answer->rows.at(0).at("mood")->bytes(), "calm");
  serving.source.run("DROP TABLE embeddings_384");
  serving.source.run("DROP TABLE embeddings_other");
  expect_presence(through.get("embeddings", "em-0200"), Presence::absent, Origin::source);
  serving.source.run("DROP TABLE episodes");
  EXPECT_EQ(through.get("episodes", "ep-0001").error().code, ErrorCode::invalid);
}

TEST(ReadThroughFile, a_stale_cache_answers_or_not_as_the_policy_says) {
  World world;
  world.source.run("INSERT INTO patterns VALUES('p','retry','old')");
  world.source.run("INSERT INTO episodes VALUES('e','x',1,1,NULL)");
  ASSERT_TRUE(world.sync());
  world.source.run("UPDATE patterns SET pattern_data = 'new'");
  ReadThroughOptions options;
  options.reader.max_staleness = -1ms;  // every age is too old
  const auto serve = ReadThrough::open(world.url(), world.cache(), options);
  const auto old = serve->get("patterns", "p");
  expect_presence(old, Presence::hit, Origin::cache);
  EXPECT_EQ(old->rows.at(0).at("pattern_data")->bytes(), "old");
  EXPECT_EQ(old->freshness.state, FreshnessState::stale);
  expect_presence(serve->get("patterns", "none"), Presence::absent, Origin::cache);
  options.reader.when_stale = StalePolicy::fail;
  const auto fail = ReadThrough::open(world.url(), world.cache(), options);
  const auto now = fail->get("patterns", "p");
  expect_presence(now, Presence::hit, Origin::source);
  EXPECT_EQ(now->rows.at(0).at("pattern_data")->bytes(), "new");
  world.source.run("BEGIN EXCLUSIVE");
  EXPECT_EQ(fail->get("patterns", "p").error().code, ErrorCode::unavailable);
  const auto cached = fail->cached("patterns", "p");
  expect_presence(cached, Presence::hit, Origin::cache);
  world.source.run("COMMIT");
}

TEST(ReadThroughFile, never_writes_the_cache) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('e1','one',1,1,NULL),('e2','two',2,1,NULL)");
  ASSERT_TRUE(world.sync_newest(1));
  const std::string before = support::text_of(world.cache());
  const auto through = ReadThrough::open(world.url(), world.cache());
  expect_presence(through->get("episodes", "e1"), Presence::hit, Origin::source);
  EXPECT_TRUE(support::text_of(world.cache()) == before);
  expect_presence(through->cached("episodes", "e1"), Presence::unknown, Origin::cache);
}

TEST(ReadThroughFile, integer_keys_and_keys_that_need_quoting_are_found) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('it''s \"?1\"','quoted',1,1,NULL)");
  world.source.run("INSERT INTO episodes VALUES('z','newest',2,1,NULL)");
  world.source.run("INSERT INTO heuristics VALUES(7,'seven'),(9007199254740993,'large')");
  SyncRequest request;
  request.sync_patterns = false;
  request.max_episodes_cache = 1;
  request.set_scope = true;
  ASSERT_TRUE(world.sync(request));
  const auto through = ReadThrough::open(world.url(), world.cache());
  expect_presence(through->get("episodes", "it's \"?1\""), Presence::hit, Origin::source);
  expect_presence(through->get("heuristics", "7"), Presence::hit, Origin::source);
  expect_presence(through->get("heuristics", "9007199254740993"), Presence::hit, Origin::source);
  for (const char* none : {"07", "7.0", "seven", "", "7; DROP TABLE heuristics"}) {
    expect_presence(through->get("heuristics", none), Presence::absent, Origin::source);
  }
}

TEST(ReadThroughFile, bad_arguments_and_another_source_are_refused_at_open) {
  World world;
  EXPECT_EQ(ReadThrough::open(world.url(), world.cache()).error().code, ErrorCode::invalid);
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(ReadThrough::open("ftp://x", world.cache()).error().code, ErrorCode::invalid);
  EXPECT_NE(ReadThrough::open("file:/tmp/other.db", world.cache()).error().message.find("another"),
            std::string::npos);
  for (const auto deadline : {0ms, 99ms, 600'001ms}) {
    EXPECT_FALSE(ReadThrough::open(world.url(), world.cache(), {.deadline = deadline}));
  }
  const auto through = ReadThrough::open(world.url(), world.cache());
  EXPECT_EQ(through->get("lessons", "x").error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace tidemark
