// Several processes on one cache: readers while a pass runs, kills, forks, locks.
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "cache/lock.h"
#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::World;

void stamp(World& world, int value) {
  world.source.run("UPDATE episodes SET task_description = '" + std::to_string(value) + "'");
}

// All rows of one snapshot must carry one stamp. Returns the exit code of a reader process.
int read_until_stopped(const std::string& cache, int stop, bool forks) {
  auto reader = Reader::open(cache);
  if (!reader) return 1;
  long seen = -1;
  while (true) {
    char byte = 0;
    if (::read(stop, &byte, 1) == 0) return seen > 0 ? 0 : 5;
    const auto snapshot = reader->snapshot();
    if (!snapshot) return 2;
    std::string first;
    bool mixed = false;
    const auto listed = snapshot->scan({.collection = "episodes"}, [&](const Row& row) {
      const std::string text(row.at("task_description")->bytes());
      mixed = mixed || (!first.empty() && text != first);
      first = text;
      return true;
    });
    if (!listed || mixed || first.empty() || std::stol(first) < seen) return 3;
    seen = std::stol(first);
    if (!forks) continue;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(reader->get("episodes", "e1") ? 1 : 0);  // inherited: must refuse
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) return 4;
  }
}

TEST(Processes, eight_readers_see_whole_commits_in_order_while_passes_run_and_one_forks) {
  World world;
  for (int i = 0; i < 40; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','0'," +
                     std::to_string(i) + ",1,x'')");
  }
  ASSERT_TRUE(world.sync());
  int stop[2];
  ASSERT_EQ(::pipe2(stop, O_NONBLOCK | O_CLOEXEC), 0);
  std::vector<pid_t> readers;
  for (int n = 0; n < 8; ++n) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(stop[1]);
      ::_exit(read_until_stopped(world.cache(), stop[0], n == 0));
    }
    readers.push_back(child);
  }
  for (int pass = 1; pass <= 200; ++pass) {
    stamp(world, pass);
    SyncRequest request;
    request.full = pass % 25 == 0;  // a new generation now and then
    const auto report = world.sync(request);
    ASSERT_TRUE(report) << report.error().message;
  }
  ::close(stop[1]);
  for (const pid_t reader : readers) {
    int status = 0;
    ASSERT_EQ(::waitpid(reader, &status, 0), reader);
    EXPECT_EQ(status, 0) << "exit " << WEXITSTATUS(status);
  }
  ::close(stop[0]);
}

pid_t pass_of_a_child(World& world, bool full) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  SyncRequest request;
  request.full = full;
  ::_exit(world.sync(request) ? 0 : 1);
}

// At most so long.
void wait_for_end(pid_t child, std::chrono::nanoseconds most) {
  const int ended = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  ASSERT_GE(ended, 0);
  const auto whole = std::chrono::floor<std::chrono::seconds>(most);
  const timespec limit{whole.count(), (most - whole).count()};
  struct pollfd wanted{ended, POLLIN, 0};
  EXPECT_GE(::ppoll(&wanted, 1, &limit, nullptr), 0);
  ::close(ended);
}

// How long the longer kind of pass takes on this machine.
std::chrono::nanoseconds time_of_a_full_pass(World& world) {
  const auto begin = std::chrono::steady_clock::now();
  int status = -1;
  EXPECT_GT(::waitpid(pass_of_a_child(world, true), &status, 0), 0);
  EXPECT_EQ(status, 0);
  return std::chrono::steady_clock::now() - begin;
}

TEST(Processes, a_kill_at_any_moment_leaves_a_cache_that_reads_and_syncs_on) {
  const unsigned seed = 7;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  World world;
  for (int i = 0; i < 300; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','0'," +
                     std::to_string(i) + ",1,zeroblob(900))");
  }
  ASSERT_TRUE(world.sync_newest(200));
  auto longest = time_of_a_full_pass(world);  // the least of three: one may have met a slow disk
  for (int i = 0; i < 2; ++i) longest = std::min(longest, time_of_a_full_pass(world));
  std::uniform_int_distribution<long> moment(0, longest.count());
  int killed = 0;
  for (int n = 0; n < 50; ++n) {
    stamp(world, n);
    const pid_t child = pass_of_a_child(world, n % 5 == 0);
    wait_for_end(child, std::chrono::nanoseconds(moment(random)));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    const auto reader = Reader::open(world.cache());
    ASSERT_TRUE(reader) << n << ": " << reader.error().message;
    ASSERT_EQ(reader->get("episodes", "e299")->presence(), Presence::hit) << n;
    if (n % 2 == 0) continue;
    const auto report = world.sync();
    ASSERT_TRUE(report) << n << ": " << report.error().message;
    world.expect_equal(200);
  }
  std::printf("%d of 50 were killed in the middle\n", killed);
  EXPECT_GT(killed, 5);
}

TEST(Processes, a_second_sync_is_busy_and_names_the_holder) {
  World world;
  const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
  ASSERT_TRUE(lock);
  const auto report = world.sync();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::busy);
  EXPECT_NE(report.error().message.find(std::to_string(::getpid())), std::string::npos);
  EXPECT_EQ(cache::lock_holder(world.cache()), "pid " + std::to_string(::getpid()));
}

TEST(Processes, a_stop_before_the_end_is_cancelled_and_leaves_the_cache_as_it_was) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('e1','old',1,1,x'')");
  ASSERT_TRUE(world.sync());
  stamp(world, 1);
  std::stop_source stop;
  SyncRequest request;
  request.progress = [&](const Progress& progress) {
    if (progress.phase == "validate") stop.request_stop();
  };
  auto syncer = Syncer::open(world.url(), world.cache(), {});
  const auto report = syncer->sync(stop.get_token(), request);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::cancelled);
  EXPECT_EQ(world.cached("episodes", "task_description").at("e1"), "old");
}

}  // namespace
}  // namespace tidemark
