// Very many rows in one transaction, and what a pass takes of memory for it.
#include <cstdlib>

#include "tests/integration/cli.h"

namespace tidemark {
namespace {

using support::Json;

// What sanitizers take themselves is no measure.
#ifdef TIDEMARK_SANITIZED
constexpr bool kMemoryTells = false;
#else
constexpr bool kMemoryTells = true;
#endif
constexpr long kPeakKibMax = 96L << 10U;
// An anchor outlives so many changes; a cache that is further behind reads everything.
constexpr std::uint64_t kAnchorLives = 100'000;

struct ManyChanges : public support::Cli {
  void insert(std::uint64_t rows) {
    world.source.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                     std::to_string(rows) +
                     ") INSERT INTO patterns SELECT printf('many%08d', i), 'tool', 'first' FROM n");
  }
  // A pass in a process of its own, which ends equal to the source.
  void expect_pass(const std::string& mode, std::uint64_t written, std::uint64_t deleted) {
    const support::Said said = run(sync({"--json"}));
    ASSERT_EQ(said.exit, 0) << said.out << said.err;
    const Json result = Json::parse(said.out)["result"];
    EXPECT_EQ(result["mode"], mode) << result["reason"];
    ASSERT_TRUE(result["collections"].contains("patterns")) << said.out;
    EXPECT_EQ(result["collections"]["patterns"]["upserted"], written);
    EXPECT_EQ(result["collections"]["patterns"]["deleted"], deleted);
    std::printf("%s, %llu written, %llu deleted: %lld ms, at most %ld KiB\n", mode.c_str(),
                static_cast<unsigned long long>(written), static_cast<unsigned long long>(deleted),
                result["duration_ms"].get<long long>(), said.peak_kib);
    if (kMemoryTells) {
      EXPECT_LE(said.peak_kib, kPeakKibMax);
    }
    EXPECT_EQ(
        run({"validate", "--against-source", "--source", world.url(), "--cache", world.cache()})
            .exit,
        0);
  }
};

// Found by its peak of memory: with a million rows a pass that read everything took 142 MiB for the
// keys that were listed, and 203 MiB for those that were not. TIDEMARK_MANY_ROWS=1000000 repeats
// it, in some minutes.
TEST_F(ManyChanges, in_one_transaction_are_caught_up_with_in_bounded_memory) {
  const char* const given = std::getenv("TIDEMARK_MANY_ROWS");
  const std::uint64_t rows = given != nullptr ? std::strtoull(given, nullptr, 10) : 10'000;
  const std::string mode = rows < kAnchorLives ? "delta" : "reconcile";
  ASSERT_EQ(run({"capture", "install", "--source", world.url()}).exit, 0);
  expect_pass("fill", 2, 0);
  insert(rows);
  expect_pass("delta", rows, 0);
  world.source.run("UPDATE patterns SET pattern_data = 'second'");
  expect_pass(mode, rows + 2, 0);
  world.source.run("DELETE FROM patterns");
  expect_pass(mode, 0, rows + 2);
  insert(rows);
  std::filesystem::remove(world.cache());
  expect_pass("fill", rows, 0);
}

// More than are asked for at a time (20,000).
TEST_F(ManyChanges, that_no_list_has_any_more_are_asked_for_in_parts) {
  insert(50'000);
  ASSERT_EQ(run({"capture", "install", "--source", world.url()}).exit, 0);
  expect_pass("fill", 50'002, 0);
  world.source.set_triggers(false);
  world.source.run(
      "DELETE FROM patterns WHERE pattern_id LIKE 'many%' AND "
      "CAST(substr(pattern_id, 5) AS INTEGER) % 10 <> 0");
  world.source.set_triggers(true);
  world.source.run("CREATE INDEX another ON heuristics(condition_text)");  // reads everything
  expect_pass("reconcile", 0, 45'000);
}

}  // namespace
}  // namespace tidemark
