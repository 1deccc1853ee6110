// Statements for lists and rows, and what their replies are made into.
#include "tests/support/rows.h"

#include <gtest/gtest.h>

#include "source/source.h"
#include "source/tuning.h"

namespace tidemark::source {
namespace {

using model::Kind;
using support::number;
using support::rows;
using support::text;

model::Collection episodes(bool ordered = true) {
  model::Collection c;
  c.name = "epi\"sodes";
  c.kind = Kind::episodes;
  c.columns = {{"id", "TEXT"}, {"at", "INTEGER"}};
  if (ordered) c.order_column = 1;
  return c;
}

model::Collection patterns() {
  model::Collection c;
  c.name = "patterns";
  c.kind = Kind::patterns;
  c.columns = {{"id", "TEXT"}};
  return c;
}

model::Collection embeddings() {
  model::Collection c;
  c.name = "embeddings";
  c.kind = Kind::embeddings;
  c.columns = {{"id", "TEXT"},   {"item_id", "TEXT"},    {"item_type", "TEXT"},
               {"data", "TEXT"}, {"vec", "F32_BLOB(2)"}, {"dimension", "INTEGER"}};
  c.parent_column = 1;
  c.parent_type_column = 2;
  c.vector_text_column = 3;
  c.vector_column = 4;
  c.dimension_column = 5;
  return c;
}

ListRequest up_to(std::size_t rows) {
  ListRequest request;
  request.limit = rows;
  return request;
}

TEST(ListStatement, walks_newest_first_below_a_place_and_quotes_names) {
  ListRequest request;
  request.limit = 7;
  EXPECT_EQ(list_statements(episodes(), request).at(0).sql,
            "SELECT \"id\", \"at\" FROM \"epi\"\"sodes\" WHERE typeof(\"id\") IN "
            "('integer','text') ORDER BY \"at\" COLLATE BINARY DESC, \"id\" COLLATE BINARY DESC "
            "LIMIT 7");
  request.after = model::Place{std::int64_t{5}, std::string("k")};
  const auto below = list_statements(episodes(), request).at(0);
  EXPECT_NE(below.sql.find("\"at\" COLLATE BINARY <= ?1 AND (\"at\" COLLATE BINARY < ?1 OR \"id\" "
                           "COLLATE BINARY < ?2)"),
            std::string::npos)
      << below.sql;
  EXPECT_EQ(below.args, (std::vector<Value>{std::int64_t{5}, std::string("k")}));
  request.nulls_only = true;
  const auto nulls = list_statements(episodes(), request).at(0);
  EXPECT_NE(nulls.sql.find("\"at\" IS NULL AND \"id\" COLLATE BINARY < ?"), std::string::npos);
  EXPECT_EQ(nulls.args, std::vector<Value>{std::string("k")});
}

// Turso 0.6 uses no index for a column with a COLLATE, and sorts all that a condition leaves.
TEST(ListStatement, an_index_in_binary_order_is_used_and_the_condition_leaves_what_fits) {
  model::Collection collection = episodes();
  collection.access.key_index = true;
  collection.access.order_index = true;
  const auto first = list_statements(collection, up_to(7));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].sql.find("COLLATE"), std::string::npos);
  ListRequest request = up_to(7);
  request.overflows = true;
  const auto bounded = list_statements(collection, request);
  ASSERT_EQ(bounded.size(), 2U);  // those with an order value, those without
  EXPECT_NE(bounded[0].sql.find("DESC LIMIT 1 OFFSET 6)"), std::string::npos) << bounded[0].sql;
  EXPECT_NE(bounded[1].sql.find("\"at\" IS NULL"), std::string::npos) << bounded[1].sql;
  request.after = model::Place{std::int64_t{5}, std::string("k")};
  const auto below = list_statements(collection, request);
  ASSERT_EQ(below.size(), 1U);
  EXPECT_EQ(below[0].sql.find("COLLATE"), std::string::npos);
  EXPECT_EQ(below[0].args, (std::vector<Value>{std::int64_t{5}, std::string("k")}));
  request.by_key = true;
  EXPECT_NE(list_statements(collection, request)[0].sql.find("\"id\" > ?1 ORDER BY \"id\" LIMIT 7"),
            std::string::npos);
}

TEST(ListStatement, other_collections_go_up_by_key) {
  ListRequest request;
  request.after = model::Place{{}, std::string("k")};
  request.limit = 3;
  const auto statement = list_statements(patterns(), request).at(0);
  EXPECT_NE(statement.sql.find("\"id\" COLLATE BINARY > ?1 ORDER BY \"id\" COLLATE BINARY LIMIT 3"),
            std::string::npos)
      << statement.sql;
}

TEST(ReadList, keeps_places_and_skips_keys_that_are_not_utf8) {
  const auto reply = rows({"id", "at"}, {{text("a"), number(3)},
                                         {text("\xFF"), number(2)},
                                         {number(7), ValueView::null()},
                                         {text("beyond the limit"), ValueView::null()}});
  const auto listed = read_list(episodes(), up_to(3), reply);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->rows, 3U);
  EXPECT_EQ(listed->last->key, Value(std::int64_t{7}));
  ASSERT_EQ(listed->places.size(), 2U);
  EXPECT_EQ(listed->places[0].order, Value(std::int64_t{3}));
  EXPECT_EQ(listed->places[1].key, Value(std::int64_t{7}));
  ASSERT_EQ(listed->skipped.size(), 1U);
  EXPECT_EQ(listed->skipped[0].key, "x'ff'");
}

// A bad key at the end of a chunk took a place of the window, and one within it did not.
TEST(ReadList, goes_on_after_a_bad_key_without_giving_it_a_place) {
  const auto listed =
      read_list(episodes(), up_to(9),
                rows({"id", "at"}, {{text("a"), number(3)}, {text("\xFF"), number(2)}}));
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->places.size(), 1U);
  ASSERT_TRUE(listed->last);
  EXPECT_EQ(listed->last->key, Value(std::string("\xFF")));
}

TEST(ReadList, answers_that_were_not_asked_for_are_no_lists) {
  const auto code = [](const model::Collection& collection, const model::RowSet& reply,
                       bool by_key = false) {
    ListRequest request = up_to(9);
    request.by_key = by_key;
    const auto listed = read_list(collection, request, reply);
    return listed ? std::optional<ErrorCode>() : listed.error().code;
  };
  EXPECT_EQ(code(episodes(), rows({"id"}, {})), ErrorCode::unavailable);
  EXPECT_EQ(code(episodes(), rows({"id", "at"}, {}), true), ErrorCode::unavailable);
  EXPECT_EQ(code(episodes(), rows({"id"}, {}), true), std::nullopt);
  EXPECT_EQ(code(patterns(), rows({"id"}, {{ValueView::null()}})), ErrorCode::unavailable);
  EXPECT_EQ(code(patterns(), rows({"id"}, {{ValueView::blob("x")}})), ErrorCode::unavailable);
}

TEST(Children, know_their_parents_by_id_and_type) {
  const std::vector<Value> keys = {std::string("e1"), std::int64_t{2}};
  const auto statements = list_children_statements(embeddings(), keys);
  ASSERT_EQ(statements.size(), 1U);
  EXPECT_EQ(statements[0].sql,
            "SELECT \"id\", \"item_id\", \"item_type\" FROM \"embeddings\" WHERE \"item_id\" IN "
            "(?,?)");
  EXPECT_EQ(statements[0].args, keys);
  const auto children = read_children(
      embeddings(), rows({"id", "p", "t"}, {{text("a"), text("e1"), text("Episode")},
                                            {text("b"), text("e1"), text("what")},
                                            {text("c"), number(2), ValueView::null()},
                                            {text("\xFF"), text("e1"), text("x")},
                                            {ValueView::null(), text("e1"), text("x")},
                                            {text("d"), ValueView::null(), text("x")}}));
  ASSERT_TRUE(children);
  ASSERT_EQ(children->size(), 3U);
  EXPECT_EQ((*children)[0].parent.kind, Kind::episodes);
  EXPECT_FALSE((*children)[1].parent.kind);
  EXPECT_EQ((*children)[2].parent.key, "2");
  EXPECT_EQ(read_children(embeddings(), rows({"id"}, {})).error().code, ErrorCode::unavailable);
}

TEST(OddKeys, are_told_by_what_is_wrong_with_them) {
  EXPECT_NE(odd_keys_statement(episodes(), 9).sql.find("LIMIT 9"), std::string::npos);
  const auto skipped = read_odd_keys(episodes(), rows({"q"}, {{text("NULL")}, {text("X'01'")}}));
  ASSERT_EQ(skipped.size(), 2U);
  EXPECT_EQ(skipped[0].reason, "the key is NULL");
  EXPECT_EQ(skipped[1].key, "X'01'");
  EXPECT_EQ(skipped[1].reason, "the key is neither integer nor text");
}

TEST(RowsStatement, asks_for_all_columns_of_exactly_these_keys) {
  const std::vector<Value> keys = {std::string("a"), std::string("b")};
  const auto statements = rows_statements(episodes(), keys);
  ASSERT_EQ(statements.size(), 1U);
  EXPECT_EQ(statements[0].sql, "SELECT \"id\", \"at\" FROM \"epi\"\"sodes\" WHERE \"id\" IN (?,?)");
  EXPECT_EQ(statements[0].args, keys);
}

TEST(RangeStatement, asks_for_all_between_two_keys_but_no_more_than_so_many) {
  const auto statement = range_statement(episodes(), std::string("a"), std::string("b"), 9);
  EXPECT_EQ(
      statement.sql,
      "SELECT \"id\", \"at\" FROM \"epi\"\"sodes\" WHERE \"id\" >= ?1 AND \"id\" <= ?2 LIMIT 9");
  EXPECT_EQ(statement.args, (std::vector<Value>{std::string("a"), std::string("b")}));
}

// Turso 0.6 plans a long list of keys as a scan of the table for each of them.
TEST(RowsStatements, hold_a_bounded_number_of_keys_each_and_all_of_them_once) {
  std::vector<Value> keys;
  for (std::int64_t i = 0; i < 1'234; ++i) keys.emplace_back(i);
  std::vector<Value> asked;
  for (const auto& statement : rows_statements(episodes(), keys)) {
    EXPECT_LE(statement.args.size(), kKeysPerStatement);
    asked.insert(asked.end(), statement.args.begin(), statement.args.end());
  }
  EXPECT_EQ(asked, keys);
  EXPECT_TRUE(rows_statements(episodes(), {}).empty());
}

TEST(ReadRows, leaves_out_what_only_a_collation_made_equal_and_skips_bad_text) {
  const std::vector<Value> keys = {std::string("a"), std::string("b"), std::int64_t{3}};
  const auto page = read_rows(episodes(), keys,
                              rows({"id", "at"}, {{text("a"), number(1)},
                                                  {text("A"), number(2)},
                                                  {text("b"), text("\xC3")},
                                                  {number(3), number(4)},
                                                  {ValueView::blob("a"), number(5)}}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 2U);
  EXPECT_EQ(page->records[0].key, "a");
  EXPECT_EQ(page->records[1].key, "3");
  ASSERT_EQ(page->skipped.size(), 1U);
  EXPECT_EQ(page->skipped[0].key, "b");
  EXPECT_EQ(read_rows(episodes(), keys, rows({"id"}, {})).error().code, ErrorCode::unavailable);
}

TEST(ReadRows, a_row_over_the_bound_is_skipped_and_does_not_stop_the_rest) {
  const std::vector<Value> keys = {std::string("a"), std::string("b")};
  const std::string huge(kRowBytesMax + 1, 'x');
  const auto page = read_rows(
      episodes(), keys, rows({"id", "at"}, {{text("a"), text(huge)}, {text("b"), number(1)}}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 1U);
  ASSERT_EQ(page->skipped.size(), 1U);
  EXPECT_NE(page->skipped[0].reason.find("too large"), std::string::npos);
}

// One embedding with this text, blob and dimension.
Result<model::RecordPage> embedding(ValueView data, ValueView vec, ValueView dimension) {
  const std::vector<Value> keys = {std::string("v")};
  return read_rows(embeddings(), keys,
                   rows({"id", "item_id", "item_type", "data", "vec", "dimension"},
                        {{text("v"), text("e"), text("episode"), data, vec, dimension}}));
}

const std::string kOneTwo("\0\0\x80\x3F\0\0\0\x40", 8);  // 1.0f, 2.0f

TEST(Vectors, come_from_the_blob_and_a_text_that_repeats_it_is_not_kept) {
  const auto page = embedding(text("[1, 2.0]"), ValueView::blob(kOneTwo), number(2));
  ASSERT_EQ(page->records.size(), 1U);
  EXPECT_EQ(page->records[0].cells[4].type(), ValueType::vector);
  EXPECT_EQ(page->records[0].cells[4].bytes(), kOneTwo);
  EXPECT_EQ(page->records[0].cells[3].type(), ValueType::repeated);
  const auto other = embedding(text("[1,3]"), ValueView::blob(kOneTwo), number(2));
  EXPECT_EQ(other->records[0].cells[3].type(), ValueType::text);
}

TEST(Vectors, come_from_the_text_where_there_is_no_blob) {
  const auto page = embedding(text("[1,2]"), ValueView::null(), ValueView::null());
  ASSERT_EQ(page->records.size(), 1U);
  EXPECT_EQ(page->records[0].cells[3].type(), ValueType::vector);
  EXPECT_EQ(page->records[0].cells[3].bytes(), kOneTwo);
  EXPECT_EQ(page->vectors_kept_raw, 0U);
}

TEST(Vectors, of_another_dimension_are_skipped) {
  for (const auto& page :
       {embedding(text("x"), ValueView::blob(kOneTwo), number(3)),
        embedding(text("[1]"), ValueView::null(), ValueView::null()),
        embedding(ValueView::null(), ValueView::blob(kOneTwo.substr(0, 4)), ValueView::null())}) {
    EXPECT_TRUE(page->records.empty());
    ASSERT_EQ(page->skipped.size(), 1U);
    EXPECT_NE(page->skipped[0].reason.find("floats, not"), std::string::npos);
  }
}

TEST(Vectors, in_other_encodings_are_kept_as_they_are_and_counted) {
  const auto packed = embedding(text("__compressed__:abc"), ValueView::null(), number(2));
  ASSERT_EQ(packed->records.size(), 1U);
  EXPECT_EQ(packed->records[0].cells[3].bytes(), "__compressed__:abc");
  EXPECT_EQ(packed->vectors_kept_raw, 1U);
  const auto odd = embedding(ValueView::null(), ValueView::blob("12345"), number(2));
  EXPECT_EQ(odd->records[0].cells[4].type(), ValueType::blob);
  EXPECT_EQ(odd->vectors_kept_raw, 1U);
}

}  // namespace
}  // namespace tidemark::source
