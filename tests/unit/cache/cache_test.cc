// Row format, order keys and meta codecs.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "cache/meta.h"
#include "cache/order_key.h"
#include "cache/row_format.h"
#include "cache/staleness.h"
#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"

namespace tidemark::cache {
namespace {

using namespace std::string_view_literals;

std::string order_key(ValueView value) {
  std::string out;
  append_order_key(out, value);
  return out;
}

TEST(RowFormat, gives_back_what_was_stored) {
  const float floats[] = {1.5F, -2.0F};
  const std::string_view vector(reinterpret_cast<const char*>(floats), sizeof floats);
  const std::vector<ValueView> cells = {
      ValueView::null(),     ValueView::int64(std::numeric_limits<std::int64_t>::min()),
      ValueView::real(-0.5), ValueView::text("nul\0inside"sv),
      ValueView::blob(""),   ValueView::vector(vector),
      ValueView::repeated()};
  const std::string bytes = encode_row("t", "k", 7, cells);
  const auto row = RowView::open("t", "k", bytes);
  ASSERT_TRUE(row);
  ASSERT_EQ(row->size(), cells.size());
  EXPECT_EQ(row->schema_id(), 7U);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(row->at(i).type(), cells[i].type());
    EXPECT_EQ(row->at(i).as_int64(), cells[i].as_int64());
    EXPECT_EQ(row->at(i).as_real(), cells[i].as_real());
    EXPECT_EQ(row->at(i).bytes(), cells[i].bytes());
  }
}

TEST(RowFormat, every_flipped_bit_and_every_truncation_is_noticed) {
  const std::vector<ValueView> cells = {ValueView::text("some text"), ValueView::int64(42),
                                        ValueView::null()};
  const std::string bytes = encode_row("t", "k", 7, cells);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto row = RowView::open("t", "k", damaged);
    ASSERT_FALSE(row) << bit;
    EXPECT_EQ(row.error().code, ErrorCode::corrupt);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(RowView::open("t", "k", std::string_view(bytes).substr(0, size)));
  }
  EXPECT_FALSE(RowView::open("t", "other", bytes));
  EXPECT_FALSE(RowView::open("other", "k", bytes));
}

// Values at every edge that an encoding may get wrong, and random numbers of every size.
std::vector<std::string> sql_literals(std::mt19937_64& random) {
  std::vector<std::string> literals = {"NULL",
                                       "0",
                                       "-0.0",
                                       "0.5",
                                       "1",
                                       "1.0",
                                       "-1",
                                       "9007199254740992",
                                       "9007199254740993",
                                       "9007199254740992.0",
                                       "9007199254740994.0",
                                       "-9007199254740993",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "9223372036854775808.0",
                                       "-9.3e18",
                                       "9e999",
                                       "-9e999",
                                       "''",
                                       "'a'",
                                       "'ab'",
                                       "'b'",
                                       "x''",
                                       "x'00'",
                                       "x'0001'",
                                       "x'FF'",
                                       "CAST(x'6100' AS TEXT)",
                                       "CAST(x'610062' AS TEXT)"};
  for (int i = 0; i < 300; ++i) {
    const auto number = static_cast<std::int64_t>(random() >> (random() % 60));
    literals.push_back(std::to_string(i % 2 == 0 ? number : -number));
    literals.push_back("CAST(" + std::to_string(number) + " AS REAL) + 0.25");
  }
  return literals;
}

ValueView value_of(sqlite3_stmt* statement) {
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data),
                            static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
  };
  switch (sqlite3_column_type(statement, 0)) {
    case SQLITE_INTEGER:
      return ValueView::int64(sqlite3_column_int64(statement, 0));
    case SQLITE_FLOAT:
      return ValueView::real(sqlite3_column_double(statement, 0));
    case SQLITE_TEXT:
      return ValueView::text(bytes(sqlite3_column_text(statement, 0)));
    case SQLITE_BLOB:
      return ValueView::blob(bytes(sqlite3_column_blob(statement, 0)));
    default:
      return ValueView::null();
  }
}

// SQLite itself says how values sort.
TEST(OrderKey, sorts_as_sqlite_does) {
  constexpr unsigned kSeed = 20261124;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> literals = sql_literals(random);
  const support::TempFolder folder;
  support::SqliteSource db(folder.file("order.db"));
  db.run("CREATE TABLE v(x)");
  for (const auto& literal : literals) db.run("INSERT INTO v VALUES(" + literal + ")");

  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("order.db").c_str(), &raw), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(raw,
                               "SELECT x, x IS lag(x) OVER w, x = lag(x) OVER w FROM v "
                               "WINDOW w AS (ORDER BY x) ORDER BY x",
                               -1, &statement, nullptr),
            SQLITE_OK);
  std::string previous;
  int rows = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const ValueView value = value_of(statement);
    const std::string key = order_key(value);
    const bool equal =
        sqlite3_column_int(statement, 1) != 0 || sqlite3_column_int(statement, 2) != 0;
    if (rows++ > 0) {
      EXPECT_EQ(equal, key == previous) << rows;
      EXPECT_LE(previous, key) << rows;
    }
    std::string_view left = key;
    const auto decoded = take_order_key(left);
    ASSERT_TRUE(decoded && left.empty());
    EXPECT_EQ(order_key(view(*decoded)), key);
    previous = key;
  }
  EXPECT_EQ(rows, static_cast<int>(literals.size()));
  sqlite3_finalize(statement);
  sqlite3_close(raw);
}

TEST(MetaCodec, state_comes_back_whole_and_refuses_other_bytes) {
  State state;
  state.commit_id = 3;
  state.checked_at_us = -5;
  state.window_complete = true;
  state.consistent = true;
  state.sync_patterns = false;
  state.catalog_version = 9;
  const std::string bytes = encode_state(state);
  const auto decoded = decode_state(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, state);
  EXPECT_FALSE(decode_state(bytes.substr(1)));
  EXPECT_FALSE(decode_state(""));
}

TEST(MetaCodec, catalog_comes_back_whole_and_refuses_columns_out_of_range) {
  CatalogRecord record;
  model::Collection collection;
  collection.name = "embeddings";
  collection.kind = model::Kind::embeddings;
  collection.columns = {{"id", "TEXT"}, {"item_id", ""}};
  collection.parent_column = 1;
  collection.parent_kind = model::Kind::patterns;
  record.catalog.collections = {collection};
  record.catalog.fingerprint = "ab";
  record.schemas[5] = {"id", "item_id"};
  const auto decoded = decode_catalog(encode_catalog(record));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, record);
  record.catalog.collections[0].parent_column = 2;
  EXPECT_FALSE(decode_catalog(encode_catalog(record)));
  for (const auto bytes : {""sv, "{"sv, "[]"sv, "{\"collections\":7}"sv})
    EXPECT_FALSE(decode_catalog(bytes));
}

TEST(MetaCodec, a_newer_format_is_unsupported) {
  Identity identity;
  identity.format_version = kFormatVersion + 1;
  const auto decoded = decode_identity(encode_identity(identity));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::unsupported);
}

TEST(Staleness, age_decides_and_a_clock_that_went_back_is_stale) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(1'000'000));
  const auto at = [&](std::chrono::milliseconds ago) {
    State state;
    state.checked_at_us =
        std::chrono::duration_cast<std::chrono::microseconds>((now - ago).time_since_epoch())
            .count();
    return compute_freshness(state, {}, {}, now, 10s);
  };
  EXPECT_EQ(compute_freshness(State{}, {}, {}, now, 10s).state, FreshnessState::never_synced);
  EXPECT_EQ(at(9s).state, FreshnessState::fresh);
  EXPECT_EQ(at(9s).age, 9s);
  EXPECT_EQ(at(11s).state, FreshnessState::stale);
  EXPECT_EQ(at(-60s).state, FreshnessState::stale);
  EXPECT_EQ(at(-60s).age, std::nullopt);
}

}  // namespace
}  // namespace tidemark::cache
