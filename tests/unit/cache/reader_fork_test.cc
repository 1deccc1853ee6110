// Story: a child that dropped an inherited reader released its parent's shared lock on the file,
// and the parent read wrong rows from then on (3,549 of 95,216).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

std::vector<EncodedRow> stamped(int stamp) {
  std::vector<EncodedRow> rows;
  for (int i = 0; i < 200; ++i) {
    rows.push_back(episode("k" + std::to_string(i), stamp, std::string(400, 'x')));
  }
  return rows;
}

TEST(ReaderFork, a_child_that_drops_everything_and_exits_leaves_the_parents_reads_right) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, stamped(0)));
  std::optional<Reader> reader = std::move(*Reader::open(cache.path));
  for (int stamp = 1; stamp <= 30; ++stamp) {
    std::optional<Snapshot> snapshot = std::move(*reader->snapshot());
    std::optional<Row> row = (*snapshot->get("episodes", "k7")).row();
    const pid_t child = ::fork();
    if (child == 0) {
      const bool refused = !reader->get("episodes", "k1") && !snapshot->get("episodes", "k1") &&
                           reader->get("episodes", "k1").error().code == ErrorCode::invalid;
      row.reset();
      snapshot.reset();
      reader.reset();
      // Inherited handles are leaked on purpose, which LeakSanitizer would tell at a plain exit.
      std::_Exit(refused ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    // The snapshot is still one commit while others are made.
    ASSERT_TRUE(support::write_episodes(cache.path, stamped(stamp)));
    ASSERT_TRUE(support::write_episodes(cache.path, stamped(stamp)));
    for (int i = 0; i < 200; ++i) {
      const auto old = snapshot->get("episodes", "k" + std::to_string(i));
      ASSERT_TRUE(old && *old) << stamp;
      ASSERT_EQ(old->row().at("at")->as_int64(), stamp - 1);
    }
    ASSERT_EQ(reader->get("episodes", "k7")->row().at("at")->as_int64(), stamp);
    ASSERT_EQ(row->at("at")->as_int64(), stamp - 1);
  }
}

}  // namespace
}  // namespace tidemark::cache
