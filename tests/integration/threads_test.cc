// Several threads on one Reader while a Syncer of the same process runs passes; TSan watches.
#include <functional>
#include <thread>

#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::World;

constexpr int kPasses = 60;
constexpr int kEpisodes = 40;  // one slice of a scan, so that a scan too is of one commit

void stamp(World& world, int value) {
  world.source.run("UPDATE episodes SET task_description = '" + std::to_string(value) + "'");
}

int stamp_of(const Row& row) { return std::stoi(std::string(row.at("task_description")->bytes())); }

// The one stamp that all rows of a scan carry; -1 when they differ.
template <typename Scanned>
int stamp_of_all(const Scanned& scanned) {
  int first = -1;
  bool mixed = false;
  int rows = 0;
  const auto listed = scanned.scan({.collection = "episodes"}, [&](const Row& row) {
    mixed = mixed || (first >= 0 && stamp_of(row) != first);
    first = stamp_of(row);
    ++rows;
    return true;
  });
  EXPECT_TRUE(listed) << (listed ? "" : listed.error().message);
  return listed && !mixed && rows == kEpisodes ? first : -1;
}

// Reads until the last pass is seen. What is read never fails, is never mixed, never goes back.
void read_to_the_end(const std::function<int()>& read) {
  int seen = 0;
  while (seen < kPasses) {
    const int now = read();
    ASSERT_GE(now, seen);
    seen = now;
  }
}

int get_one(const Reader& reader) {
  const auto found = reader.get("episodes", "e7");
  return found && *found ? stamp_of(found->row()) : -1;
}

int snapshot_all(const Reader& reader) {
  const auto snapshot = reader.snapshot();
  if (!snapshot) return -1;
  const auto again = snapshot->get("episodes", "e0");
  const int all = stamp_of_all(*snapshot);
  return again && *again && stamp_of(again->row()) == all ? all : -1;
}

// Freshness and collections have no stamp: what tells the last pass is read beside them.
int freshness_and_get(const Reader& reader) {
  const auto freshness = reader.freshness();
  const auto collections = reader.collections();
  if (!freshness || freshness->state != FreshnessState::fresh || !freshness->checked_at) return -1;
  return collections && collections->size() == 4 ? get_one(reader) : -1;
}

TEST(Threads, share_one_reader_while_passes_and_new_generations_go_by) {
  World world;
  for (int i = 0; i < kEpisodes; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','0'," +
                     std::to_string(i) + ",1,x'')");
  }
  ASSERT_TRUE(world.sync());
  const auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader);
  const std::function<int()> reads[] = {
      [&] { return get_one(*reader); }, [&] { return stamp_of_all(*reader); },
      [&] { return snapshot_all(*reader); }, [&] { return freshness_and_get(*reader); },
      [&] { return get_one(*reader); }};
  std::vector<std::jthread> threads;  // joined before what they run goes
  for (const auto& read : reads) threads.emplace_back([&read] { read_to_the_end(read); });
  for (int pass = 1; pass <= kPasses; ++pass) {
    stamp(world, pass);
    SyncRequest request;
    request.full = pass % 10 == 0;  // a new generation now and then, and as the last
    const auto report = world.sync(request);
    EXPECT_TRUE(report) << report.error().message;
  }
}

// Rows are handed from thread to thread and outlive the generation that they were read from.
TEST(Threads, a_row_is_read_by_another_thread_after_its_generation_is_gone) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('e7','1',1,1,x'')");
  ASSERT_TRUE(world.sync());
  std::optional<Row> kept;
  std::jthread([&] {
    const auto reader = Reader::open(world.cache());
    ASSERT_TRUE(reader);
    auto found = reader->get("episodes", "e7");
    ASSERT_TRUE(found && *found);
    kept.emplace(std::move(*found).row());
  }).join();
  stamp(world, 2);
  SyncRequest request;
  request.full = true;
  ASSERT_TRUE(world.sync(request));
  std::jthread([&] { EXPECT_EQ(stamp_of(*kept), 1); }).join();
}

}  // namespace
}  // namespace tidemark
