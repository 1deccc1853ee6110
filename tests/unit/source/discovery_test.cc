// Which tables are ours, and what their columns are for.
#include <gtest/gtest.h>

#include <algorithm>

#include "source/source.h"
#include "tests/support/rows.h"

namespace tidemark::source {
namespace {

using model::Kind;
using support::number;
using support::rows;
using support::text;

struct Table {
  std::string name;
  std::vector<std::pair<std::string, std::string>> columns;  // the first is the key
};

model::RowSet schema_of(const std::vector<Table>& tables) {
  model::RowSet set;
  set.set_columns({"type", "name", "tbl_name", "sql"});
  for (const Table& table : tables) {
    set.add(std::vector<ValueView>{text("table"), text(table.name), text(table.name),
                                   text("CREATE TABLE x")});
  }
  return set;
}

model::RowSet table_info(const Table& table, std::size_t keys = 1) {
  model::RowSet set;
  set.set_columns({"cid", "name", "type", "notnull", "dflt_value", "pk"});
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    set.add(std::vector<ValueView>{number(static_cast<std::int64_t>(i)),
                                   text(table.columns[i].first), text(table.columns[i].second),
                                   number(0), ValueView::null(), number(i < keys ? 1 : 0)});
  }
  return set;
}

// `tables` in the order of the catalog.
Result<model::Catalog> discover(const std::vector<Table>& tables, std::size_t keys = 1,
                                const RoleOverrides& overrides = {}) {
  turso::BatchReply reply;
  reply.results.push_back(rows({"n"}, {{number(1)}}));
  for (const Table& table : tables) reply.results.push_back(table_info(table, keys));
  return read_discovery(schema_of(tables), reply, overrides);
}

const Table kEpisodes{"episodes", {{"episode_id", "TEXT"}, {"start_time", "INTEGER"}}};

std::string name_of(const model::Collection& collection, std::optional<std::size_t> column) {
  return column ? collection.columns[*column].name : "none";
}

TEST(Discovery, asks_for_our_tables_only_episodes_first) {
  const auto batch = discovery_batch(schema_of(
      {{"embeddings_384", {}}, {"notes", {}}, {"patterns", {}}, {"Episodes", {}}, {"embed", {}}}));
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->statements.size(), 4U);
  EXPECT_EQ(batch->statements[1].sql, "PRAGMA table_info(\"Episodes\")");
  EXPECT_EQ(batch->statements[2].sql, "PRAGMA table_info(\"patterns\")");
  EXPECT_EQ(batch->statements[3].sql, "PRAGMA table_info(\"embeddings_384\")");
}

TEST(Discovery, without_episodes_names_the_tables_there_are) {
  const auto batch = discovery_batch(schema_of({{"notes", {}}, {"patterns", {}}}));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::invalid);
  EXPECT_NE(batch.error().message.find("notes, patterns"), std::string::npos);
  EXPECT_NE(discovery_batch(schema_of({})).error().message.find("no tables"), std::string::npos);
}

TEST(Discovery, a_view_of_that_name_is_unsupported) {
  const auto view = rows({"type", "name", "tbl_name", "sql"},
                         {{text("view"), text("episodes"), text("episodes"), text("x")}});
  EXPECT_EQ(discovery_batch(view).error().code, ErrorCode::unsupported);
}

TEST(Discovery, the_order_column_is_the_first_known_name_in_any_case) {
  const auto order = [](std::vector<std::pair<std::string, std::string>> columns) {
    columns.insert(columns.begin(), {"id", "INTEGER"});
    const auto catalog = discover({{"episodes", columns}});
    return catalog ? name_of(catalog->collections[0], catalog->collections[0].order_column) : "?";
  };
  EXPECT_EQ(order({{"created_at", ""}, {"start_time", ""}}), "start_time");
  EXPECT_EQ(order({{"start_time", ""}, {"TimeStamp", ""}}), "TimeStamp");
  EXPECT_EQ(order({{"made", ""}}), "none");
}

TEST(Discovery, without_an_order_column_there_is_a_note) {
  const auto catalog = discover({{"episodes", {{"id", "TEXT"}}}});
  ASSERT_TRUE(catalog);
  EXPECT_EQ(std::ranges::count_if(
                catalog->notes,
                [](const auto& note) { return note.find("no timestamp") != std::string::npos; }),
            1);
}

TEST(Discovery, the_key_is_one_column_of_integer_or_text_affinity) {
  const auto keyed = [](const char* type) {
    return discover({{"episodes", {{"id", type}, {"x", ""}}}});
  };
  EXPECT_TRUE(keyed("BIGINT")->collections[0].integer_key);
  EXPECT_FALSE(keyed("VARCHAR(40)")->collections[0].integer_key);
  EXPECT_TRUE(keyed("CHARINT")->collections[0].integer_key);  // SQLite looks for INT first
  for (const char* other : {"REAL", "BLOB", ""}) {
    ASSERT_FALSE(keyed(other)) << other;
    EXPECT_EQ(keyed(other).error().code, ErrorCode::unsupported) << other;
  }
  EXPECT_EQ(discover({kEpisodes}, 0).error().code, ErrorCode::unsupported);
  EXPECT_EQ(discover({kEpisodes}, 2).error().code, ErrorCode::unsupported);
}

TEST(Discovery, configuration_overrides_key_and_order) {
  const auto catalog = discover(
      {{"episodes", {{"rowid_", "INTEGER"}, {"uid", "TEXT"}, {"made", ""}, {"timestamp", ""}}}}, 1,
      {"UID", "Made"});
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->collections[0].key_column, 1U);
  EXPECT_FALSE(catalog->collections[0].integer_key);
  EXPECT_EQ(name_of(catalog->collections[0], catalog->collections[0].order_column), "made");
}

TEST(Discovery, a_parent_is_item_id_else_the_collection_that_the_column_names) {
  const auto parent = [](std::vector<std::pair<std::string, std::string>> columns) {
    columns.insert(columns.begin(), {"embedding_id", "TEXT"});
    return discover({kEpisodes, {"embeddings", columns}})->collections[1];
  };
  const auto item = parent({{"episode_id", ""}, {"item_id", ""}, {"item_type", ""}});
  EXPECT_EQ(name_of(item, item.parent_column), "item_id");
  EXPECT_EQ(name_of(item, item.parent_type_column), "item_type");
  EXPECT_FALSE(item.parent_kind);
  const auto episode = parent({{"pattern_id", ""}, {"episode_id", ""}, {"item_type", ""}});
  EXPECT_EQ(name_of(episode, episode.parent_column), "episode_id");
  EXPECT_EQ(episode.parent_kind, Kind::episodes);
  EXPECT_FALSE(episode.parent_type_column);
  EXPECT_EQ(parent({{"pattern_id", ""}}).parent_kind, Kind::patterns);
  EXPECT_FALSE(parent({{"x", ""}}).parent_column);
}

TEST(Discovery, pattern_indexes_are_those_present) {
  const auto catalog = discover(
      {kEpisodes,
       {"patterns", {{"pattern_id", "TEXT"}, {"task_type", ""}, {"pattern_type", ""}, {"x", ""}}}});
  ASSERT_TRUE(catalog);
  const auto& patterns = catalog->collections[1];
  EXPECT_EQ(patterns.index_columns, (std::vector<std::size_t>{2, 1}));
}

TEST(Discovery, a_vector_keeps_its_dimension_where_the_server_leaves_it_to_the_sql) {
  const Table embeddings{"embeddings",
                         {{"embedding_id", "TEXT"}, {"embedding_vector", "F32_BLOB"}}};
  model::RowSet schema = schema_of({kEpisodes});
  schema.add(std::vector<ValueView>{
      text("table"), text("embeddings"), text("embeddings"),
      text("CREATE TABLE embeddings (embedding_id TEXT, embedding_vector F32_BLOB (384))")});
  turso::BatchReply reply;
  reply.results.push_back(rows({"n"}, {{number(1)}}));
  reply.results.push_back(table_info(kEpisodes));
  reply.results.push_back(table_info(embeddings));
  const auto catalog = read_discovery(schema, reply, {});
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->find("embeddings")->columns[1].declared_type, "F32_BLOB(384)");
}

TEST(Discovery, wide_encodings_and_short_replies_are_refused) {
  turso::BatchReply wide;
  wide.results.push_back(rows({"n"}, {{number(2)}}));
  wide.results.push_back(table_info(kEpisodes));
  EXPECT_EQ(read_discovery(schema_of({kEpisodes}), wide).error().code, ErrorCode::unsupported);
  turso::BatchReply brief;
  brief.results.push_back(rows({"n"}, {{number(1)}}));
  EXPECT_EQ(read_discovery(schema_of({kEpisodes}), brief).error().code, ErrorCode::unavailable);
  brief.results.push_back(rows({"cid"}, {}));
  EXPECT_EQ(read_discovery(schema_of({kEpisodes}), brief).error().code, ErrorCode::unavailable);
}

TEST(Fingerprint, tells_apart_what_concatenates_to_the_same_text) {
  const std::vector<std::string> columns = {"type", "name"};
  EXPECT_NE(fingerprint(rows(columns, {{text("ab"), text("c")}})),
            fingerprint(rows(columns, {{text("a"), text("bc")}})));
  EXPECT_EQ(fingerprint(schema_of({kEpisodes})), fingerprint(schema_of({kEpisodes})));
  EXPECT_EQ(fingerprint(schema_of({})).size(), 16U);
}

}  // namespace
}  // namespace tidemark::source
