// The redb binding on real files: what the cache relies on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "redb/ffi/tidemark_redb.h"
#include "tests/unit/redb/fixture.h"

namespace tidemark::redb {
namespace {

TEST_F(Redb, a_reader_follows_the_commits_of_a_writer_and_sees_no_aborted_one) {
  auto db = writer();
  ASSERT_TRUE(db) << db.error().message;
  ASSERT_TRUE(put(*db, "a", "1"));
  auto other = reader();
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(value_of(*other, "a"), "1");
  {
    auto txn = db->begin_write();
    const Change change{"a", "aborted"};
    ASSERT_TRUE(txn->apply(kData, {&change, 1}));
  }
  EXPECT_EQ(value_of(*other, "a"), "1");
  ASSERT_TRUE(put(*db, "a", "2"));
  EXPECT_EQ(value_of(*other, "a"), "2");
  EXPECT_EQ(value_of(*other, "b"), "(none)");
}

TEST_F(Redb, ranges_come_in_slices_in_both_directions) {
  auto db = writer();
  auto txn = db->begin_write();
  for (const std::string_view key : {"a", "b", "c", "d"}) {
    const Change change{key, ""};
    ASSERT_TRUE(txn->apply(kIndex, {&change, 1}));
  }
  const auto keys = [&](const Range& range) {
    std::string out;
    auto slice = txn->scan(kIndex, range);
    EXPECT_TRUE(slice);
    for (const Entry& entry : slice->entries()) out += entry.key;
    return out + (slice->more() ? "+" : "");
  };
  EXPECT_EQ(keys({}), "abcd");
  EXPECT_EQ(keys({.from = "b", .to = "d"}), "bc");
  EXPECT_EQ(keys({.from = "b", .to = "d", .from_exclusive = true, .to_inclusive = true}), "cd");
  EXPECT_EQ(keys({.to = "d", .backward = true, .entries_max = 2}), "cb+");
  EXPECT_EQ(keys({.from = "d", .to = "b"}), "");
}

TEST_F(Redb, a_batch_of_gets_answers_in_order_and_stops_when_the_copy_is_large) {
  auto db = writer();
  auto txn = db->begin_write();
  const std::string large(std::size_t{1} << 20U, 'x');
  const std::vector<Change> changes = {{"a", "1"}, {"b", ""}, {"large", large}, {"z", "last"}};
  ASSERT_TRUE(txn->apply(kData, changes));
  const std::vector<std::string_view> keys = {"a", "none", "b", "large", "z"};
  const auto first = txn->get_batch(kData, keys);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->values().size(), 4U);
  EXPECT_EQ(first->values()[0], "1");
  EXPECT_EQ(first->values()[1], std::nullopt);
  EXPECT_EQ(first->values()[2], "");
  EXPECT_EQ(first->values()[3], large);
  const auto rest = txn->get_batch(kData, std::span(keys).subspan(4));
  ASSERT_TRUE(rest && rest->values().size() == 1);
  EXPECT_EQ(rest->values()[0], "last");
}

// Ascending new keys go through a cursor; what else comes between them must not disturb it.
TEST_F(Redb, a_batch_of_new_replaced_removed_and_unordered_keys_does_what_it_says) {
  auto db = writer();
  auto txn = db->begin_write();
  std::map<std::string, std::string> expected;
  std::mt19937 random(20261127);
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<std::string> keys;
    for (int i = 0; i < 200; ++i) keys.push_back("k" + std::to_string(random() % 5'000));
    if (batch % 3 != 0) std::ranges::sort(keys);
    const std::string value = "v" + std::to_string(batch);
    std::vector<Change> changes;
    for (const auto& key : keys) {
      const bool removed = random() % 10 == 0;
      changes.push_back({key, removed ? std::nullopt : std::optional<std::string_view>(value)});
      if (removed) {
        expected.erase(key);
      } else {
        expected[key] = value;
      }
    }
    ASSERT_TRUE(txn->apply(kData, changes));
  }
  std::map<std::string, std::string> stored;
  const auto slice = txn->scan(kData, {.entries_max = 10'000});
  ASSERT_TRUE(slice && !slice->more());
  for (const Entry& entry : slice->entries()) stored.emplace(entry.key, entry.value);
  EXPECT_EQ(stored, expected);
}

TEST_F(Redb, a_held_guard_keeps_its_bytes_and_does_not_make_the_file_grow) {
  auto db = writer();
  const std::string large(1'300, 'x');
  for (int i = 0; i < 1'000; i += 100) {
    auto txn = db->begin_write();
    std::vector<std::string> keys;
    for (int k = i; k < i + 100; ++k) keys.push_back("k" + std::to_string(k));
    std::vector<Change> changes;
    for (const auto& key : keys) changes.push_back({key, large});
    ASSERT_TRUE(txn->apply(kData, changes));
    ASSERT_TRUE(std::move(*txn).commit());
  }
  std::vector<Guard> guards;
  for (int i = 0; i < 1'000; ++i) {
    auto txn = db->begin_read();
    auto found = txn->get(kData, "k" + std::to_string(i));
    ASSERT_TRUE(found && *found);
    guards.push_back(std::move(**found));
  }
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put(*db, "k" + std::to_string(i), large));
  const auto before = std::filesystem::file_size(path_);
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(put(*db, "k" + std::to_string(i % 50), large));
  EXPECT_LE(std::filesystem::file_size(path_), before * 3 / 2);
  for (const Guard& guard : guards) EXPECT_EQ(guard.bytes(), large);
}

TEST_F(Redb, a_second_writer_is_busy) {
  auto first = writer();
  ASSERT_TRUE(first);
  auto second = writer();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
}

TEST_F(Redb, another_programs_file_is_refused_and_left_alone) {
  std::ofstream(path_) << "these are somebody's notes, and long enough to be looked at";
  auto db = reader();
  ASSERT_FALSE(db);
  EXPECT_NE(db.error().code, ErrorCode::internal) << db.error().message;
  EXPECT_EQ(std::filesystem::file_size(path_), 59U);
}

TEST_F(Redb, a_forked_child_gets_an_error_and_the_parent_reads_on) {
  auto db = writer();
  ASSERT_TRUE(put(*db, "a", "1"));
  auto other = reader();
  ASSERT_TRUE(other);
  const pid_t child = ::fork();
  if (child == 0) {
    auto txn = other->begin_read();
    ::_exit(!txn && txn.error().code == ErrorCode::invalid ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(put(*db, "a", std::to_string(i)));
    ASSERT_EQ(value_of(*other, "a"), std::to_string(i));
  }
}

// A writer that is killed while it holds the file makes new readers fail until a writer repaired
// it.
TEST_F(Redb, a_killed_writers_file_needs_repair_and_opening_it_for_writing_repairs_it) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto db = writer();
    if (!db || !put(*db, "a", "1")) ::_exit(1);
    auto txn = db->begin_write();
    const Change change{"a", "2"};
    if (!txn->apply(kData, {&change, 1})) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto blocked = reader();
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, ErrorCode::needs_repair);
  {
    auto repaired = writer();
    ASSERT_TRUE(repaired) << repaired.error().message;
  }
  auto after = reader();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(value_of(*after, "a"), "1");
}

TEST_F(Redb, a_fault_at_any_operation_leaves_the_old_or_the_new_state) {
  int failed = 0;
  bool whole = false;
  for (std::uint64_t n = 1; n < 2'000 && !whole; ++n) {
    std::filesystem::remove(path_);
    {
      auto db = writer();
      ASSERT_TRUE(db && put(*db, "a", "old"));
    }
    {
      auto db = writer(n);
      auto done = db ? put(*db, "a", "new") : Result<void>(std::unexpected(db.error()));
      if (done) done = std::move(*db).close();
      whole = done.has_value();
      failed += whole ? 0 : 1;
    }
    auto db = writer();
    ASSERT_TRUE(db) << n << ": " << db.error().message;
    const std::string value = value_of(*db, "a");
    ASSERT_TRUE(value == "new" || (!whole && value == "old")) << n << ": " << value;
  }
  EXPECT_TRUE(whole);
  EXPECT_GT(failed, 5);
}

TEST(RedbPanic, becomes_an_error) {
  tdmk_redb_error* error = nullptr;
  EXPECT_EQ(tdmk_redb_panic(&error), TDMK_REDB_INTERNAL);
  ASSERT_NE(error, nullptr);
  std::size_t length = 0;
  const char* const text = tdmk_redb_error_message(error, &length);
  const std::string message(text, length);
  EXPECT_NE(message.find("asked for by a test"), std::string::npos);
  tdmk_redb_error_free(error);
}

}  // namespace
}  // namespace tidemark::redb
