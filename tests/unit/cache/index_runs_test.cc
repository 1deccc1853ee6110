// An index that is filled by sorted runs is the one that writing in place makes, whatever happens
// on the way.
#include "cache/index_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "cache/files.h"
#include "cache/index.h"
#include "cache/meta_store.h"
#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

constexpr unsigned kSeed = 20261130;
constexpr std::size_t kInPlaceBytes = 1'000;

class IndexRuns : public ::testing::Test {
 protected:
  Result<Writer> create(const WriterOptions& options = {}) {
    Meta first;
    first.identity.generation = "g1";
    support::describe(first);
    return Writer::create(path_, first, options);
  }

  // Rows in the order of their keys, whose places lie anywhere, in many commits.
  void fill(WriteSession& session, int rows) {
    std::mt19937 random(kSeed);
    std::vector<EncodedRow> batch;
    for (int i = 0; i < rows; ++i) {
      batch.push_back(episode("k" + std::to_string(100'000 + i),
                              static_cast<std::int64_t>(random() % 1'000), "body"));
      if (batch.size() < 50) continue;
      ASSERT_TRUE(session.put(episodes_, batch));
      ASSERT_TRUE(session.checkpoint());
      batch.clear();
    }
  }

  // As the fill that goes on does.
  void settle() const {
    auto writer = Writer::open(path_, {});
    {
      auto session = writer->begin();
      ASSERT_TRUE(session->settle_indexes());
      ASSERT_TRUE(session->checkpoint());
    }
    ASSERT_TRUE(std::move(*writer).close());
  }

  void expect_sound() const {
    const auto checked = check(path_, true);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_TRUE(checked->problems.empty()) << checked->problems.front();
  }

  [[nodiscard]] std::uint64_t runs_kept() const {
    const auto db = redb::Database::open(path_, {});
    const auto txn = db->begin_read();
    const std::string table = runs_table(newest_table("episodes"));
    return *txn->count(index_table(table));
  }

  [[nodiscard]] std::vector<std::string> newest_first() const {
    std::vector<std::string> keys;
    const auto reader = Reader::open(path_);
    EXPECT_TRUE(reader->scan({.collection = "episodes"}, [&](const Row& row) {
      keys.emplace_back(row.key());
      return true;
    }));
    return keys;
  }

  support::SmallCache cache_;
  std::string path_ = generation_path(cache_.path);
  model::Collection episodes_ = support::small_catalog().collections[0];
};

TEST_F(IndexRuns, make_the_index_that_writing_in_place_makes) {
  std::vector<std::vector<std::string>> found;
  for (const bool deferred : {false, true}) {
    auto writer = create();
    auto session = writer->begin();
    if (deferred) session->defer_indexes(kInPlaceBytes);
    fill(*session, 3'000);
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
    expect_sound();
    EXPECT_EQ(runs_kept(), 0U);
    found.push_back(newest_first());
  }
  ASSERT_EQ(found[0].size(), 3'000U);
  EXPECT_EQ(found[0], found[1]);
}

TEST_F(IndexRuns, are_merged_before_the_index_is_read) {
  auto writer = create();
  auto session = writer->begin();
  session->defer_indexes(kInPlaceBytes);
  fill(*session, 1'000);
  const auto newest = session->newest(episodes_, "", 2'000);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->size(), 1'000U);
  EXPECT_TRUE(std::ranges::is_sorted(*newest, std::greater<>{}, &WriteSession::PlaceEntry::place));
}

TEST_F(IndexRuns, lose_no_row_that_changes_or_goes_while_they_are_kept) {
  std::mt19937 random(kSeed);
  auto writer = create();
  auto session = writer->begin();
  session->defer_indexes(kInPlaceBytes);
  fill(*session, 1'000);
  std::vector<EncodedRow> moved;
  std::vector<std::string> gone;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(100'000 + random() % 1'000);
    if (i % 2 == 0) {
      moved.push_back(episode(key, static_cast<std::int64_t>(random() % 1'000), "moved"));
    } else {
      gone.push_back(key);
    }
  }
  ASSERT_TRUE(session->put(episodes_, moved));
  ASSERT_TRUE(session->checkpoint());
  ASSERT_TRUE(session->remove(episodes_, gone));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
  expect_sound();
  EXPECT_EQ(newest_first().size(), 1'000 - std::set(gone.begin(), gone.end()).size());
}

// A fill that was killed: its entries are in the runs, and nowhere else.
TEST_F(IndexRuns, of_a_killed_fill_have_the_entries_of_all_rows) {
  {
    auto writer = create();
    auto session = writer->begin();
    session->defer_indexes(kInPlaceBytes);
    fill(*session, 1'000);
  }
  EXPECT_GT(runs_kept(), 0U);
  const auto torn = check(path_, true);
  ASSERT_TRUE(torn);
  EXPECT_FALSE(torn->problems.empty());
  settle();
  expect_sound();
  EXPECT_EQ(runs_kept(), 0U);
}

TEST_F(IndexRuns, a_merge_ends_when_it_is_told_to_and_loses_nothing) {
  {
    int asked = 0;
    WriterOptions options;
    options.keep_going = [&] { return ++asked < 2; };
    auto writer = create(options);
    auto session = writer->begin();
    session->defer_indexes(kInPlaceBytes);
    fill(*session, 1'000);
    EXPECT_EQ(asked, 0);
    const auto done = std::move(*session).commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::cancelled);
    EXPECT_EQ(asked, 2);
  }
  EXPECT_GT(runs_kept(), 0U);
  settle();
  expect_sound();
  EXPECT_EQ(newest_first().size(), 1'000U);
}

TEST_F(IndexRuns, a_merge_that_was_cut_short_comes_to_the_same_when_it_is_done_again) {
  constexpr int kRuns = 3;
  constexpr int kKeys = 30'000;  // of 60 bytes: more than one commit
  redb::OpenOptions options;
  options.mode = redb::OpenOptions::Mode::open_or_create;
  auto db = redb::Database::open(path_, options);
  auto txn = db->begin_write();
  for (std::uint32_t run = 0; run < kRuns; ++run) {
    std::vector<std::string> keys;
    for (int i = 0; i < kKeys; ++i) {
      keys.push_back(std::to_string(1'000'000 + i * kRuns + static_cast<int>(run)) +
                     std::string(53, 'k'));
    }
    std::vector<redb::Change> changes;
    for (const std::string& key : keys) changes.push_back({key, ""});
    ASSERT_TRUE(add_run(*txn, "index", run * 255, changes));  // numbers of two bytes as well
  }
  const auto stop = [&]() -> Result<void> {
    EXPECT_TRUE(std::move(*txn).commit());
    txn = db->begin_write();
    return fail(ErrorCode::cancelled, "cut short");
  };
  EXPECT_FALSE(merge_runs(*txn, "index", stop));
  const auto some = txn->count({"index", redb::KeyType::bytes});
  EXPECT_GT(*some, 0U);
  EXPECT_LT(*some, static_cast<std::uint64_t>(kRuns * kKeys));
  ASSERT_TRUE(merge_runs(*txn, "index", [] { return Result<void>(); }));
  EXPECT_EQ(*txn->count({"index", redb::KeyType::bytes}),
            static_cast<std::uint64_t>(kRuns * kKeys));
  ASSERT_TRUE(merge_runs(*txn, "index", [] { return Result<void>(); }));  // without any: nothing
}

}  // namespace
}  // namespace tidemark::cache
