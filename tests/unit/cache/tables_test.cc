// One name for several tables, and queries that could choose nothing.
#include <gtest/gtest.h>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

model::Collection embeddings(const std::string& name) {
  model::Collection collection;
  collection.name = name;
  collection.kind = model::Kind::embeddings;
  collection.columns = {{"id", "TEXT"}, {"item_id", "TEXT"}};
  collection.parent_column = 1;
  return collection;
}

// Two embedding tables that share the key "both"; one of them alone has "large".
struct PerDimension : public ::testing::Test {
  PerDimension() {
    model::Catalog catalog = support::small_catalog();
    catalog.collections.push_back(embeddings("embeddings_1024"));
    catalog.collections.push_back(embeddings("embeddings_384"));
    auto writer = Writer::create(generation_path(cache.path), Meta{}, {});
    auto session = writer->begin();
    support::describe(session->edit_meta());
    session->edit_meta().catalog.catalog = catalog;
    const auto& columns = catalog.collections[2];
    session->edit_meta().catalog.schemas[columns.schema_id()] = {"id", "item_id"};
    put(*session, catalog.collections[2], "both");
    put(*session, catalog.collections[2], "large");
    put(*session, catalog.collections[3], "both");
    EXPECT_TRUE(std::move(*session).commit());
    EXPECT_TRUE(std::move(*writer).close());
    EXPECT_TRUE(install_generation(generation_path(cache.path), cache.path));
  }
  static void put(WriteSession& session, const model::Collection& table, const std::string& key) {
    const std::vector<ValueView> cells = {ValueView::text(key), ValueView::text("e1")};
    const std::vector<EncodedRow> rows = {encode_record(table, {key, cells})};
    EXPECT_TRUE(session.put(table, rows));
  }
  support::SmallCache cache;
};

// `get embeddings KEY` answered unknown for every key of such a source.
TEST_F(PerDimension, embeddings_means_every_embedding_table_in_get_as_in_list) {
  const auto reader = Reader::open(cache.path);
  ASSERT_TRUE(reader);
  const auto one = reader->get("embeddings", "large");
  ASSERT_TRUE(one && *one);
  EXPECT_EQ(one->row().collection(), "embeddings_1024");
  const auto snapshot = reader->snapshot();
  const auto both = snapshot->get_all("embeddings", "both");
  ASSERT_TRUE(both);
  ASSERT_EQ(both->size(), 2U);
  EXPECT_EQ(both->at(0).row().collection(), "embeddings_1024");
  EXPECT_EQ(both->at(1).row().collection(), "embeddings_384");
  EXPECT_EQ(snapshot->get("embeddings", "both")->row().collection(), "embeddings_1024");
  EXPECT_EQ(snapshot->get_all("embeddings_384", "both")->size(), 1U);
}

TEST_F(PerDimension, a_miss_in_every_table_is_one_unknown_and_counted_once) {
  const auto reader = Reader::open(cache.path);
  const auto before = inspect(cache.path).reads;
  const auto none = reader->snapshot()->get_all("embeddings", "none");
  ASSERT_TRUE(none);
  ASSERT_EQ(none->size(), 1U);
  EXPECT_EQ(none->front().presence(), Presence::unknown);
  EXPECT_EQ(inspect(cache.path).reads->unknown, before->unknown + 1);
  EXPECT_EQ(reader->get("patterns", "none")->presence(), Presence::absent);
  EXPECT_EQ(reader->get("heuristics", "none")->presence(), Presence::unknown);  // no such table
  EXPECT_EQ(reader->get("embeddings_9", "none").error().code, ErrorCode::invalid);
}

// `list episodes --of x` printed nothing, as if x had no episodes.
TEST_F(PerDimension, queries_that_could_choose_nothing_are_refused_with_a_hint) {
  const auto reader = Reader::open(cache.path);
  const std::vector<Query> bad = {
      {.collection = "episodes", .of_key = "e1"},
      {.collection = "patterns", .of_key = "e1"},
      {.collection = "heuristics", .of_key = "e1"},
      {.collection = "episodes", .where_index = "at", .where_value = std::string("1")},
      {.collection = "embeddings", .where_index = "item_id", .where_value = std::string("e1")},
      {.collection = "heuristics", .where_index = "a", .where_value = std::string("b")},
      {.collection = "embeddings_384", .where_index = "a", .of_key = "e1"},
      {.collection = "embeddings", .of_key = "e1", .of_collection = "embeddings"},
      {.collection = "embeddings", .of_key = "e1", .of_collection = "lessons"},
      {.collection = "embeddings", .of_collection = "episodes"}};
  const auto nothing = [](const Row&) { return true; };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    for (const auto& listed :
         {reader->scan(bad[i], nothing), reader->snapshot()->scan(bad[i], nothing)}) {
      ASSERT_FALSE(listed) << i;
      EXPECT_EQ(listed.error().code, ErrorCode::invalid) << i;
      EXPECT_FALSE(listed.error().hint.empty()) << i;
    }
  }
  std::size_t rows = 0;
  const auto count = [&](const Row&) { return ++rows > 0; };
  EXPECT_TRUE(reader->scan({.collection = "embeddings", .of_key = "e1"}, count));
  EXPECT_EQ(rows, 3U);
  EXPECT_TRUE(reader->scan({.collection = "heuristics"}, nothing));
}

}  // namespace
}  // namespace tidemark::cache
