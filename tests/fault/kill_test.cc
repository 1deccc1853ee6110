// kill -9 at random moments of a fill, a reconcile, a repair and a swap, with readers on: nothing
// is lost, nothing is wrong, and nobody has to do anything.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <random>

#include "sync/engine.h"
#include "tests/fault/batches.h"
#include "tests/integration/captured.h"

namespace tidemark::fault {
namespace {

using support::World;

constexpr int kEpisodes = 300;
constexpr int kReaders = 2;

std::string text(long stamp) { return std::to_string(stamp); }

void stamp(World& world, long value) {
  world.source.run("UPDATE episodes SET task_description = '" + text(value) + "'");
}

// One look: every row of a snapshot carries one stamp, no older than the last that was seen.
// Returns 0, or what is wrong.
int look(const Reader& reader, long& seen) {
  const auto snapshot = reader.snapshot();
  if (!snapshot) {
    // A killed writer's file, while the next one is at work on it.
    return snapshot.error().code == ErrorCode::busy ? 0 : 2;
  }
  std::string first;
  int rows = 0;
  bool mixed = false;
  const auto listed = snapshot->scan({.collection = "episodes"}, [&](const Row& row) {
    const std::string now(row.at("task_description")->bytes());
    mixed = mixed || (rows > 0 && now != first);
    first = now;
    ++rows;
    return true;
  });
  if (!listed) return 3;
  if (mixed || rows != kEpisodes || std::stol(first) < seen) return 4;
  seen = std::stol(first);
  const auto none = snapshot->get("episodes", "never");
  if (!none || none->presence() == Presence::hit) return 5;
  const auto one = snapshot->get("episodes", "e7");
  return one && one->presence() == Presence::hit ? 0 : 6;
}

int read_until_stopped(const std::string& cache, int stop) {
  auto reader = Reader::open(cache);
  long seen = -1;
  while (true) {
    char byte = 0;
    if (::read(stop, &byte, 1) == 0) return seen > 0 ? 0 : 7;
    if (!reader) {
      if (reader.error().code != ErrorCode::busy) return 1;
      reader = Reader::open(cache);
      continue;
    }
    if (const int wrong = look(*reader, seen); wrong != 0) return wrong;
  }
}

// What a child does until it is killed.
int work(World& world, int kind) {
  SyncRequest request;
  if (kind == 1) {
    auto syncer = Syncer::open(world.url(), world.cache(), {});
    return syncer->repair() ? 0 : 1;
  }
  request.full = kind == 2;
  return world.sync(request) ? 0 : 1;
}

class Readers {
 public:
  explicit Readers(const std::string& cache) {
    if (::pipe2(stop_, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    for (int n = 0; n < kReaders; ++n) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(stop_[1]);
        ::_exit(read_until_stopped(cache, stop_[0]));
      }
      children_.push_back(child);
    }
  }
  void expect_right() {
    ::close(stop_[1]);
    for (const pid_t child : children_) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0) << "a reader ended with " << WEXITSTATUS(status);
    }
    ::close(stop_[0]);
  }

 private:
  int stop_[2] = {-1, -1};
  std::vector<pid_t> children_;
};

TEST(Kill, at_any_moment_of_a_reconcile_a_repair_or_a_swap_loses_nothing) {
  std::mt19937 random(seed_or(20'261'127));
  const int kills = soaking() ? 1'000 : 200;
  World world;
  world.source.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
                   std::to_string(kEpisodes) +
                   ") INSERT INTO episodes SELECT 'e' || i, '0', i, 1, zeroblob(900) FROM n");
  stamp(world, 1);
  ASSERT_TRUE(world.sync());
  Readers readers(world.cache());
  std::array<long, 3> spans{};  // how long each kind of work takes here, with some to spare
  for (int kind = 0; kind < 3; ++kind) {
    const auto from = std::chrono::steady_clock::now();
    stamp(world, 2);
    ASSERT_EQ(work(world, kind), 0);
    spans[static_cast<std::size_t>(kind)] =
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - from).count() * 5 / 4;
  }
  int killed = 0;
  int runs = 0;
  for (; killed < kills && runs < 20 * kills; ++runs) {
    stamp(world, runs + 3);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(world, runs % 3));
    const long span = std::min(spans[static_cast<std::size_t>(runs % 3)], 999'000'000L);
    const timespec wait{0, static_cast<long>(random() % static_cast<unsigned long>(span))};
    ::nanosleep(&wait, nullptr);  // the random moment itself, not a wait for something
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << runs;
    if (runs % 20 != 19) continue;
    const auto report = world.sync();
    ASSERT_TRUE(report) << runs << ": " << report.error().message;
    world.expect_equal(1'000);
  }
  ASSERT_TRUE(world.sync());
  world.expect_equal(1'000);
  readers.expect_right();
  std::printf("%d kills in %d runs\n", killed, runs);
  EXPECT_EQ(killed, kills);
}

TEST(Kill, at_any_moment_of_a_first_fill_leaves_no_cache_or_a_whole_one) {
  std::mt19937 random(seed_or(20'261'128));
  const int kills = soaking() ? 200 : 40;
  World world;
  world.source.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
                   std::to_string(kEpisodes) +
                   ") INSERT INTO episodes SELECT 'e' || i, '1', i, 1, zeroblob(900) FROM n");
  int killed = 0;
  for (int runs = 0; killed < kills && runs < 20 * kills; ++runs) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(world, 0));
    const timespec wait{0, static_cast<long>(random() % 30'000'000)};
    ::nanosleep(&wait, nullptr);  // the random moment itself, not a wait for something
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    if (!std::filesystem::exists(world.cache())) continue;
    const auto reader = Reader::open(world.cache());
    ASSERT_TRUE(reader) << reader.error().message;
    long seen = -1;
    ASSERT_EQ(look(*reader, seen), 0);
    std::filesystem::remove(world.cache());
  }
  std::printf("%d kills\n", killed);
  EXPECT_EQ(killed, kills);
  ASSERT_TRUE(world.sync());
  world.expect_equal(1'000);
}

// In a child: what it was, by its exit.
int fill_in_small_commits(const World& world) {
  constexpr int kResumed = 10;
  const auto url = turso::parse_source_url(world.url());
  sync::EngineSetup setup;
  setup.url = *url;
  setup.cache = world.cache();
  setup.fill_commit_bytes = 20'000;
  const auto report = sync::run_pass(setup, {}, {});
  if (!report || report->mode != "fill") return 1;
  return report->resumed ? kResumed : 0;
}

// Fills are killed, three in turn, the source changes in between, and the fourth goes on.
TEST(Kill, at_any_moment_of_a_fill_beside_a_log_lets_it_go_on) {
  std::mt19937 random(seed_or(20'261'129));
  const int kills = soaking() ? 400 : 24;
  World world;
  world.source.run("PRAGMA synchronous=OFF");
  world.source.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
                   std::to_string(kEpisodes) +
                   ") INSERT INTO episodes SELECT 'e' || i, '1', i, 1, zeroblob(900) FROM n");
  support::install_capture(world.url());
  const auto from = std::chrono::steady_clock::now();
  ASSERT_EQ(fill_in_small_commits(world), 0);
  const long span = std::min<long>(  // with some to spare
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - from).count() * 5 / 4,
      999'000'000);
  std::filesystem::remove(world.cache());
  int killed = 0;
  int resumed = 0;
  for (int runs = 0; killed < kills && runs < 20 * kills; ++runs) {
    const std::string row = std::to_string(random() % kEpisodes);
    world.source.run("UPDATE episodes SET start_time = start_time + 7 WHERE rowid = 1 + " + row);
    world.source.run("DELETE FROM episodes WHERE episode_id = 'e" + row + "0'");
    world.source.run("INSERT INTO episodes VALUES('n" + std::to_string(runs) + "','1',50,1,'')");
    const pid_t child = ::fork();
    if (child == 0) ::_exit(fill_in_small_commits(world));
    const timespec wait{0, static_cast<long>(random() % static_cast<unsigned long>(span))};
    ::nanosleep(&wait, nullptr);  // the random moment itself, not a wait for something
    if (runs % 4 != 3) ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) != 1) << runs;
    resumed += !WIFSIGNALED(status) && WEXITSTATUS(status) != 0 ? 1 : 0;
    if (!std::filesystem::exists(world.cache())) continue;
    world.expect_equal(1'000);
    std::filesystem::remove(world.cache());
  }
  std::printf("%d kills, %d fills that went on\n", killed, resumed);
  EXPECT_EQ(killed, kills);
  EXPECT_GT(resumed, kills / 10);
}

}  // namespace
}  // namespace tidemark::fault
