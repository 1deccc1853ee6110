#include "daemon/like.h"

#include <nlohmann/json.hpp>

#include "daemon/json_forms.h"
#include "tests/support/embeddings.h"

namespace tidemark::daemon {
namespace {

using support::write_embeddings;

class FindLike : public testing::Test {
 protected:
  void SetUp() override {
    write_embeddings(cache_.path, {{"a", {1, 0}, "m", "episode", "ep-1"},
                                   {"b", {0, 1}, "m", "episode", "ep-2"},
                                   {"c", {1, 1}, "n", "episode", "ep-2"},
                                   {"none", {}, "m", "episode", "ep-3"},
                                   {"ep-1", {3, 3}, "n", "episode", "ep-4"},
                                   {"own", {5, 5}, "", "episode", "own"}});
    write_embeddings(cache_.path, {{"a", {1, 0, 0}, "m", "episode", "ep-5"}}, "embeddings_3");
  }
  Result<std::optional<Like>> find(const std::string& key, const std::string& in = "embeddings",
                                   const std::optional<std::string>& model = {}) {
    const auto reader = Reader::open(cache_.path);
    return find_like(*reader->snapshot(), key, in, model);
  }
  std::string found(const std::string& key, const std::string& in = "embeddings",
                    const std::optional<std::string>& model = {}) {
    const auto like = find(key, in, model);
    if (!like) return std::string(to_string(like.error().code)) + ": " + like.error().message;
    return *like ? (*like)->collection + " " + (*like)->key : "unknown";
  }

  const support::SmallCache cache_;
};

TEST_F(FindLike, is_the_embedding_of_an_item_or_one_by_its_own_key) {
  EXPECT_EQ(found("ep-5"), "embeddings_3 a");
  EXPECT_EQ(found("b"), "embeddings b");
  EXPECT_EQ(found("own"), "embeddings own");  // both at once
  EXPECT_EQ(found("nothing"), "unknown");
  const auto like = find("c");
  EXPECT_EQ((*like)->vector, (std::vector<float>{1, 1}));
  EXPECT_EQ((*like)->model_name, "n");
}

TEST_F(FindLike, several_are_told_apart_by_collection_or_model) {
  EXPECT_TRUE(found("ep-2").starts_with("invalid: ep-2 means 2 embeddings: ")) << found("ep-2");
  EXPECT_NE(found("ep-2").find("embeddings c (model n, 2 floats)"), std::string::npos);
  EXPECT_EQ(found("ep-2", "embeddings", "m"), "embeddings b");
  EXPECT_EQ(found("ep-2", "embeddings", "other"), "unknown");
  EXPECT_TRUE(found("a").starts_with("invalid: a means 2")) << found("a");
  EXPECT_EQ(found("a", "embeddings_3"), "embeddings_3 a");
  // An item's key that is also another embedding's own.
  EXPECT_TRUE(found("ep-1").starts_with("invalid: ep-1 means 2")) << found("ep-1");
}

TEST_F(FindLike, one_without_a_vector_is_unsupported) {
  EXPECT_TRUE(found("ep-3").starts_with("unsupported: ")) << found("ep-3");
  EXPECT_TRUE(found("x", "no_such").starts_with("invalid: ")) << found("x", "no_such");
  EXPECT_TRUE(found("x", "episodes").starts_with("invalid: ")) << found("x", "episodes");
}

TEST_F(FindLike, the_search_for_what_is_like_it_leaves_it_out_and_keeps_to_its_model) {
  const auto reader = Reader::open(cache_.path);
  const auto snapshot = reader->snapshot();
  const auto like = find_like(*snapshot, "c", "embeddings", {});
  const auto nearest = snapshot->nearest(query_like(**like, {}));
  ASSERT_TRUE(nearest);
  const auto json = nlohmann::json::parse(nearest_json(*nearest, ",\"more\":1"));
  ASSERT_EQ(json["neighbours"].size(), 1U);
  EXPECT_EQ(json["neighbours"][0]["key"], "ep-1");
  EXPECT_EQ(json["neighbours"][0]["row"],
            (nlohmann::json{
                {"id", "ep-1"}, {"item_id", "ep-4"}, {"item_type", "episode"}, {"model", "n"}}));
  EXPECT_EQ(json["neighbours"][0]["parent"]["key"], "ep-4");
  EXPECT_EQ(json["coverage"]["other_model"], 4);
  EXPECT_EQ(json["more"], 1);
}

}  // namespace
}  // namespace tidemark::daemon
