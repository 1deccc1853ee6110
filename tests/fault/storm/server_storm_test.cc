// The real Turso server under random writes, with a syncing process that is killed every few
// hundred milliseconds and eight readers: what they read was at the source, and once all is quiet
// one pass ends equal to it.
#include <thread>

#include "tests/fault/batches.h"
#include "tests/fault/storm/passes.h"
#include "tests/fault/storm/readers.h"
#include "tests/fault/storm/truth.h"
#include "tests/fault/storm/writer.h"

namespace tidemark::storm {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::seconds duration() {
  const char* const given = std::getenv("TIDEMARK_STORM_SECONDS");
  return std::chrono::seconds(given != nullptr ? std::atoi(given) : 10);
}

class Storm : public testing::Test {
 protected:
  Storm() {
    support::SqliteSource(folder.file("source.db")).run(kSchema);
    source = std::make_unique<ServedSource>(folder.file("source.db"));
  }
  support::Said program(std::vector<std::string> words) {
    words.insert(words.end(), {"--source", source->url()});
    return support::run_program(TIDEMARK_PROGRAM, std::move(words), folder.file(""), {});
  }
  support::TempFolder folder;
  std::unique_ptr<ServedSource> source;
  std::string cache = folder.file("cache.redb");
};

void print(const Passes& passes, const Application& application, const Shared& shared) {
  std::printf("%lld s: %zu writes; passes:", static_cast<long long>(duration().count()),
              application.writes());
  for (const auto& [what, count] : passes.counts) std::printf(" %s %d", what.c_str(), count);
  std::printf("; %llu looks of %zu readers at %llu rows, %llu of them consistent\n",
              static_cast<unsigned long long>(shared.looks), kReaders,
              static_cast<unsigned long long>(shared.rows),
              static_cast<unsigned long long>(shared.consistent));
}

TEST_F(Storm, of_writes_and_kills_ends_equal_and_no_reader_sees_what_never_was) {
  const unsigned seed = fault::seed_or(20'261'129);
  const SharedMemory shared;
  Application application(*source, *shared, seed);
  application.begin();
  ASSERT_EQ(program({"capture", "install"}).exit, 0);
  Passes passes(source->url(), cache, seed);
  ASSERT_EQ(passes.quiet({"sync", "--max-episodes-cache", std::to_string(kWindow)}), 0);
  Readers readers(cache, *shared);  // forked before there is a second thread
  const auto end = Clock::now() + duration();
  std::atomic<bool> give_up{false};
  std::thread syncing([&] { passes.run_until(end, give_up); });
  std::mt19937 random(seed + 1);
  std::string failed;
  for (std::size_t n = 1; Clock::now() < end && failed.empty(); ++n) {
    try {
      application.step();
      // What an administrator does, and what makes a cache doubt.
      if (n % 60 == 0) program({"capture", "prune", "--keep", std::to_string(random() % 50)});
      if (n % 100 == 0) source->execute("DROP TRIGGER tidemark_update_patterns");
      if (n % 100 == 20) program({"capture", "install"});
    } catch (const std::exception& error) {
      failed = error.what();
    }
  }
  give_up = !failed.empty();
  syncing.join();
  ASSERT_EQ(failed, "");
  EXPECT_EQ(passes.problem, "");
  ASSERT_EQ(program({"capture", "install"}).exit, 0);
  EXPECT_EQ(passes.quiet(), 0);
  expect_equal(cache, application);
  readers.stop();
  EXPECT_EQ(program({"validate", "--against-source", "--cache", cache}).exit, 0);
  print(passes, application, *shared);
  EXPECT_GT(passes.counts["delta"], 0);
  EXPECT_GT(passes.counts["killed"], 0);
  EXPECT_GT(shared->looks, kReaders);
}

}  // namespace
}  // namespace tidemark::storm
