// The C interface over a real cache.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/small_cache.h"
#include "tidemark.h"

namespace tidemark {
namespace {

tidemark_bytes c(std::string_view text) { return {text.data(), text.size()}; }
std::string cpp(tidemark_bytes bytes) {
  return bytes.size == 0 ? std::string()
                         : std::string(static_cast<const char*>(bytes.data), bytes.size);
}

class Abi : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<cache::EncodedRow> rows = {support::episode("a", 1, "first"),
                                                 support::episode("b", 2, "second"),
                                                 support::episode("c", 3, "third")};
    ASSERT_TRUE(support::write_episodes(path_, rows));
    ASSERT_EQ(tidemark_open(c(path_), nullptr, &cache_, nullptr), TIDEMARK_OK);
  }
  void TearDown() override { tidemark_close(cache_); }

  // Frees the error: its code, message and hint, as one text.
  static std::string told(tidemark_error* error) {
    std::string text = std::to_string(tidemark_error_code(error)) + ": " +
                       cpp(tidemark_error_message(error)) + " / " + cpp(tidemark_error_hint(error));
    tidemark_error_free(error);
    return text;
  }

  support::TempFolder folder_;
  std::string path_ = folder_.file("cache.redb");
  tidemark_cache* cache_ = nullptr;
};

TEST_F(Abi, a_hit_has_its_row_which_outlives_the_cache) {
  tidemark_presence presence = TIDEMARK_UNKNOWN;
  tidemark_row* row = nullptr;
  ASSERT_EQ(tidemark_get(cache_, c("episodes"), c("b"), &presence, &row, nullptr), TIDEMARK_OK);
  ASSERT_EQ(presence, TIDEMARK_HIT);
  tidemark_close(cache_);
  cache_ = nullptr;
  EXPECT_EQ(cpp(tidemark_row_collection(row)), "episodes");
  EXPECT_EQ(cpp(tidemark_row_key(row)), "b");
  ASSERT_EQ(tidemark_row_columns(row), 3U);
  EXPECT_EQ(cpp(tidemark_row_column(row, 1)), "at");
  EXPECT_EQ(tidemark_row_value(row, 1).type, TIDEMARK_INT64);
  EXPECT_EQ(tidemark_row_value(row, 1).int64, 2);
  EXPECT_EQ(cpp(tidemark_row_value(row, 2).bytes), "second");
  EXPECT_EQ(tidemark_row_value(row, 3).type, TIDEMARK_NULL);
  EXPECT_EQ(tidemark_row_column(row, 3).size, 0U);
  EXPECT_EQ(cpp(tidemark_row_json(row)), R"({"id":"b","at":2,"body":"second"})");
  EXPECT_EQ(tidemark_row_json(row).data, tidemark_row_json(row).data);
  tidemark_row_free(row);
}

TEST_F(Abi, a_miss_has_no_row_and_an_error_leaves_what_is_out) {
  tidemark_presence presence = TIDEMARK_HIT;
  auto* row = reinterpret_cast<tidemark_row*>(8);  // overwritten
  ASSERT_EQ(tidemark_get(cache_, c("patterns"), c("x"), &presence, &row, nullptr), TIDEMARK_OK);
  EXPECT_NE(presence, TIDEMARK_HIT);
  EXPECT_EQ(row, nullptr);
  presence = 77;
  tidemark_error* error = nullptr;
  EXPECT_EQ(tidemark_get(cache_, c("nothing"), c("x"), &presence, &row, &error), TIDEMARK_INVALID);
  EXPECT_EQ(presence, 77);
  EXPECT_NE(told(error).find("nothing"), std::string::npos);
  EXPECT_EQ(tidemark_get(cache_, c("nothing"), c("x"), &presence, &row, nullptr), TIDEMARK_INVALID);
}

TEST_F(Abi, what_is_missing_is_told_and_not_touched) {
  tidemark_error* error = nullptr;
  tidemark_cache* none = nullptr;
  EXPECT_EQ(tidemark_open(c(folder_.file("no.redb")), nullptr, &none, &error), TIDEMARK_INVALID);
  EXPECT_EQ(none, nullptr);
  EXPECT_NE(told(error).find("no.redb"), std::string::npos);
  EXPECT_EQ(tidemark_open(c(path_), nullptr, nullptr, nullptr), TIDEMARK_INVALID);
  EXPECT_EQ(tidemark_get(nullptr, c("episodes"), c("a"), nullptr, nullptr, nullptr),
            TIDEMARK_INVALID);
  EXPECT_EQ(tidemark_list(cache_, nullptr, nullptr, nullptr, nullptr), TIDEMARK_INVALID);
  EXPECT_EQ(tidemark_freshness_of(cache_, nullptr, nullptr), TIDEMARK_INVALID);
  tidemark_close(nullptr);
  tidemark_row_free(nullptr);
  tidemark_error_free(nullptr);
}

struct Kept {
  std::vector<tidemark_row*> rows;
  std::size_t at_most = 10;
  static int visit(const tidemark_row* row, void* context) {
    auto* const kept = static_cast<Kept*>(context);
    kept->rows.push_back(tidemark_row_keep(row));
    return kept->rows.size() < kept->at_most ? 1 : 0;
  }
  ~Kept() {
    for (tidemark_row* const row : rows) tidemark_row_free(row);
  }
};

TEST_F(Abi, a_listing_lends_rows_newest_first_and_ends_when_told) {
  tidemark_query query{};
  query.size = sizeof query;
  query.collection = c("episodes");
  Kept all;
  ASSERT_EQ(tidemark_list(cache_, &query, Kept::visit, &all, nullptr), TIDEMARK_OK);
  ASSERT_EQ(all.rows.size(), 3U);
  EXPECT_EQ(cpp(tidemark_row_key(all.rows[0])), "c");
  EXPECT_EQ(cpp(tidemark_row_json(all.rows[2])), R"({"id":"a","at":1,"body":"first"})");
  Kept one;
  one.at_most = 1;
  ASSERT_EQ(tidemark_list(cache_, &query, Kept::visit, &one, nullptr), TIDEMARK_OK);
  EXPECT_EQ(one.rows.size(), 1U);
  query.limit = 2;
  Kept two;
  ASSERT_EQ(tidemark_list(cache_, &query, Kept::visit, &two, nullptr), TIDEMARK_OK);
  EXPECT_EQ(two.rows.size(), 2U);
}

TEST_F(Abi, a_query_that_can_choose_nothing_is_refused) {
  tidemark_query query{};
  query.size = sizeof query;
  query.collection = c("episodes");
  query.where_index = c("body");
  query.where_value.type = TIDEMARK_VECTOR;
  Kept none;
  EXPECT_EQ(tidemark_list(cache_, &query, Kept::visit, &none, nullptr), TIDEMARK_INVALID);
  query.where_value = {TIDEMARK_TEXT, 0, 0, c("first")};
  EXPECT_EQ(tidemark_list(cache_, &query, Kept::visit, &none, nullptr), TIDEMARK_INVALID);
  EXPECT_TRUE(none.rows.empty());
}

TEST_F(Abi, a_snapshot_stands_still_and_has_none_itself) {
  tidemark_cache* snapshot = nullptr;
  ASSERT_EQ(tidemark_snapshot(cache_, &snapshot, nullptr), TIDEMARK_OK);
  ASSERT_TRUE(support::write_episodes(path_, {support::episode("d", 4, "later")}));
  tidemark_presence presence = TIDEMARK_HIT;
  tidemark_row* row = nullptr;
  ASSERT_EQ(tidemark_get(snapshot, c("episodes"), c("d"), &presence, &row, nullptr), TIDEMARK_OK);
  EXPECT_NE(presence, TIDEMARK_HIT);
  ASSERT_EQ(tidemark_get(cache_, c("episodes"), c("d"), &presence, &row, nullptr), TIDEMARK_OK);
  EXPECT_EQ(presence, TIDEMARK_HIT);
  tidemark_row_free(row);
  tidemark_cache* second = nullptr;
  EXPECT_EQ(tidemark_snapshot(snapshot, &second, nullptr), TIDEMARK_INVALID);
  tidemark_close(snapshot);
}

// A program of an older version has shorter structs: nothing behind their end is written or read.
TEST_F(Abi, a_shorter_struct_is_filled_to_its_end) {
  tidemark_freshness freshness;
  std::memset(&freshness, 0x5a, sizeof freshness);
  freshness.size = offsetof(tidemark_freshness, incomplete);
  ASSERT_EQ(tidemark_freshness_of(cache_, &freshness, nullptr), TIDEMARK_OK);
  EXPECT_EQ(freshness.size, offsetof(tidemark_freshness, incomplete));
  EXPECT_EQ(freshness.state, TIDEMARK_IS_STALE);  // checked in 1970
  EXPECT_EQ(freshness.source_refused_since_ms, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(freshness.incomplete, 0x5a5a5a5a5a5a5a5aU);

  tidemark_options options{};
  options.size = offsetof(tidemark_options, fail_when_stale);
  options.fail_when_stale = 1;  // not seen
  tidemark_cache* served = nullptr;
  ASSERT_EQ(tidemark_open(c(path_), &options, &served, nullptr), TIDEMARK_OK);
  tidemark_presence presence = TIDEMARK_ABSENT;
  tidemark_row* row = nullptr;
  EXPECT_EQ(tidemark_get(served, c("episodes"), c("a"), &presence, &row, nullptr), TIDEMARK_OK);
  tidemark_row_free(row);
  tidemark_close(served);

  options.size = sizeof options;
  tidemark_cache* refused = nullptr;
  ASSERT_EQ(tidemark_open(c(path_), &options, &refused, nullptr), TIDEMARK_OK);
  tidemark_error* error = nullptr;
  EXPECT_EQ(tidemark_get(refused, c("episodes"), c("a"), &presence, &row, &error), TIDEMARK_STALE);
  EXPECT_FALSE(told(error).empty());
  tidemark_close(refused);
}

TEST_F(Abi, says_its_version) { EXPECT_STREQ(tidemark_version(), TIDEMARK_VERSION); }

}  // namespace
}  // namespace tidemark
