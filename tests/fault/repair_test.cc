// Damage is healed without a person: by the next pass, or by `repair` when it is asked for.
#include <random>

#include "cache/index.h"
#include "cache/lock.h"
#include "cache/mend.h"
#include "cache/meta_store.h"
#include "tests/fault/damaged_file.h"
#include "tests/fault/known_cache.h"

namespace tidemark::fault {
namespace {

using support::World;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
constexpr std::size_t kRepairs = 100;  // sanitized builds, where each takes many times as long
#else
constexpr std::size_t kRepairs = 500;
#endif

Result<RepairReport> repair(World& world) {
  TIDEMARK_ASSIGN(syncer, Syncer::open(world.url(), world.cache(), {}));
  return syncer.repair();
}

void add_rows(World& world) {
  world.source.run("INSERT INTO episodes VALUES('e1','one',1,1,x''),('e2','two',2,1,x'')");
  world.source.run("INSERT INTO patterns VALUES('p1','retry','{}'),('p2','plan','{}')");
  world.source.run("INSERT INTO embeddings VALUES('v1','e1','episode',NULL,x'0000803F00000040',2)");
}

// Damage that redb's checksums know nothing of: written through redb itself.
void change(const std::string& cache, redb::TableName table, std::string_view key,
            std::optional<std::string_view> value) {
  redb::OpenOptions open;
  open.mode = redb::OpenOptions::Mode::open_or_create;
  auto db = redb::Database::open(cache, open);
  ASSERT_TRUE(db);
  auto txn = db->begin_write();
  const redb::Change change{key, value};
  ASSERT_TRUE(txn->apply(table, std::span(&change, 1)));
  ASSERT_TRUE(std::move(*txn).commit());
  ASSERT_TRUE(std::move(*db).close());
}

bool has(const std::string& path) { return std::filesystem::exists(path); }

TEST(Repair, of_a_flipped_bit_anywhere_ends_equal_to_the_source) {
  std::mt19937_64 random(seed_or(20'261'126));
  const KnownCache known;
  std::vector<std::size_t> bits;
  const std::size_t count = soaking() ? 10 * kRepairs : kRepairs;
  while (bits.size() < count) {
    // A fifth of them in redb's header.
    const std::size_t bytes = bits.size() % 5 == 0 ? 4'096 : known.intact.size();
    bits.push_back(random() % (bytes * 8));
  }
  Outcomes outcomes(bits.size());
  const std::string url = known.world.url();
  run_cases(outcomes, [&](unsigned worker) -> Case {
    const std::string path = known.world.folder.file("repaired" + std::to_string(worker));
    std::filesystem::copy_file(known.world.cache() + ".stats", path + ".stats");
    return [&, path](std::size_t n) {
      std::string damaged = known.intact;
      damaged[bits[n] / 8] = static_cast<char>(damaged[bits[n] / 8] ^ (1 << (bits[n] % 8)));
      std::ofstream(path, std::ios::binary) << damaged;
      SyncConfig config;
      config.max_episodes_cache = 500;
      auto syncer = Syncer::open(url, path, config);
      const auto done = syncer->repair();
      if (!done) return wrong;
      if (known.judge_contents(path) != harmless) return wrong;
      return done->problems.empty() ? harmless : done->kept_as.empty() ? by_scrub : by_open;
    };
  });
  auto counts = report(outcomes, "repairs (by open: filled anew, by scrub: mended)",
                       [&](std::size_t n) { return std::to_string(bits[n]); });
  EXPECT_GT(counts[by_open], 0U);
}

TEST(Heal, a_row_that_does_not_match_its_hash_is_fetched_again_by_the_next_pass) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  change(world.cache(), cache::data_table("patterns"), "p1", "not a row");
  const auto reader = Reader::open(world.cache());
  const auto found = reader->get("patterns", "p1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::corrupt);
  EXPECT_NE(found.error().hint.find("tidemark repair"), std::string::npos);
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "scan");
  EXPECT_NE(report->reason.find("repaired"), std::string::npos) << report->reason;
  world.expect_equal(1'000);
  EXPECT_FALSE(has(cache::corrupt_path(world.cache())));
}

// Its page is sound, and a reader has checked the row before, where it lies: it is checked again.
TEST(Heal, a_row_that_changed_without_its_hash_is_told_by_a_reader_that_knew_it) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  const auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader);
  std::string bytes;
  {
    auto db = redb::Database::open(world.cache(), {});
    auto txn = db->begin_read();
    bytes = (*txn->get(cache::data_table("patterns"), "p1"))->bytes();
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(reader->get("patterns", "p1")->presence(), Presence::hit);
    ASSERT_EQ(reader->get("patterns", "p1")->presence(), Presence::hit);
    std::string changed = bytes;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    change(world.cache(), cache::data_table("patterns"), "p1", changed);
    const auto found = reader->get("patterns", "p1");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    change(world.cache(), cache::data_table("patterns"), "p1", bytes);
  }
}

TEST(Heal, a_lost_row_is_never_absent_and_comes_back) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  change(world.cache(), cache::data_table("patterns"), "p1", std::nullopt);
  {
    const auto reader = Reader::open(world.cache());
    const auto found = reader->get("patterns", "p1");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    EXPECT_EQ(reader->get("patterns", "p3")->presence(), Presence::absent);
  }
  const auto checked = check(world.cache(), false);
  ASSERT_TRUE(checked);
  EXPECT_FALSE(checked->problems.empty());
  EXPECT_TRUE(checked->marked);
  const auto reader = Reader::open(world.cache());
  EXPECT_EQ(reader->get("patterns", "p3")->presence(), Presence::unknown);
  EXPECT_EQ(reader->freshness()->state, FreshnessState::needs_repair);
  ASSERT_TRUE(world.sync());
  world.expect_equal(1'000);
  EXPECT_EQ(reader->get("patterns", "p3")->presence(), Presence::absent);
  EXPECT_EQ(reader->freshness()->state, FreshnessState::fresh);
}

TEST(Heal, indexes_that_do_not_agree_are_built_anew) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  const std::string table = cache::newest_table("episodes");
  change(world.cache(), cache::index_table(table), "an entry of no row", "");
  const auto done = repair(world);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(done->problems.empty());
  EXPECT_EQ(done->rows_dropped, 0U);
  EXPECT_EQ(done->kept_as, "");
  world.expect_equal(1'000);
}

TEST(Heal, damaged_meta_is_beyond_mending_and_keeps_the_file_and_its_scope) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync_newest(1));
  change(world.cache(), cache::kMetaTable, "state", "flipped");
  EXPECT_EQ(Reader::open(world.cache()).error().code, ErrorCode::corrupt);
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "fill");
  EXPECT_NE(report->reason.find("damaged"), std::string::npos) << report->reason;
  EXPECT_TRUE(has(cache::corrupt_path(world.cache())));
  world.expect_equal(1);
}

TEST(Heal, nothing_is_done_to_a_sound_cache) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  const auto done = repair(world);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->problems.empty());
  EXPECT_EQ(done->sync.mode, "scan");
  world.expect_equal(1'000);
}

TEST(Heal, a_file_that_never_was_a_cache_and_that_of_another_source_are_refused) {
  World world;
  add_rows(world);
  std::ofstream(world.cache()) << "letters";
  EXPECT_EQ(repair(world).error().code, ErrorCode::invalid);
  std::filesystem::remove(world.cache());
  World other;
  add_rows(other);
  ASSERT_TRUE(other.sync());
  std::filesystem::copy_file(other.cache(), world.cache());
  EXPECT_EQ(repair(world).error().code, ErrorCode::invalid);
  EXPECT_FALSE(has(cache::corrupt_path(world.cache())));
  auto syncer = Syncer::open(world.url(), world.cache(), {});
  EXPECT_EQ(syncer->rebuild().error().code, ErrorCode::invalid);
  ASSERT_TRUE(syncer->rebuild({}, {}, true));
  // Now it is a cache of this source: adopting moves nothing, and meets no CACHE.foreign.
  const auto again = syncer->rebuild({}, {}, true);
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_TRUE(has(world.cache() + ".foreign"));
  world.expect_equal(1'000);
}

TEST(Heal, a_repair_waits_for_nobody_and_names_the_holder) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
  EXPECT_EQ(repair(world).error().code, ErrorCode::busy);
}

TEST(Audit, names_what_differs_and_commits_nothing) {
  World world;
  add_rows(world);
  ASSERT_TRUE(world.sync());
  auto syncer = Syncer::open(world.url(), world.cache(), {});
  auto audit = syncer->validate();
  ASSERT_TRUE(audit) << audit.error().message;
  EXPECT_FALSE(audit->differs());
  EXPECT_EQ(audit->collections.at("episodes").equal, 2U);
  world.source.run("UPDATE episodes SET task_description = 'new' WHERE episode_id = 'e1'");
  world.source.run("DELETE FROM patterns WHERE pattern_id = 'p1'");
  world.source.run("INSERT INTO patterns VALUES('p3','retry','{}')");
  const std::uint64_t before = Reader::open(world.cache())->snapshot()->commit_id();
  audit = syncer->validate();
  ASSERT_TRUE(audit);
  EXPECT_TRUE(audit->differs());
  EXPECT_EQ(audit->collections.at("episodes").different, 1U);
  EXPECT_EQ(audit->collections.at("patterns").missing, 1U);
  EXPECT_EQ(audit->collections.at("patterns").surplus, 1U);
  EXPECT_EQ(audit->collections.at("episodes").keys, std::vector<std::string>{"e1"});
  EXPECT_EQ(Reader::open(world.cache())->snapshot()->commit_id(), before);
  EXPECT_EQ(world.cached("episodes", "task_description").at("e1"), "one");
}

}  // namespace
}  // namespace tidemark::fault
