// kill -9 at random moments of a fill, a delta, a reconcile, a repair and a swap, with readers on:
// nothing is lost, nothing is wrong, and nobody has to do anything.
#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <random>

#include "cache/scrub.h"
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
    struct pollfd end{stop, POLLIN, 0};  // leaves the processor to the writer for a moment, too
    if (::poll(&end, 1, 2) > 0) return seen > 0 ? 0 : 7;
    if (!reader) {
      if (reader.error().code != ErrorCode::busy) return 1;
      reader = Reader::open(cache);
      continue;
    }
    if (const int wrong = look(*reader, seen); wrong != 0) return wrong;
  }
}

enum Kind : std::size_t { delta, reconcile, repair, swap, kKinds };
constexpr std::array<const char*, kKinds> kNames = {"delta", "reconcile", "repair", "swap"};

// A reader that repairs the file of a killed writer holds the lock for a moment: as cron would, a
// busy pass is tried again.
template <typename Call>
auto unless_busy(Call call) {
  while (true) {
    auto result = call();
    if (result || result.error().code != ErrorCode::busy) return result;
  }
}

// What the source has for a pass of this kind to do.
void prepare(World& world, std::size_t kind, long value) {
  stamp(world, value);
  if (kind != reconcile) return;
  world.source.run("DROP INDEX IF EXISTS other" + text(value % 2));  // another schema than before
  world.source.run("CREATE INDEX IF NOT EXISTS other" + text((value + 1) % 2) +
                   " ON heuristics(condition_text)");
}

// What a child does until it is killed.
int work(World& world, std::size_t kind) {
  if (kind == repair) {
    if (!unless_busy([&] { return cache::mark_needs_repair(world.cache()); })) return 2;
    auto syncer = Syncer::open(world.url(), world.cache(), {});
    return unless_busy([&] { return syncer->repair(); }) ? 0 : 1;
  }
  SyncRequest request;
  request.full = kind == swap;
  return unless_busy([&] { return world.sync(request); }) ? 0 : 1;
}

class Readers {
 public:
  explicit Readers(const std::string& cache) {
    if (::pipe2(stop_, O_CLOEXEC) != 0) std::abort();
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

void fill_source(World& world, const std::string& value) {
  world.source.run("PRAGMA synchronous = OFF");  // nothing kills the source
  world.source.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
                   std::to_string(kEpisodes) + ") INSERT INTO episodes SELECT 'e' || i, '" + value +
                   "', i, 1, zeroblob(900) FROM n");
}

// Kills the child at a random moment of `span`; whether it was still alive.
bool kill_within(pid_t child, long span, std::mt19937& random) {
  span = std::min(span, 999'000'000L);
  const timespec wait{0, static_cast<long>(random() % static_cast<unsigned long>(span))};
  ::nanosleep(&wait, nullptr);  // the random moment itself, not a wait for something
  ::kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
  return WIFSIGNALED(status);
}

// How long each kind of work takes here, with some to spare.
std::array<long, kKinds> measure(World& world) {
  std::array<long, kKinds> spans{};
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    prepare(world, kind, 2);
    const auto from = std::chrono::steady_clock::now();
    EXPECT_EQ(work(world, kind), 0) << kNames[kind];
    spans[kind] = std::chrono::nanoseconds(std::chrono::steady_clock::now() - from).count() * 5 / 4;
  }
  return spans;
}

TEST(Kill, at_any_moment_of_a_delta_a_reconcile_a_repair_or_a_swap_loses_nothing) {
  std::mt19937 random(seed_or(20'261'127));
  const int kills = soaking() ? 1'000 : 200;
  World world;
  fill_source(world, "1");
  support::install_capture(world.url());
  ASSERT_TRUE(world.sync());
  Readers readers(world.cache());
  const std::array<long, kKinds> spans = measure(world);
  std::array<int, kKinds> killed{};
  int total = 0;
  int runs = 0;
  for (; total < kills && runs < 20 * kills && !HasFailure(); ++runs) {
    const std::size_t kind = static_cast<std::size_t>(runs) % kKinds;
    prepare(world, kind, runs + 3);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(world, kind));
    const bool died = kill_within(child, spans[kind], random);
    killed[kind] += died ? 1 : 0;
    total += died ? 1 : 0;
    if (runs % 20 != 19) continue;
    const auto report = unless_busy([&] { return world.sync(); });
    ASSERT_TRUE(report) << runs << ": " << report.error().message;
    world.expect_equal(1'000);
  }
  ASSERT_TRUE(unless_busy([&] { return world.sync(); }));
  world.expect_equal(1'000);
  readers.expect_right();
  std::printf("%d kills in %d runs:", total, runs);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    std::printf(" %s %d", kNames[kind], killed[kind]);
    EXPECT_GT(killed[kind], 0) << kNames[kind];
  }
  std::printf("\n");
  EXPECT_EQ(total, kills);
}

TEST(Kill, at_any_moment_of_a_first_fill_leaves_no_cache_or_a_whole_one) {
  std::mt19937 random(seed_or(20'261'128));
  const int kills = soaking() ? 200 : 40;
  World world;
  fill_source(world, "1");
  int killed = 0;
  for (int runs = 0; killed < kills && runs < 20 * kills && !HasFailure(); ++runs) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(world, delta));
    killed += kill_within(child, 30'000'000, random) ? 1 : 0;
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
  fill_source(world, "1");
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
