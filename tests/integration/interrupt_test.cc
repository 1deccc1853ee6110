// Ctrl-C of the built program, whatever it waits for: exit 130 within a second, an envelope, and
// the cache as it was.
#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>

#include "cache/files.h"
#include "cache/lock.h"
#include "tests/integration/serving.h"

namespace tidemark {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::ChildProcess;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLookInterval{2};  // between two looks at what the program does
constexpr seconds kPatience{30};          // a busy machine may start it late

class Interrupt : public ::testing::Test {
 protected:
  ChildProcess start_sync(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"env",
                                      "-i",
                                      "HOME=" + world_.folder.file(""),
                                      TIDEMARK_PROGRAM,
                                      "--json",
                                      "sync",
                                      "--source",
                                      url,
                                      "--cache",
                                      world_.cache()};
    words.insert(words.end(), more.begin(), more.end());
    return {words, ChildProcess::Output::pipe, world_.folder.file("stderr")};
  }
  // Looks until `seen` holds; false when the program ends before.
  static bool wait_until(const ChildProcess& program, const std::function<bool()>& seen) {
    const auto deadline = Clock::now() + kPatience;
    while (!seen()) {
      if (Clock::now() > deadline || program.ends_within(kLookInterval)) return false;
    }
    return true;
  }
  bool holds_lock(const ChildProcess& program) const {
    return cache::lock_holder(world_.cache()) == "pid " + std::to_string(program.pid());
  }
  bool fills() const {
    constexpr std::uintmax_t kSomeRows = 1 << 20;
    const std::string next = cache::generation_path(world_.cache());
    return std::ranges::any_of(std::array{next, cache::begun_path(next)}, [](const auto& path) {
      std::error_code none;
      const auto bytes = std::filesystem::file_size(path, none);
      return !none && bytes > kSomeRows;
    });
  }
  void expect_interrupted(ChildProcess& program) const {
    const auto sent = Clock::now();
    program.signal(SIGINT);
    ASSERT_TRUE(program.ends_within(seconds(10)));
    EXPECT_LT(Clock::now() - sent, seconds(1));
    const json envelope = json::parse(program.read_line(seconds(1)), nullptr, false);
    EXPECT_EQ(program.wait(), 130);
    ASSERT_TRUE(envelope.is_object());
    EXPECT_EQ(envelope["exit"], 130);
    EXPECT_EQ(envelope["error"]["code"], "cancelled");
    for (const auto& entry : std::filesystem::directory_iterator(world_.folder.file(""))) {
      EXPECT_EQ(entry.path().string().find(".next"), std::string::npos) << entry.path();
    }
  }
  void fill_cache() {
    ASSERT_TRUE(world_.sync("file:" + world_.database()));
    before_ = support::contents(world_.cache());
    world_.source.run("UPDATE patterns SET pattern_data = 'new'; DELETE FROM heuristics");
  }
  void expect_as_before() const { EXPECT_EQ(support::contents(world_.cache()), before_); }
  void add_many_rows() {
    world_.source.run(
        "INSERT INTO episodes(episode_id, start_time, context) WITH RECURSIVE c(i) AS (SELECT 1 "
        "UNION ALL SELECT i + 1 FROM c WHERE i < 60000) SELECT 'many-' || i, i, "
        "hex(zeroblob(500)) FROM c");
  }
  const std::vector<std::string> everything_ = {"--max-episodes-cache", "1000000", "--set-scope"};

  support::Serving world_;
  std::map<std::string, std::vector<std::string>> before_;
};

TEST_F(Interrupt, of_a_first_fill_from_a_silent_server_leaves_no_cache) {
  support::HranaPeer peer(world_.database());
  peer.script({json{{"kind", "hang"}, {"contains", "pattern_data"}}});
  ChildProcess program = start_sync(peer.url());
  ASSERT_TRUE(peer.wait_until([](const json& stats) { return stats["hanging"] > 0; }, kPatience));
  expect_interrupted(program);
  EXPECT_FALSE(std::filesystem::exists(world_.cache()));
}

TEST_F(Interrupt, of_a_pass_over_a_silent_server_leaves_the_cache_as_it_was) {
  support::HranaPeer peer(world_.database());
  ASSERT_TRUE(world_.sync(peer.url()));
  before_ = support::contents(world_.cache());
  world_.source.run("UPDATE patterns SET pattern_data = 'new'");
  peer.script({json{{"kind", "hang"}, {"contains", "pattern_data"}}});
  ChildProcess program = start_sync(peer.url());
  ASSERT_TRUE(peer.wait_until([](const json& stats) { return stats["hanging"] > 0; }, kPatience));
  expect_interrupted(program);
  expect_as_before();
}

TEST_F(Interrupt, while_the_source_file_is_locked_leaves_the_cache_as_it_was) {
  world_.source.run("PRAGMA journal_mode=DELETE");  // a WAL file would still be read
  fill_cache();
  world_.source.run("BEGIN EXCLUSIVE");
  ChildProcess program = start_sync("file:" + world_.database());
  ASSERT_TRUE(wait_until(program, [&] { return holds_lock(program); }));
  EXPECT_FALSE(program.ends_within(milliseconds(300)));  // it waits for the file
  expect_interrupted(program);
  world_.source.run("COMMIT");
  expect_as_before();
}

// A pass met a lock of a moment with exit 3 at once: the wait had no deadline yet.
TEST_F(Interrupt, is_not_needed_for_a_lock_that_is_soon_given_up) {
  world_.source.run("PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
  ChildProcess program = start_sync("file:" + world_.database());
  ASSERT_TRUE(wait_until(program, [&] { return holds_lock(program); }));
  EXPECT_FALSE(program.ends_within(milliseconds(300)));
  world_.source.run("COMMIT");
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(Interrupt, of_a_first_fill_from_a_file_leaves_no_cache) {
  add_many_rows();
  ChildProcess program = start_sync("file:" + world_.database(), everything_);
  ASSERT_TRUE(wait_until(program, [&] { return fills(); }));
  expect_interrupted(program);
  EXPECT_FALSE(std::filesystem::exists(world_.cache()));
}

TEST_F(Interrupt, of_a_fill_beside_a_cache_leaves_that_cache) {
  fill_cache();
  add_many_rows();
  auto words = everything_;
  words.emplace_back("--full");
  ChildProcess program = start_sync("file:" + world_.database(), words);
  ASSERT_TRUE(wait_until(program, [&] { return fills(); }));
  expect_interrupted(program);
  expect_as_before();
}

TEST_F(Interrupt, of_a_reconcile_leaves_the_cache_as_it_was) {
  fill_cache();
  add_many_rows();
  ChildProcess program = start_sync("file:" + world_.database(), everything_);
  ASSERT_TRUE(wait_until(program, [&] { return holds_lock(program); }));
  expect_interrupted(program);
  expect_as_before();
}

}  // namespace
}  // namespace tidemark
