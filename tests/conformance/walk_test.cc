// The source's lists, walked in small chunks on each implementation: the same places in the same
// order as SQLite gives in one statement, whatever the class of the order values.
#include <algorithm>
#include <cmath>

#include "cache/order_key.h"
#include "source/exact.h"
#include "source/source.h"
#include "tests/conformance/fixture.h"

namespace tidemark::conformance {
namespace {

class WalkTest : public ConnectionTest {};

// With an index on the order column, and where it does not matter without.
model::Collection episodes(bool indexed = false) {
  model::Collection collection;
  collection.name = "episodes";
  collection.columns = {{"id", "TEXT"}, {"at", ""}};
  collection.order_column = 1;
  collection.access.key_index = indexed;
  collection.access.order_index = indexed;
  return collection;
}

// A thousand rows whose order values are of every class, many tied, and reals with many bits.
std::string rows() {
  std::string sql =
      "CREATE TABLE episodes(id TEXT PRIMARY KEY, at);"
      "INSERT INTO episodes VALUES('inf', 9e999), ('minus inf', -9e999), ('tie inf', 9e999),"
      "('max', 9223372036854775807), ('near max', 9223372036854775806),"
      "('2^63', 9223372036854775808.0), ('blob', x'00ff'), ('text', 'b'), ('text2', 'B'),"
      "('nul', NULL), ('nul2', NULL), ('zero', -0.0), ('zero2', 0);";
  sql +=
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 987)"
      "INSERT INTO episodes SELECT 'k' || i, CASE i % 3 WHEN 0 THEN 1760000000.123456 + i / 7.0 "
      "WHEN 1 THEN 1760000000 + i / 10 ELSE 1.1 / i END FROM n;";
  return sql;
}

// As the engine does: the exact form where the plain one lost something.
model::RowSet list(turso::Connection& connection, const turso::Statement& statement) {
  auto reply = turso::run(connection, {{statement}}, std::chrono::steady_clock::now() + kPatience);
  if (!reply) throw std::runtime_error(reply.error().message);
  if (!reply->results[0].inexact()) return std::move(reply->results[0]);
  const auto exact = source::exact_statement(statement, reply->results[0].columns().size());
  auto again = turso::run(connection, {{exact}}, std::chrono::steady_clock::now() + kPatience);
  if (!again) throw std::runtime_error(again.error().message);
  auto rows = source::read_exact(again->results[0]);
  if (!rows) throw std::runtime_error(rows.error().message);
  return std::move(*rows);
}

std::vector<std::string> walk(turso::Connection& connection, std::size_t limit,
                              const model::Collection& collection = episodes(),
                              bool overflows = false) {
  std::vector<std::string> places;
  source::ListRequest request;
  request.limit = limit;
  request.overflows = overflows;
  while (true) {
    model::RowSet rows;
    for (const auto& statement : source::list_statements(collection, request)) {
      auto more = list(connection, statement);
      if (rows.columns().empty()) rows.set_columns(more.columns());
      rows.append(std::move(more));
    }
    const auto listed = source::read_list(collection, request, rows);
    if (!listed) throw std::runtime_error(listed.error().message);
    for (const auto& place : listed->places) places.push_back(cache::encode_place(place));
    const bool ended = listed->rows < limit;
    if (ended && (request.nulls_only || !request.after)) return places;
    if (ended) {
      request.after.reset();
      request.nulls_only = true;
      continue;
    }
    request.after = listed->last.value();
    request.nulls_only = std::holds_alternative<std::monostate>(request.after->order);
  }
}

TEST_P(WalkTest, in_small_chunks_gives_each_place_once_and_in_order) {
  prepare(rows());
  serve();
  const auto connection = connect();
  const auto whole = walk(*connection, 2'000);
  ASSERT_EQ(whole.size(), 1'000U);
  EXPECT_TRUE(std::ranges::is_sorted(whole, std::greater<>()));
  EXPECT_EQ(walk(*connection, 97), whole);
  EXPECT_EQ(walk(*connection, 10), whole);
}

// Where the source is known to have more than fit, each statement says where the limit falls.
TEST_P(WalkTest, by_an_index_gives_the_same) {
  prepare(rows() + "CREATE INDEX at ON episodes(at)");
  serve();
  const auto connection = connect();
  const auto whole = walk(*connection, 2'000);
  ASSERT_EQ(whole.size(), 1'000U);
  for (const bool overflows : {false, true}) {
    for (const std::size_t limit : {2'000U, 1'001U, 1'000U, 999U, 998U, 997U, 97U, 10U}) {
      EXPECT_EQ(walk(*connection, limit, episodes(true), overflows), whole) << limit;
    }
  }
}

TEST_P(WalkTest, text_and_empty_order_values_are_above_no_number) {
  prepare(
      "CREATE TABLE episodes(id TEXT PRIMARY KEY, at TEXT); CREATE INDEX at ON episodes(at);"
      "INSERT INTO episodes VALUES('a', ''), ('b', ' '), ('c', '!'), ('d', '-9'), ('e', '2026'),"
      "('f', NULL), ('g', '2026'), ('h', 5)");
  serve();
  const auto connection = connect();
  const auto whole = walk(*connection, 9);
  ASSERT_EQ(whole.size(), 8U);
  for (const std::size_t limit : {9U, 8U, 7U, 3U, 1U}) {
    EXPECT_EQ(walk(*connection, limit, episodes(true), true), whole) << limit;
  }
}

TEST_P(WalkTest, by_key_and_ranges_of_rows_go_up_in_binary_order) {
  prepare(
      "CREATE TABLE episodes(id TEXT PRIMARY KEY, at);"
      "INSERT INTO episodes VALUES('a', 1), ('B', 2), ('b', 3), ('', 4), ('ä', 5), ('10', 6),"
      "('9', 7), (NULL, 8), (x'61', 9)");
  serve();
  const auto connection = connect();
  const model::Collection collection = episodes(true);
  source::ListRequest request;
  request.by_key = true;
  std::vector<std::string> keys;
  for (request.limit = 3;;) {
    const auto rows = list(*connection, source::list_statements(collection, request)[0]);
    const auto listed = source::read_list(collection, request, rows);
    ASSERT_TRUE(listed);
    for (const auto& place : listed->places) keys.push_back(std::get<std::string>(place.key));
    if (listed->rows < request.limit) break;
    request.after = listed->last;
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"", "10", "9", "B", "a", "b", "ä"}));
  const auto range = list(
      *connection, source::range_statement(collection, std::string("10"), std::string("a"), 9));
  EXPECT_EQ(range.size(), 4U);
  EXPECT_EQ(
      list(*connection, source::range_statement(collection, std::string(), std::string("b"), 2))
          .size(),
      2U);
  for (const std::uint64_t room : {6U, 7U}) {
    EXPECT_EQ(list(*connection, source::more_than_statement(collection, room)).size(), 7U - room);
  }
}

TEST_P(WalkTest, keeps_what_json_cannot_hold) {
  prepare(
      "CREATE TABLE episodes(id TEXT PRIMARY KEY, at);"
      "INSERT INTO episodes VALUES('a', -9e999), ('b', CAST(x'ff41' AS TEXT)), ('c', 9e999),"
      "('d', x'ff41'), ('e', '\xEF\xBF\xBD')");
  serve();
  const auto connection = connect();
  const auto rows = list(*connection, {"SELECT at FROM episodes ORDER BY id", {}});
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows.row(0)[0].as_real(), -HUGE_VAL);
  EXPECT_EQ(rows.row(1)[0].type(), ValueType::text);
  EXPECT_EQ(rows.row(1)[0].bytes(), "\xFF\x41");
  EXPECT_EQ(rows.row(2)[0].as_real(), HUGE_VAL);
  EXPECT_EQ(rows.row(3)[0].type(), ValueType::blob);
  EXPECT_EQ(rows.row(3)[0].bytes(), "\xFF\x41");
  EXPECT_EQ(rows.row(4)[0].bytes(), "\xEF\xBF\xBD");
}

INSTANTIATE_TEST_SUITE_P(Each, WalkTest, ::testing::ValuesIn(implementations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemark::conformance
