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

#include "cache/files.h"
#include "tests/fault/batches.h"
#include "tests/fault/stamped.h"
#include "tests/integration/captured.h"

namespace tidemark::fault {
namespace {

using support::World;

constexpr int kReaders = 2;

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

// Fills are killed, three in turn, the source changes in between, and the fourth goes on: always
// where one that was killed left its generation.
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
  const auto enough = [&] { return killed >= kills && resumed > kills / 10; };
  for (int runs = 0; !enough() && runs < 20 * kills && !HasFailure(); ++runs) {
    const std::string row = std::to_string(random() % kEpisodes);
    world.source.run("UPDATE episodes SET start_time = start_time + 7 WHERE rowid = 1 + " + row);
    world.source.run("DELETE FROM episodes WHERE episode_id = 'e" + row + "0'");
    world.source.run("INSERT INTO episodes VALUES('n" + std::to_string(runs) + "','1',50,1,'')");
    const bool left = std::filesystem::exists(cache::generation_path(world.cache()));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(fill_in_small_commits(world));
    const timespec wait{0, static_cast<long>(random() % static_cast<unsigned long>(span))};
    ::nanosleep(&wait, nullptr);  // the random moment itself, not a wait for something
    if (runs % 4 != 3) ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    const int ended = WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
    ASSERT_TRUE(WIFSIGNALED(status) || ended == (left ? kResumed : 0)) << runs << ": " << ended;
    resumed += ended == kResumed ? 1 : 0;
    if (!std::filesystem::exists(world.cache())) continue;
    world.expect_equal(1'000);
    std::filesystem::remove(world.cache());
  }
  std::printf("%d kills, %d fills that went on\n", killed, resumed);
  EXPECT_GE(killed, kills);
  EXPECT_GT(resumed, kills / 10);
}

}  // namespace
}  // namespace tidemark::fault
