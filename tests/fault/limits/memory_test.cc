// The program with too little memory, from hardly enough to start until it succeeds: each run ends,
// by success, an error or an abort, and leaves a cache that the next pass makes equal.
//
// An allocation that fails in C++ ends the program with exit 1, in Rust, under redb, with SIGABRT:
// both as good as a kill, which the cache survives. What must not be is another signal, a hang or a
// damaged cache.
#include <algorithm>
#include <csignal>

#include "tests/fault/batches.h"
#include "tests/integration/cli.h"
#include "tests/support/child_process.h"

namespace tidemark::fault {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kBytesMax = 1'024 * kMiB;
constexpr std::chrono::milliseconds kLook{5};  // between two looks at a daemon that starts
constexpr int kHung = 124;                     // timeout(1)
constexpr int kLoader = 127;                   // the dynamic loader found no room for a library
constexpr int kAborted = 128 + SIGABRT;

class LittleMemory : public support::Cli {
 protected:
  support::Said limited(const std::string& kind, std::uint64_t bytes,
                        std::vector<std::string> words) {
    std::vector<std::string> all = {"--signal=KILL", "60", "prlimit",
                                    "--" + kind + "=" + std::to_string(bytes), TIDEMARK_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    if (words.front() == "sync") all.insert(all.end(), {"--source", world.url()});
    all.insert(all.end(), {"--cache", world.cache()});
    return support::run_program("/usr/bin/timeout", all, world.folder.file(""), {});
  }
  // The least that `--version` needs: below, the kernel and the loader decide.
  std::uint64_t least(const std::string& kind) {
    for (std::uint64_t bytes = kMiB; bytes < kBytesMax; bytes += kMiB) {
      if (support::run_program(
              "/usr/bin/prlimit",
              {"--" + kind + "=" + std::to_string(bytes), TIDEMARK_PROGRAM, "--version"},
              world.folder.file(""), {})
              .exit == 0) {
        return bytes;
      }
    }
    ADD_FAILURE() << "it never starts";
    return kBytesMax;
  }
  // Ends as a program may; what it ended with.
  int ends_well(const std::string& kind, std::uint64_t bytes, std::vector<std::string> words) {
    const support::Said said = limited(kind, bytes, words);
    const auto tells = [&](const char* words) { return said.err.find(words) != std::string::npos; };
    const bool fine = said.exit == 0 || (said.exit == 1 && tells("out of memory")) ||
                      (said.exit == kAborted && tells("memory allocation of")) ||
                      (said.exit == kLoader && tells("loading shared libraries"));
    EXPECT_TRUE(fine) << words.front() << ", " << kind << " " << bytes
                      << (said.exit == kHung ? ": hangs: " : ": ") << said.exit << " " << said.err;
    return said.exit;
  }
  void expect_whole() {
    envelope(sync(), 0);
    envelope({"validate", "--deep", "--cache", world.cache()}, 0);
    world.expect_equal(1'000);
  }
  // With ever more memory until it ends with 0 twice; `before` each run.
  template <typename Before>
  void squeeze(const std::string& kind, const std::vector<std::string>& words, Before before) {
    std::map<int, int> exits;
    for (std::uint64_t bytes = least(kind); exits[0] < 2; bytes += step()) {
      ASSERT_LT(bytes, kBytesMax) << words.front() << " never succeeds";
      before();
      ++exits[ends_well(kind, bytes, words)];
      if (words.front() == "sync") expect_whole();
      if (HasFailure()) return;
    }
    expect_whole();
    std::printf("%s, %s:", words.front().c_str(), kind.c_str());
    for (const auto& [exit, count] : exits) std::printf(" exit %d %d", exit, count);
    std::printf("\n");
  }
  // A daemon that is asked for a pass, and stopped; -1: by a signal, which its last words explain.
  int live_and_end(const std::string& kind, std::uint64_t bytes) {
    const std::string socket = world.cache() + ".sock";
    std::filesystem::remove(socket);
    support::ChildProcess daemon(
        {"/usr/bin/prlimit", "--" + kind + "=" + std::to_string(bytes), TIDEMARK_PROGRAM, "daemon",
         "--source", world.url(), "--cache", world.cache()},
        support::ChildProcess::Output::none, world.folder.file("daemon.said"));
    bool ended = false;
    while (!ended && !std::filesystem::exists(socket)) ended = daemon.ends_within(kLook);
    world.source.run("UPDATE episodes SET task_description = '" + kind + std::to_string(bytes) +
                     "'");
    const int synced = run(sync()).exit;
    EXPECT_TRUE(synced == 0 || synced == 1 || synced == 5) << synced;
    daemon.signal(SIGTERM);
    EXPECT_TRUE(daemon.ends_within(std::chrono::seconds(60))) << kind << " " << bytes << ": hangs";
    const int exit = daemon.wait();
    const std::string said = support::text_of(world.folder.file("daemon.said"));
    const bool aborted = said.find("memory allocation of") != std::string::npos;
    EXPECT_TRUE((exit >= 0 && exit <= 9) || exit == kLoader || aborted) << exit << " " << said;
    return exit;
  }
  static std::uint64_t step() { return soaking() ? kMiB / 4 : 8 * kMiB; }
  void fill_source() {
    world.source.run("PRAGMA busy_timeout = 20000");  // a pass may be reading
    world.source.run(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
        "INSERT INTO episodes SELECT 'm' || i, 'task ' || i, i, 1, zeroblob(5000) FROM n");
  }
};

const std::vector<std::string> kKinds = {"as", "data"};  // RLIMIT_AS, RLIMIT_DATA

TEST_F(LittleMemory, for_a_first_fill) {
  fill_source();
  for (const std::string& kind : kKinds) {
    squeeze(kind, {"sync"}, [&] { std::filesystem::remove(world.cache()); });
  }
}

TEST_F(LittleMemory, for_a_scan_of_changes) {
  fill_source();
  int n = 0;
  for (const std::string& kind : kKinds) {
    squeeze(kind, {"sync"}, [&] {
      world.source.run("UPDATE episodes SET task_description = 'again " + std::to_string(++n) +
                       "'");
    });
  }
}

TEST_F(LittleMemory, for_readers) {
  fill_source();
  expect_whole();
  for (const std::string& kind : kKinds) {
    squeeze(kind, {"get", "episodes", "e1"}, [] {});
    squeeze(kind, {"list", "episodes"}, [] {});
    squeeze(kind, {"nearest", "--like", "v1"}, [] {});
  }
}

// It starts or it does not; a pass that it is asked for may be its end.
TEST_F(LittleMemory, for_a_daemon) {
  fill_source();
  std::map<int, int> exits;
  for (const std::string& kind : kKinds) {
    const std::uint64_t first = least(kind);
    for (std::uint64_t bytes = first; bytes < first + 64 * kMiB; bytes += 2 * step()) {
      ++exits[live_and_end(kind, bytes)];
      expect_whole();
      if (HasFailure()) return;
    }
  }
  std::printf("daemon:");
  for (const auto& [exit, count] : exits) std::printf(" exit %d %d", exit, count);
  std::printf("\n");
  EXPECT_GT(exits[0], 1);
}

}  // namespace
}  // namespace tidemark::fault
