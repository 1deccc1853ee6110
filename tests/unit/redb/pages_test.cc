// Every page that is loaded is the one that was written there, or is said not to be.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "tests/unit/redb/fixture.h"

namespace tidemark::redb {
namespace {

// A file of many pages, as it is after updates of every third row, and as it was when pages that
// are in use now had an older version of the same rows.
class RedbPages : public Redb {
 protected:
  static constexpr std::size_t kPageBytes = 4'096;
  static constexpr int kRows = 600;

  void SetUp() override {
    const std::string text(1'000, 'x');
    ASSERT_TRUE(put_rows("old " + text, 1));
    ASSERT_TRUE(put_rows("mid " + text, 3));
    before_ = bytes();
    ASSERT_TRUE(put_rows("mid " + text, 3));
    ASSERT_TRUE(put_rows("new " + text, 3));
    after_ = bytes();
    before_.resize(after_.size());
  }
  Result<void> put_rows(const std::string& value, int step) {
    TIDEMARK_ASSIGN(db, writer());
    TIDEMARK_ASSIGN(txn, db.begin_write());
    std::vector<std::string> keys;
    for (int i = 0; i < kRows; i += step) keys.push_back(key_of(i));
    std::vector<Change> changes;
    for (const auto& key : keys) changes.push_back({key, value});
    TIDEMARK_TRY(txn.apply(kData, changes));
    TIDEMARK_TRY(std::move(txn).commit());
    return std::move(db).close();
  }
  static std::string key_of(int i) { return "k" + std::to_string(10'000 + i); }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void store(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
  }
  static void flip(std::string& bytes, std::size_t at, int bit) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  }
  // Of all rows, how many are as they were written last, and how many are said to be damaged.
  struct Rows {
    int right = 0;
    int corrupt = 0;
  };
  static Rows read_all(const Database& db) {
    Rows rows;
    const auto txn = db.begin_read();
    for (int i = 0; txn && i < kRows; ++i) {
      const auto found = txn->get(kData, key_of(i));
      if (!found) {
        EXPECT_EQ(found.error().code, ErrorCode::corrupt) << found.error().message;
        rows.corrupt += 1;
      } else {
        EXPECT_TRUE(*found) << key_of(i) << " is lost";
        const std::string_view expected = i % 3 == 0 ? "new" : "old";
        EXPECT_TRUE(*found && (*found)->bytes().substr(0, 3) == expected) << key_of(i);
        rows.right += 1;
      }
    }
    return rows;
  }

  std::string before_;
  std::string after_;
};

TEST_F(RedbPages, one_that_was_damaged_ends_reads_of_it_and_no_others) {
  std::string damaged = after_;
  flip(damaged, after_.find("new xxx") + 100, 0);
  store(damaged);
  auto db = reader();
  ASSERT_TRUE(db) << db.error().message;
  const Rows rows = read_all(*db);
  EXPECT_TRUE(rows.corrupt > 0 && rows.corrupt <= 4) << rows.corrupt;
  EXPECT_EQ(rows.right, kRows - rows.corrupt);
  const auto txn = db->begin_read();
  const auto listed = txn->scan(kData, {.entries_max = kRows});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, ErrorCode::corrupt);
  EXPECT_NE(listed.error().message.find("the page at byte "), std::string::npos);
  EXPECT_NE(listed.error().message.find("does not match its checksum"), std::string::npos);
  EXPECT_FALSE(listed.error().hint.empty());
}

// A write that was lost, or an address that leads to where the page was before: what stands there
// is sound, and old.
TEST_F(RedbPages, an_older_one_in_its_place_is_never_read) {
  int old_pages = 0;
  for (std::size_t at = kPageBytes; at + kPageBytes <= after_.size(); at += kPageBytes) {
    const std::string_view old = std::string_view(before_).substr(at, kPageBytes);
    if (old == std::string_view(after_).substr(at, kPageBytes)) continue;
    std::string mixed = after_;
    mixed.replace(at, kPageBytes, old);
    store(mixed);
    auto db = reader();
    ASSERT_TRUE(db) << db.error().message;
    old_pages += read_all(*db).corrupt > 0 ? 1 : 0;
  }
  EXPECT_GT(old_pages, 10);
}

TEST_F(RedbPages, each_bit_of_the_addresses_in_a_branch_is_told) {
  int branches = 0;
  int told = 0;
  for (std::size_t at = kPageBytes; at + kPageBytes <= after_.size(); at += kPageBytes) {
    const auto children = static_cast<unsigned char>(after_[at + 2]) + std::size_t{1};
    const std::string_view page = std::string_view(after_).substr(at, kPageBytes);
    if (page.front() != 2 || before_.substr(at, kPageBytes) == page) continue;
    ++branches;
    for (int bit = 0; bit < 64; ++bit) {
      std::string damaged = after_;
      const std::size_t child = static_cast<std::size_t>(bit) % children;
      const std::size_t addresses = at + 8 + 16 * children;  // after the children's checksums
      flip(damaged, addresses + 8 * child + static_cast<std::size_t>(bit) / 8, bit % 8);
      store(damaged);
      auto db = reader();
      ASSERT_TRUE(db) << db.error().message;
      told += read_all(*db).corrupt > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(branches, 0);
  EXPECT_GT(told, 0);
}

TEST_F(RedbPages, a_writer_ends_where_it_meets_a_damaged_one_and_commits_nothing) {
  std::string damaged = after_;
  flip(damaged, after_.find("new xxx") + 100, 0);
  store(damaged);
  const auto written = put_rows("lost", 1);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::corrupt) << written.error().message;
  EXPECT_NE(written.error().message.find("the page at byte "), std::string::npos);
  ASSERT_TRUE(writer());  // what it left is repaired
  auto db = reader();
  ASSERT_TRUE(db) << db.error().message;
  EXPECT_GT(read_all(*db).right, 0);
}

// A page that is sound again is read again, by a reader that was open all the time.
TEST_F(RedbPages, a_reader_goes_on_when_they_are_written_anew) {
  std::string damaged = after_;
  flip(damaged, after_.find("new xxx") + 100, 0);
  store(damaged);
  auto db = reader();
  ASSERT_TRUE(db);
  EXPECT_GT(read_all(*db).corrupt, 0);
  store(after_);
  ASSERT_TRUE(put_rows("new", 3));
  EXPECT_EQ(read_all(*db).right, kRows);
}

TEST_F(RedbPages, none_is_looked_at_where_that_is_not_wanted) {
  std::string damaged = after_;
  flip(damaged, after_.find("new xxx") + 100, 0);
  store(damaged);
  OpenOptions options;
  options.check_pages = false;
  auto db = Database::open(path_, options);
  ASSERT_TRUE(db);
  EXPECT_EQ(read_all(*db).right, kRows);
}

// Values larger than a page, and a tree that shrinks and grows while a reader follows.
TEST_F(RedbPages, of_every_size_and_age_are_what_was_written) {
  std::mt19937 random(20261130);
  std::filesystem::remove(path_);
  std::map<std::string, std::string> expected;
  std::optional<Database> follower;
  for (int pass = 0; pass < 60; ++pass) {
    auto db = writer();
    ASSERT_TRUE(db) << db.error().message;
    for (int commit = 0; commit < 3; ++commit) {
      auto txn = db->begin_write();
      ASSERT_TRUE(txn);
      for (int i = 0; i < 40; ++i) {
        const std::string key = key_of(static_cast<int>(random() % 300));
        const std::string value(random() % 20 == 0 ? random() % 100'000 : random() % 900, 'v');
        const bool removed = random() % 3 == 0;
        const Change change{key, removed ? std::nullopt : std::optional<std::string_view>(value)};
        ASSERT_TRUE(txn->apply(kData, {&change, 1})) << pass;
        ASSERT_TRUE(txn->apply(kIndex, {&change, 1})) << pass;
        if (removed) {
          expected.erase(key);
        } else {
          expected[key] = value;
        }
      }
      ASSERT_TRUE(std::move(*txn).commit());
    }
    ASSERT_TRUE(std::move(*db).close());
    if (!follower) {
      auto opened = reader();
      ASSERT_TRUE(opened);
      follower.emplace(std::move(*opened));
    }
    for (const TableName table : {kData, kIndex}) {
      const auto txn = follower->begin_read();
      ASSERT_TRUE(txn);
      const auto slice = txn->scan(table, {.entries_max = 1'000, .bytes_max = 1U << 30U});
      ASSERT_TRUE(slice) << slice.error().message;
      std::map<std::string, std::string> stored;
      for (const Entry& entry : slice->entries()) stored.emplace(entry.key, entry.value);
      ASSERT_EQ(stored, expected) << pass;
    }
  }
}

}  // namespace
}  // namespace tidemark::redb
