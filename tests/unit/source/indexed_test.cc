// What the schema's SQL says as people write it: whether a lookup by parent can use an index, how
// long a vector is.
#include "source/indexed.h"

#include <gtest/gtest.h>

#include <string>

#include "source/source.h"
#include "tests/support/rows.h"

namespace tidemark::source {
namespace {

using support::number;
using support::rows;
using support::text;

constexpr const char* kPlain = "CREATE TABLE embeddings(id TEXT PRIMARY KEY, item_id TEXT)";

bool indexed(const std::string& table_sql, const std::string& index_sql = {}) {
  model::RowSet schema;
  schema.set_columns({"type", "name", "tbl_name", "sql"});
  schema.add(std::vector<ValueView>{text("table"), text("embeddings"), text("embeddings"),
                                    text(table_sql)});
  if (!index_sql.empty()) {
    schema.add(
        std::vector<ValueView>{text("index"), text("i"), text("Embeddings"), text(index_sql)});
  }
  return is_indexed(schema, "embeddings", "item_id");
}

TEST(Indexed, an_index_counts_that_begins_with_the_column_however_it_is_written) {
  for (const char* sql : {"CREATE INDEX i ON embeddings(item_id)",
                          "create unique index i on embeddings (\"Item_Id\")",
                          "CREATE INDEX i ON embeddings ( [item_id] DESC, model )",
                          "CREATE INDEX \"(\" ON embeddings(`item_id` COLLATE BINARY)",
                          "CREATE INDEX i /* ( */ ON embeddings -- (model)\n (item_id)"}) {
    EXPECT_TRUE(indexed(kPlain, sql)) << sql;
  }
}

TEST(Indexed, one_that_begins_otherwise_or_is_partial_does_not) {
  for (const char* sql :
       {"", "CREATE INDEX i ON embeddings(model, item_id)",
        "CREATE INDEX i ON embeddings(lower(item_id))", "CREATE INDEX item_id ON embeddings(model)",
        "CREATE INDEX i ON embeddings(item_id) WHERE model IS NOT NULL"}) {
    EXPECT_FALSE(indexed(kPlain, sql)) << sql;
  }
  EXPECT_FALSE(indexed("", "CREATE INDEX"));
}

TEST(Indexed, what_a_table_makes_unique_is_indexed) {
  for (const char* sql : {"CREATE TABLE embeddings(id TEXT, item_id TEXT UNIQUE)",
                          "CREATE TABLE embeddings(item_id TEXT PRIMARY KEY)",
                          "CREATE TABLE embeddings(id TEXT, item_id TEXT, UNIQUE(item_id, model))",
                          "CREATE TABLE embeddings(id TEXT DEFAULT (1), \"item_id\" DECIMAL(1, 2) "
                          "UNIQUE, CONSTRAINT c CHECK (id <> ','))",
                          "CREATE TABLE embeddings(id, CONSTRAINT c UNIQUE (item_id))"}) {
    EXPECT_TRUE(indexed(sql)) << sql;
  }
  for (const char* sql : {"CREATE TABLE embeddings(id TEXT UNIQUE, item_id TEXT DEFAULT 'unique')",
                          "CREATE TABLE embeddings(id, item_id, UNIQUE(id, item_id))",
                          "CREATE TABLE embeddings(id, item_id TEXT) -- UNIQUE(item_id)"}) {
    EXPECT_FALSE(indexed(sql)) << sql;
  }
}

model::Catalog discovered(const std::string& index_sql) {
  model::RowSet schema;
  schema.set_columns({"type", "name", "tbl_name", "sql"});
  const auto add = [&](const char* type, const std::string& name, const std::string& sql) {
    schema.add(std::vector<ValueView>{text(type), text(name), text("embeddings"), text(sql)});
  };
  if (!index_sql.empty()) add("index", "i", index_sql);
  add("table", "embeddings", kPlain);
  schema.add(std::vector<ValueView>{text("table"), text("episodes"), text("episodes"),
                                    text("CREATE TABLE episodes(id TEXT PRIMARY KEY)")});
  turso::BatchReply reply;
  reply.results.push_back(rows({"n"}, {{number(1)}}));
  const std::vector<std::string> info = {"cid", "name", "type", "notnull", "dflt_value", "pk"};
  reply.results.push_back(
      rows(info, {{number(0), text("id"), text("TEXT"), number(0), ValueView::null(), number(1)}}));
  reply.results.push_back(rows(
      info, {{number(0), text("id"), text("TEXT"), number(0), ValueView::null(), number(1)},
             {number(1), text("item_id"), text("TEXT"), number(0), ValueView::null(), number(0)}}));
  const auto catalog = read_discovery(schema, reply);
  EXPECT_TRUE(catalog) << (catalog ? "" : catalog.error().message);
  return catalog ? *catalog : model::Catalog{};
}

bool has_note(const model::Catalog& catalog, const std::string& part) {
  for (const auto& note : catalog.notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

// Nothing said why a pass over a large table of embeddings was slow.
TEST(Discovery, an_unindexed_parent_is_a_note_that_names_the_index_which_helps) {
  const std::string help = "CREATE INDEX \"embeddings_by_item_id\" ON \"embeddings\"(\"item_id\")";
  EXPECT_TRUE(has_note(discovered({}), help));
  EXPECT_FALSE(has_note(discovered(help), "CREATE INDEX"));
}

// A column that compares otherwise must be told how, each time.
TEST(IsBinary, is_what_declares_no_collation) {
  const auto binary = [](const char* sql, std::string_view column = "id") {
    return is_binary(rows({"type", "name", "tbl_name", "sql"},
                          {{text("index"), text("e"), text("e"), text("CREATE INDEX e ON e(id)")},
                           {text("table"), text("E"), text("E"), text(sql)}}),
                     "e", column);
  };
  for (const char* sql : {"CREATE TABLE e(id TEXT PRIMARY KEY)", "create table e([ID])",
                          "CREATE TABLE e(id TEXT, n TEXT COLLATE NOCASE)",
                          "CREATE TABLE e(id TEXT DEFAULT 'COLLATE NOCASE', \"collate\" TEXT)",
                          "CREATE TABLE e(id TEXT /* COLLATE NOCASE */, PRIMARY KEY(id))"}) {
    EXPECT_TRUE(binary(sql)) << sql;
  }
  for (const char* sql : {"CREATE TABLE e(id TEXT COLLATE NOCASE PRIMARY KEY)",
                          "CREATE TABLE e(id TEXT PRIMARY KEY collate rtrim)",
                          "CREATE TABLE e(id TEXT COLLATE \"NOCASE\")", "CREATE TABLE e(n)", ""}) {
    EXPECT_FALSE(binary(sql)) << sql;
  }
  EXPECT_FALSE(binary("CREATE TABLE e(id TEXT)", "n"));
}

// A new index at the source is no other table.
TEST(SameTables, are_those_whose_rows_are_the_same_however_they_are_found) {
  const auto plain = discovered({});
  auto indexed = discovered("CREATE INDEX i ON embeddings(item_id)");
  EXPECT_TRUE(indexed.collections.back().access.parent_index);
  EXPECT_FALSE(plain.collections.back().access.parent_index);
  EXPECT_TRUE(model::same_tables(plain.collections, indexed.collections));
  indexed.collections.back().parent_column.reset();
  EXPECT_FALSE(model::same_tables(plain.collections, indexed.collections));
  indexed.collections.pop_back();
  EXPECT_FALSE(model::same_tables(plain.collections, indexed.collections));
}

// Turso 0.6 calls F32_BLOB(2) F32_BLOB in PRAGMA table_info: a vector of another dimension was
// cached from a server and skipped from a file (found by fault_differential).
TEST(DeclaredSize, is_read_from_the_sql_however_it_is_written) {
  const auto size_of = [](const char* sql, std::string_view column = "v") {
    return declared_size(rows({"type", "name", "tbl_name", "sql"},
                              {{text("table"), text("E"), text("E"), text(sql)}}),
                         "e", column);
  };
  for (const char* sql : {"CREATE TABLE e(id TEXT, v F32_BLOB(2))",
                          "CREATE TABLE E (id TEXT, \"V\" F32_BLOB (2) NOT NULL)",
                          "create table [e](`v` f32_blob /* two */ ( 2 ), id)"}) {
    EXPECT_EQ(size_of(sql), "(2)") << sql;
  }
  EXPECT_EQ(size_of("CREATE TABLE e(v F32_BLOB, w F32_BLOB(2))"), "");
  EXPECT_EQ(size_of("CREATE TABLE e(v DECIMAL(1, 2))"), "");
  EXPECT_EQ(size_of("CREATE TABLE e(v"), "");
  EXPECT_EQ(size_of(""), "");
}

}  // namespace
}  // namespace tidemark::source
