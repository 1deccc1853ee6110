// A delta over a file in which a bit has flipped: the writer copies no damage into sound pages, so
// that every read afterwards is right or told, and `repair` ends equal to the source.
#include <random>

#include "tests/fault/known_cache.h"
#include "tests/integration/captured.h"

namespace tidemark::fault {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
constexpr std::size_t kDeltas = 100;  // sanitized builds, where each takes many times as long
#else
constexpr std::size_t kDeltas = 300;
#endif

using Rows = std::map<std::string, std::string>;  // collection, blank, key -> row

class DamagedDelta : public ::testing::Test {
 protected:
  void SetUp() override {
    fill_source(world_.source);
    support::install_capture(world_.url());
    ASSERT_TRUE(world_.sync_newest(500));
    for (int edit = 1; edit <= 4; ++edit) {  // so that old pages stand where new ones will
      change(edit);
      ASSERT_TRUE(world_.sync());
    }
    std::ifstream file(world_.cache(), std::ios::binary);
    intact_ = {std::istreambuf_iterator<char>(file), {}};
    before_ = read(world_.cache());
    change(5);
    world_.source.run(
        "DELETE FROM episodes WHERE start_time IN (7, 70); DELETE FROM heuristics "
        "WHERE heuristic_id = 110; UPDATE patterns SET pattern_data = 'changed' WHERE "
        "pattern_type = 'type2'");
    const auto delta = world_.sync();
    ASSERT_TRUE(delta) << delta.error().message;
    ASSERT_EQ(delta->mode, "delta");
    after_ = read(world_.cache());
    ASSERT_NE(before_, after_);
  }

  void change(int edit) {
    world_.source.run("UPDATE episodes SET reward = " + std::to_string(edit) +
                      " WHERE start_time % 3 = " + std::to_string(edit % 3));
  }

  static Rows read(const std::string& path) {
    Rows rows;
    const auto reader = Reader::open(path);
    EXPECT_TRUE(reader) << reader.error().message;
    for (const char* const collection : {"episodes", "patterns", "heuristics", "embeddings"}) {
      EXPECT_TRUE(reader->scan({.collection = collection}, [&](const Row& row) {
        rows[std::string(collection) + " " + std::string(row.key())] = flat(row);
        return true;
      }));
    }
    return rows;
  }

  // Each key that there ever was: as it is in one of `states`, or an error that says why not.
  static Outcome judge(const std::string& path, const std::vector<const Rows*>& states,
                       const Rows& keys) {
    const auto reader = Reader::open(path);
    if (!reader) return by_open;
    Outcome outcome = harmless;
    for (const auto& [name, row] : keys) {
      const std::size_t blank = name.find(' ');
      const auto found = reader->get(name.substr(0, blank), name.substr(blank + 1));
      if (!found) {
        if (found.error().code != ErrorCode::corrupt) return wrong;
        outcome = by_read;
        continue;
      }
      const bool right = std::ranges::any_of(states, [&](const Rows* state) {
        const auto at = state->find(name);
        if (found->presence() == Presence::unknown) return true;
        if (found->presence() == Presence::absent) return at == state->end();
        return at != state->end() && at->second == flat(found->row());
      });
      if (!right) return wrong;
    }
    return outcome;
  }

  Outcome run(const std::string& path, std::size_t bit) {
    std::string damaged = intact_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    std::ofstream(path, std::ios::binary) << damaged;
    auto syncer = Syncer::open(world_.url(), path, {});
    if (!syncer) return wrong;
    const auto done = syncer->sync();
    const std::vector<const Rows*> states =
        done ? std::vector<const Rows*>{&after_} : std::vector<const Rows*>{&before_, &after_};
    const Outcome told = judge(path, states, before_);
    if (told == wrong) return wrong;
    const auto repaired = syncer->repair();
    if (!repaired || read(path) != after_) return wrong;
    return done ? told : by_open;
  }

  support::World world_;
  std::string intact_;
  Rows before_;
  Rows after_;
};

TEST_F(DamagedDelta, over_a_flipped_bit_copies_no_damage_and_is_repaired) {
  std::mt19937_64 random(seed_or(20'261'130));
  std::vector<std::size_t> bits;
  const std::size_t count = soaking() ? 10 * kDeltas : kDeltas;
  while (bits.size() < count) bits.push_back(random() % (intact_.size() * 8));
  Outcomes outcomes(bits.size());
  run_cases(outcomes, [&](unsigned worker) -> Case {
    const std::string path = world_.folder.file("delta" + std::to_string(worker));
    return [&, path](std::size_t n) { return run(path, bits[n]); };
  });
  auto counts = report(outcomes, "deltas (by open: the pass failed or the file does not open)",
                       [&](std::size_t n) { return std::to_string(bits[n]); });
  EXPECT_GT(counts[harmless], 0U);
  EXPECT_GT(counts[by_read] + counts[by_open], 0U);
}

}  // namespace
}  // namespace tidemark::fault
