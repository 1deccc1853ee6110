// The machine loses its power at random moments of a fill, a delta, a reconcile, a repair and a
// swap. What a pass had said was done is there; what was under way is there whole or not at all;
// and nobody has to do anything.
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <random>

#include "tests/fault/batches.h"
#include "tests/fault/power/disk.h"
#include "tests/fault/stamped.h"
#include "tests/integration/captured.h"

namespace tidemark::fault {
namespace {

using support::World;

constexpr std::uint64_t kNever = 0;  // before the work is done

class PowerLossTest : public ::testing::Test {
 protected:
  PowerLossTest()
      : operations_(new(::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<std::uint64_t>(0)) {
    fill_source(world_, "1");
  }
  ~PowerLossTest() override { ::munmap(operations_, sizeof *operations_); }

  // The exit of a child that does this until the power fails, at the latest when it is done.
  template <typename Work>
  int run(std::uint64_t at, const Work& work) {
    *operations_ = 0;
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kCaseSeconds);
      lose_power({world_.cache(), at, static_cast<unsigned>(random_()), lies_, operations_});
      lose_power_now(work());
    }
    random_.discard(1);  // as the child did
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // How many operations it takes.
  template <typename Work>
  std::uint64_t measure(const Work& work) {
    EXPECT_EQ(run(kNever, work), 0);
    EXPECT_GT(*operations_, 0U);
    return *operations_;
  }

  // Any, and often one of the last, where what is new takes the place of what was, or the moment
  // after the last.
  std::uint64_t moment_of(std::uint64_t length) {
    constexpr std::uint64_t kLast = 8;
    const std::uint64_t from = random_() % 2 == 0 || length < kLast ? 0 : length - kLast;
    return from + 1 + random_() % (length - from + 1);
  }

  // What a reader says of the cache; repairs it, as readers do.
  int look_at_cache(long& seen) const {
    const auto reader = unless_busy([&] { return Reader::open(world_.cache()); });
    return reader ? look(*reader, seen) : 1;
  }

  World world_;
  std::mt19937 random_{seed_or(20'261'130)};
  bool lies_ = false;
  std::atomic<std::uint64_t>* operations_;
};

TEST_F(PowerLossTest, at_any_moment_of_a_pass_loses_nothing_that_was_done) {
  const int losses = soaking() ? 4'000 : 200;
  support::install_capture(world_.url());
  ASSERT_TRUE(world_.sync());
  std::array<std::uint64_t, kKinds> lengths{};
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    prepare(world_, kind, 2);
    lengths[kind] = measure([&] { return work(world_, kind); });
  }
  std::array<int, kKinds> lost{};
  int total = 0;
  long seen = 2;
  for (int runs = 0; total < losses && runs < 4 * losses && !HasFailure(); ++runs) {
    const std::size_t kind = static_cast<std::size_t>(runs) % kKinds;
    const long value = runs + 3;
    prepare(world_, kind, value);
    const std::uint64_t at = moment_of(lengths[kind]);
    const int ended = run(at, [&] { return work(world_, kind); });
    ASSERT_TRUE(ended == 0 || ended == kPowerLost) << kNames[kind] << " " << at << ": " << ended;
    lost[kind] += ended == kPowerLost ? 1 : 0;
    total += ended == kPowerLost ? 1 : 0;
    ASSERT_EQ(look_at_cache(seen), 0) << kNames[kind] << ", operation " << at;
    ASSERT_TRUE(ended == kPowerLost || seen == value) << kNames[kind] << ", operation " << at;
    if (runs % 10 != 9) continue;
    const auto report = world_.sync();
    ASSERT_TRUE(report) << runs << ": " << report.error().message;
    world_.expect_equal(1'000);
    seen = value;
  }
  std::printf("%d losses:", total);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    std::printf(" %s %d", kNames[kind], lost[kind]);
    EXPECT_GT(lost[kind], losses / 20) << kNames[kind];
  }
  std::printf("\n");
}

TEST_F(PowerLossTest, at_any_moment_of_a_first_fill_leaves_no_cache_or_a_whole_one) {
  const int losses = soaking() ? 1'000 : 50;
  const auto fill = [&] { return work(world_, delta); };
  const std::uint64_t length = measure(fill);
  int done = 0;
  for (int n = 0; n < losses && !HasFailure(); ++n) {
    std::filesystem::remove(world_.cache());
    const std::uint64_t at = moment_of(length);
    const int ended = run(at, fill);
    ASSERT_TRUE(ended == 0 || ended == kPowerLost) << at << ": " << ended;
    done += ended == 0 ? 1 : 0;
    const bool there = std::filesystem::exists(world_.cache());
    ASSERT_TRUE(there || ended == kPowerLost) << "it was done";
    if (!there) continue;
    long seen = -1;
    ASSERT_EQ(look_at_cache(seen), 0) << "operation " << at;
  }
  EXPECT_GT(done, 0);
  ASSERT_TRUE(world_.sync());
  world_.expect_equal(1'000);
}

// Three in turn are cut short, the source changes in between, and the fourth goes on.
TEST_F(PowerLossTest, at_any_moment_of_a_fill_beside_a_log_lets_it_go_on) {
  const int losses = soaking() ? 1'000 : 60;
  support::install_capture(world_.url());
  const auto fill = [&] { return fill_in_small_commits(world_); };
  const std::uint64_t length = measure(fill);
  std::filesystem::remove(world_.cache());
  int lost = 0;
  int resumed = 0;
  for (int runs = 0; lost < losses && !HasFailure(); ++runs) {
    const std::string row = std::to_string(random_() % kEpisodes);
    world_.source.run("UPDATE episodes SET start_time = start_time + 7 WHERE rowid = 1 + " + row);
    world_.source.run("DELETE FROM episodes WHERE episode_id = 'e" + row + "0'");
    world_.source.run("INSERT INTO episodes VALUES('n" + std::to_string(runs) + "','1',50,1,'')");
    const int ended = run(runs % 4 == 3 ? kNever : moment_of(length), fill);
    ASSERT_TRUE(ended == 0 || ended == kResumed || ended == kPowerLost) << runs << ": " << ended;
    lost += ended == kPowerLost ? 1 : 0;
    resumed += ended == kResumed ? 1 : 0;
    const bool there = std::filesystem::exists(world_.cache());
    ASSERT_TRUE(there || ended == kPowerLost) << "it was done";
    if (!there) continue;
    world_.expect_equal(1'000);
    std::filesystem::remove(world_.cache());
  }
  std::printf("%d losses, %d fills that went on\n", lost, resumed);
  EXPECT_GT(resumed, losses / 10);
}

// The test of the tests: where syncs do nothing, something of all this is broken. What is read is
// no wrong value even then, but it may be an older one, or an error.
TEST_F(PowerLossTest, of_a_disk_that_lies_is_seen) {
  support::install_capture(world_.url());
  ASSERT_TRUE(world_.sync());
  prepare(world_, delta, 2);
  const auto pass = [&] { return work(world_, delta); };
  const std::uint64_t length = measure(pass);
  lies_ = true;
  int told = 0;
  for (int n = 0; n < 40; ++n) {
    prepare(world_, delta, n + 3);
    run(moment_of(length), pass);
    long seen = -1;
    const int wrong = look_at_cache(seen);
    EXPECT_LT(wrong, 4) << "told as an error, or right";
    told += wrong != 0 ? 1 : 0;
    std::filesystem::remove(world_.cache());
    ASSERT_TRUE(world_.sync());
  }
  std::printf("%d of 40 told\n", told);
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace tidemark::fault
