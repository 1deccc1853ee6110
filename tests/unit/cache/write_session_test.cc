// What a write session keeps true of what it stores: sums, bytes, rows that readers hold.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

// live_bytes is kept row by row; check() walks everything and compares.
TEST(LiveBytes, are_those_of_the_stored_rows_and_entries_whatever_was_put_replaced_or_removed) {
  constexpr unsigned kSeed = 20261125;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const support::SmallCache cache;
  const model::Collection episodes = support::small_catalog().collections[0];
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("k1", 1, "first")}));
  for (int pass = 0; pass < 20; ++pass) {
    auto writer = Writer::open(cache.path, {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    std::vector<EncodedRow> rows;
    std::vector<std::string> gone;
    for (int i = 0; i < 30; ++i) {
      const std::string key = "k" + std::to_string(random() % 60);
      rows.push_back(episode(key, static_cast<std::int64_t>(random() % 1'000),
                             std::string(random() % 300, 'x')));
      gone.push_back("k" + std::to_string(random() % 60));
    }
    ASSERT_TRUE(session->put(episodes, rows));
    ASSERT_TRUE(session->remove(episodes, gone));
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
    const auto checked = check(cache.path, false);
    ASSERT_TRUE(checked);
    ASSERT_TRUE(checked->problems.empty()) << pass << ": " << checked->problems.front();
  }
  auto writer = Writer::open(cache.path, {});
  auto session = writer->begin();
  ASSERT_TRUE(session->drop(episodes));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
  EXPECT_EQ(inspect(cache.path).live_bytes, 0U);
}

TEST(LiveBytes, of_one_row_are_its_key_its_value_and_its_index_entries) {
  const support::SmallCache cache;
  const EncodedRow row = episode("key", 7, "text");
  ASSERT_TRUE(support::write_episodes(cache.path, {row}));
  const std::size_t entry = (1 + 8 + 2) + (1 + 3 + 2);  // a number and a text of 3 bytes
  const std::size_t key_once_more = 3;
  EXPECT_EQ(inspect(cache.path).live_bytes, 3 + row.bytes.size() + entry + key_once_more);
}

TEST(Put, of_one_key_twice_keeps_the_later_row_and_counts_it_once) {
  const support::SmallCache cache;
  const EncodedRow old = episode("a", 1, "old");
  ASSERT_TRUE(support::write_episodes(cache.path, {old, episode("b", 2, "b"), old}));
  auto writer = Writer::open(cache.path, {});
  auto session = writer->begin();
  const std::vector<EncodedRow> rows = {episode("c", 4, "c"), episode("a", 9, "first"),
                                        episode("b", 2, "b"), episode("a", 3, "second")};
  const auto outcomes = session->put(support::small_catalog().collections[0], rows);
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(*outcomes, (std::vector{PutOutcome::inserted, PutOutcome::unchanged,
                                    PutOutcome::unchanged, PutOutcome::updated}));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
  EXPECT_EQ(Reader::open(cache.path)->get("episodes", "a")->row().at("body")->bytes(), "second");
  EXPECT_EQ(inspect(cache.path).counts.at("episodes"), 3U);
  const auto checked = check(cache.path, false);
  ASSERT_TRUE(checked && checked->problems.empty());
}

// Story: a guard that held its transaction took a file from 17 to 272 MB.
TEST(HeldRows, a_thousand_rows_held_through_400_commits_do_not_make_the_file_grow) {
  const support::SmallCache cache;
  const std::string body(1'300, 'x');
  std::vector<EncodedRow> rows;
  for (int i = 0; i < 1'000; ++i) rows.push_back(episode("k" + std::to_string(i), i, body));
  ASSERT_TRUE(support::write_episodes(cache.path, rows));
  const auto reader = Reader::open(cache.path);
  ASSERT_TRUE(reader);
  std::vector<Row> held;
  for (const auto& row : rows) held.push_back((*reader->get("episodes", row.key)).row());

  auto writer = Writer::open(cache.path, {});
  ASSERT_TRUE(writer);
  const auto commit = [&](int n) {
    auto session = writer->begin();
    const std::vector<EncodedRow> changed = {
        episode("k" + std::to_string(n % 50), n + 5'000, body)};
    ASSERT_TRUE(session->put(support::small_catalog().collections[0], changed));
    ASSERT_TRUE(std::move(*session).commit());
  };
  for (int n = 0; n < 50; ++n) commit(n);  // the pages that commits swap between
  const auto before = std::filesystem::file_size(cache.path);
  for (int n = 0; n < 400; ++n) commit(n);
  EXPECT_LE(std::filesystem::file_size(cache.path), before);
  for (std::size_t i = 0; i < held.size(); ++i) {
    ASSERT_EQ(held[i].at("at")->as_int64(), static_cast<std::int64_t>(i));
    ASSERT_EQ(held[i].at("body")->bytes(), body);
  }

  // The same through a held snapshot grows: what is documented, and what shows that this can fail.
  const auto snapshot = reader->snapshot();
  ASSERT_TRUE(snapshot);
  for (int n = 0; n < 400; ++n) commit(n);
  EXPECT_GT(std::filesystem::file_size(cache.path), before);
  ASSERT_TRUE(std::move(*writer).close());
}

// Its name is taken by what cannot be replaced: a folder.
TEST(NewGeneration, that_cannot_be_kept_is_an_error_of_its_checkpoint_and_of_its_close) {
  const support::SmallCache cache;
  const std::string next = generation_path(cache.path);
  std::filesystem::create_directory(next);
  const model::Collection episodes = support::small_catalog().collections[0];
  for (const bool in_checkpoint : {true, false}) {
    auto writer = Writer::create(next, Meta{}, {});
    ASSERT_TRUE(writer) << writer.error().message;
    Result<void> done;
    {
      auto session = writer->begin();
      ASSERT_TRUE(session->put(episodes, std::vector{episode("k1", 1, "first")}));
      done = in_checkpoint ? session->checkpoint() : std::move(*session).commit();
    }
    if (!in_checkpoint) {
      ASSERT_TRUE(done) << done.error().message;
      EXPECT_TRUE(std::filesystem::exists(begun_path(next)));
      done = std::move(*writer).close();
    }
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("rename to " + next), std::string::npos);
  }
  remove_generation(next);
  EXPECT_FALSE(std::filesystem::exists(begun_path(next)));
}

}  // namespace
}  // namespace tidemark::cache
