// The storage under the cache fails after N operations, for every N of a small pass: then the file
// holds the old or the new state, whole, no reader ever meets another, and the next pass succeeds.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "sync/engine.h"
#include "tests/integration/world.h"
#include "tests/support/small_cache.h"

namespace tidemark {
namespace {

using support::episode;

// More operations than any pass here has: a pass that still fails then never ends.
constexpr std::uint64_t kOperationsMax = 5'000;
// A pass with fewer steps than this was not exercised.
constexpr std::uint64_t kOperationsMin = 10;

// Everything that one commit shows of a collection, as one text.
std::string contents(const Snapshot& snapshot) {
  std::string text;
  const auto listed = snapshot.scan({.collection = "episodes"}, [&](const Row& row) {
    text += row.to_json();
    return true;
  });
  return listed ? text : "error: " + listed.error().message;
}

std::string contents(const std::string& path) {
  const auto reader = Reader::open(path);
  if (!reader) return "error: " + reader.error().message;
  const auto snapshot = reader->snapshot();
  return snapshot ? contents(*snapshot) : "error: " + snapshot.error().message;
}

// Reads on while passes fail. A thread, so that it meets the file at any step.
class Watcher {
 public:
  explicit Watcher(std::string path)
      : path_(std::move(path)), thread_([this](const std::stop_token& stop) { watch(stop); }) {}
  // All that was ever seen; ends the watch.
  std::set<std::string> seen() {
    thread_.request_stop();
    thread_.join();
    return seen_;
  }

 private:
  void watch(const std::stop_token& stop) {
    auto reader = Reader::open(path_);
    while (!stop.stop_requested()) {
      const auto snapshot =
          reader ? reader->snapshot() : Result<Snapshot>(std::unexpected(reader.error()));
      if (snapshot) {
        seen_.insert(contents(*snapshot));
      } else if (snapshot.error().code != ErrorCode::busy) {  // busy: try again in a moment
        seen_.insert("error: " + snapshot.error().message);
      }
      if (!reader) reader = Reader::open(path_);
    }
  }

  const std::string path_;
  std::set<std::string> seen_;
  std::jthread thread_;
};

void expect_intact(const std::string& path, std::uint64_t n) {
  const auto checked = check(path, true);
  ASSERT_TRUE(checked) << n << ": " << checked.error().message;
  ASSERT_TRUE(checked->problems.empty()) << n << ": " << checked->problems.front();
}

// `pass(n)` fails after n operations (0: never); `reset` brings the old state back.
template <typename Reset, typename Pass>
void fail_at_every_operation(const std::string& path, Reset reset, Pass pass) {
  reset();
  const std::string before = contents(path);
  ASSERT_TRUE(pass(0));
  const std::string after = contents(path);
  ASSERT_NE(before, after);
  reset();
  Watcher watcher(path);
  std::uint64_t n = 1;
  std::uint64_t kept_new = 0;
  for (; n < kOperationsMax; ++n) {
    const Result<void> done = pass(n);
    const std::string now = contents(path);
    ASSERT_TRUE(now == after || (!done && now == before)) << n << ": " << now;
    expect_intact(path, n);
    kept_new += !done && now == after ? 1U : 0U;
    const Result<void> again = pass(0);
    ASSERT_TRUE(again) << n << ": " << again.error().message;
    ASSERT_EQ(contents(path), after) << n;
    reset();
    ASSERT_EQ(contents(path), before) << n;
    if (done) break;
  }
  for (const std::string& state : watcher.seen()) {
    EXPECT_TRUE(state == before || state == after) << state;
  }
  std::printf("%llu operations, %llu of their failures after the commit\n",
              static_cast<unsigned long long>(n), static_cast<unsigned long long>(kept_new));
  EXPECT_GT(n, kOperationsMin);
  EXPECT_LT(n, kOperationsMax);
}

std::vector<cache::EncodedRow> rows(int from, int to, const std::string& body) {
  std::vector<cache::EncodedRow> out;
  for (int i = from; i < to; ++i) out.push_back(episode("k" + std::to_string(i), i, body));
  return out;
}

// Puts, replaces and removes in one commit.
Result<void> reconcile(const std::string& path, std::uint64_t fail_after,
                       const std::vector<cache::EncodedRow>& put,
                       const std::vector<std::string>& remove) {
  cache::WriterOptions options;
  options.fail_after_operations = fail_after;
  TIDEMARK_ASSIGN(writer, cache::Writer::open(path, options));
  TIDEMARK_ASSIGN(session, writer.begin());
  const model::Collection episodes = support::small_catalog().collections[0];
  TIDEMARK_TRY(session.put(episodes, put));
  TIDEMARK_TRY(session.remove(episodes, remove));
  TIDEMARK_TRY(std::move(session).commit());
  return std::move(writer).close();
}

TEST(FaultAtEveryOperation, of_a_reconcile_leaves_the_old_or_the_new_state) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, rows(0, 60, std::string(500, 'a'))));
  fail_at_every_operation(
      cache.path,
      [&] { ASSERT_TRUE(reconcile(cache.path, 0, rows(0, 60, std::string(500, 'a')), {"k70"})); },
      [&](std::uint64_t n) {
        auto put = rows(20, 40, std::string(700, 'b'));
        put.push_back(episode("k70", 70, "new"));
        return reconcile(cache.path, n, put, {"k1", "k2"});
      });
}

TEST(FaultAtEveryOperation, of_a_fill_leaves_the_old_generation_until_the_new_one_is_whole) {
  const support::SmallCache cache;
  const auto fill = [&](std::uint64_t fail_after, const std::string& body) -> Result<void> {
    cache::WriterOptions options;
    options.fail_after_operations = fail_after;
    const std::string next = cache::generation_path(cache.path);
    TIDEMARK_ASSIGN(writer, cache::Writer::create(next, cache::Meta{}, options));
    TIDEMARK_ASSIGN(session, writer.begin());
    support::describe(session.edit_meta());
    const model::Collection episodes = support::small_catalog().collections[0];
    TIDEMARK_TRY(session.put(episodes, rows(0, 30, body)));
    TIDEMARK_TRY(session.checkpoint());
    TIDEMARK_TRY(session.put(episodes, rows(30, 60, body)));
    TIDEMARK_TRY(std::move(session).commit());
    TIDEMARK_TRY(std::move(writer).close());
    return cache::install_generation(next, cache.path);
  };
  fail_at_every_operation(
      cache.path, [&] { ASSERT_TRUE(fill(0, std::string(500, 'a'))); },
      [&](std::uint64_t n) { return fill(n, std::string(600, 'b')); });
}

// The same below whole passes of the engine, over a SQLite file.
class EngineFault : public ::testing::Test {
 protected:
  EngineFault() {
    for (int i = 0; i < 30; ++i) {
      world_.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','0'," +
                        std::to_string(i) + ",1,zeroblob(300))");
    }
    world_.source.run("INSERT INTO patterns VALUES('p1','kind','data')");
    world_.source.run("INSERT INTO embeddings VALUES('v1','e29','episode','[1,2]',NULL,2)");
  }

  Result<void> pass(std::uint64_t fail_after, bool full) {
    sync::EngineSetup setup;
    TIDEMARK_ASSIGN(url, turso::parse_source_url(world_.url()));
    setup.url = url;
    setup.cache = world_.cache();
    setup.fail_after_operations = fail_after;
    SyncRequest request;
    request.full = full;
    TIDEMARK_TRY(sync::run_pass(setup, {}, request));
    return {};
  }
  void edit(const std::string& text) {
    world_.source.run("UPDATE episodes SET task_description = '" + text +
                      "' WHERE start_time % 2 = 0");
    world_.source.run("DELETE FROM episodes WHERE episode_id = 'extra'");
    if (text == "new") world_.source.run("INSERT INTO episodes VALUES('extra','x',99,1,x'')");
  }
  void run(bool full) {
    fail_at_every_operation(
        world_.cache(),
        [&] {
          edit("old");
          ASSERT_TRUE(pass(0, false));
        },
        [&](std::uint64_t n) {
          edit("new");
          return pass(n, full);
        });
  }

  support::World world_;
};

TEST_F(EngineFault, at_every_operation_of_a_scan_leaves_the_old_or_the_new_state) { run(false); }
TEST_F(EngineFault, at_every_operation_of_a_fill_leaves_the_old_or_the_new_state) { run(true); }

}  // namespace
}  // namespace tidemark
