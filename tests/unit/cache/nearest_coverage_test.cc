// What nearest() says of itself: over how much of the source it searched.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/embeddings.h"

namespace tidemark::cache {
namespace {

using support::write_embeddings;

const std::vector<float> kOne = {1, 0};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Coverage coverage(const std::string& path, const NearestQuery& query) {
  const auto reader = Reader::open(path);
  const auto found = reader->nearest(query);
  EXPECT_TRUE(found);
  return found ? found->coverage : Coverage{};
}

TEST(NearestCoverage, counts_every_row_once_for_what_left_it_out) {
  const support::SmallCache cache;
  write_embeddings(cache.path, {{"ok", {1, 1}},
                                {"none", {}},
                                {"long", {1, 2, 3}},
                                {"model", {1, 2}, "other"},
                                {"nan", {1, kNan}},
                                {"zero", {0, 0}},
                                {"pattern", {1, 2}, "m", "patterns"}});
  const Coverage c =
      coverage(cache.path, {.vector = kOne, .model = "m", .of_collection = "episodes"});
  EXPECT_EQ(c.searched, 1U);
  EXPECT_EQ(c.no_vector, 1U);
  EXPECT_EQ(c.other_dimension, 1U);
  EXPECT_EQ(c.other_model, 1U);
  EXPECT_EQ(c.not_finite, 1U);
  EXPECT_EQ(c.zero, 1U);
  EXPECT_EQ(c.other_parent, 1U);
  EXPECT_EQ(c.filtered, 0U);
  const Coverage l2 =
      coverage(cache.path, {.vector = kOne, .similarity = Similarity::l2, .model = "m"});
  EXPECT_EQ(l2.searched, 3U);
  EXPECT_EQ(l2.zero, 0U);
}

TEST(NearestCoverage, a_parent_that_names_no_collection_is_looked_up) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {support::episode("e1", 1, "x")}));
  write_embeddings(cache.path,
                   {{"mine", {1, 0}, "m", "", "e1"}, {"no ones", {1, 0}, "m", "", "p1"}});
  const auto reader = Reader::open(cache.path);
  const auto found = reader->nearest({.vector = kOne, .of_collection = "episodes"});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->neighbours.size(), 1U);
  EXPECT_EQ(found->neighbours[0].row.key(), "mine");
  EXPECT_EQ(found->coverage.filtered, 1U);
}

TEST(NearestCoverage, rows_that_name_no_model_are_a_model_of_their_own) {
  const support::SmallCache cache;
  write_embeddings(cache.path, {{"named", {1, 0}}, {"not", {1, 0}, ""}});
  const auto reader = Reader::open(cache.path);
  EXPECT_FALSE(reader->nearest({.vector = kOne}));
  const auto found = reader->nearest({.vector = kOne, .model = ""});
  ASSERT_EQ(found->neighbours.size(), 1U);
  EXPECT_EQ(found->neighbours[0].row.key(), "not");
}

TEST(NearestCoverage, is_complete_only_where_the_cache_proves_it) {
  const support::SmallCache cache;
  const auto all = [](Meta& meta) {
    meta.state.window_complete = true;
    meta.state.checked_at_us = 1;
  };
  write_embeddings(cache.path, {{"a", {1, 0}}}, "embeddings", all);
  EXPECT_TRUE(coverage(cache.path, {.vector = kOne}).complete);
  using Edit = std::function<void(State&)>;
  const auto judged = [&](const Edit& edit, const std::string& of) {
    write_embeddings(cache.path, {}, "embeddings", [&](Meta& meta) {
      all(meta);
      edit(meta.state);
    });
    const Coverage c = coverage(cache.path, {.vector = kOne, .of_collection = of});
    write_embeddings(cache.path, {}, "embeddings", [&](Meta& meta) {
      meta.state.sync_patterns = meta.state.sync_embeddings = true;
      meta.state.in_doubt = meta.state.catching_up = false;
    });
    return c;
  };
  const Edit window = [](State& s) { s.window_complete = false; };
  EXPECT_FALSE(judged(window, "").complete);
  EXPECT_FALSE(judged(window, "episodes").window_complete);
  EXPECT_TRUE(judged(window, "patterns").complete);
  const Edit patterns = [](State& s) { s.sync_patterns = false; };
  EXPECT_FALSE(judged(patterns, "").complete);
  EXPECT_FALSE(judged(patterns, "heuristics").in_scope);
  EXPECT_TRUE(judged(patterns, "episodes").complete);
  EXPECT_FALSE(judged([](State& s) { s.sync_embeddings = false; }, "").in_scope);
  EXPECT_FALSE(judged([](State& s) { s.catching_up = true; }, "").complete);
  EXPECT_FALSE(judged([](State& s) { s.in_doubt = true; }, "").complete);
  EXPECT_FALSE(judged([](State& s) { s.checked_at_us = 0; }, "").complete);
  EXPECT_TRUE(judged([](State&) {}, "").complete);
}

TEST(NearestCoverage, a_source_without_embeddings_has_none_near) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {support::episode("e1", 1, "x")}));
  const auto found = Reader::open(cache.path)->nearest({.vector = kOne});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->neighbours.empty());
}

}  // namespace
}  // namespace tidemark::cache
