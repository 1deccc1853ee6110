// tidemark_nearest.h over a real cache. That the answers are right is tests/unit/cache's matter.
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/embeddings.h"
#include "tidemark_nearest.h"

namespace tidemark {
namespace {

tidemark_bytes c(std::string_view text) { return {text.data(), text.size()}; }
tidemark_bytes c(const std::vector<float>& floats) {
  return {floats.data(), floats.size() * sizeof(float)};
}
std::string cpp(tidemark_bytes bytes) {
  return bytes.size == 0 ? std::string()
                         : std::string(static_cast<const char*>(bytes.data), bytes.size);
}

class AbiNearest : public testing::Test {
 protected:
  void SetUp() override {
    support::write_embeddings(cache_.path, {{"east", {1, 0}, "m", "episode", "ep-1"},
                                            {"north", {0, 1}, "m", "pattern", "p-1"},
                                            {"west", {-1, 0}, "m", "", "ep-2"}});
    ASSERT_EQ(tidemark_open(c(cache_.path), nullptr, &open_, nullptr), TIDEMARK_OK);
    query_.size = sizeof query_;
    query_.vector = c(vector_);
  }
  void TearDown() override {
    tidemark_close(open_);
    tidemark_nearest_free(found_);
  }
  tidemark_code search() {
    tidemark_nearest_free(found_);
    found_ = nullptr;
    return tidemark_nearest(open_, &query_, &found_, nullptr);
  }
  tidemark_neighbour at(std::size_t number) {
    tidemark_neighbour neighbour{};
    neighbour.size = sizeof neighbour;
    tidemark_nearest_at(found_, number, &neighbour);
    return neighbour;
  }
  std::string keys() {
    std::string keys;
    for (std::size_t i = 0; i < tidemark_nearest_count(found_); ++i) {
      keys += cpp(tidemark_row_key(at(i).row)) + " ";
    }
    return keys;
  }

  const support::SmallCache cache_;
  const std::vector<float> vector_ = {1, 0.5F};
  tidemark_cache* open_ = nullptr;
  tidemark_nearest_query query_{};
  tidemark_neighbours* found_ = nullptr;
};

TEST_F(AbiNearest, finds_the_nearest_with_scores_and_parents_which_outlive_the_cache) {
  query_.similarity = TIDEMARK_DOT;
  ASSERT_EQ(search(), TIDEMARK_OK);
  tidemark_close(open_);
  open_ = nullptr;
  EXPECT_EQ(keys(), "east north west ");
  EXPECT_EQ(at(0).score, 1);
  EXPECT_EQ(at(1).score, 0.5);
  EXPECT_EQ(at(2).score, -1);
  EXPECT_EQ(cpp(at(0).parent_collection), "episodes");
  EXPECT_EQ(cpp(at(0).parent_key), "ep-1");
  EXPECT_EQ(cpp(at(1).parent_collection), "patterns");
  EXPECT_EQ(cpp(at(2).parent_collection), "");
  EXPECT_EQ(cpp(at(2).parent_key), "ep-2");
  EXPECT_EQ(at(3).row, nullptr);
  EXPECT_EQ(at(3).parent_key.size, 0U);
}

TEST_F(AbiNearest, takes_each_part_of_the_query) {
  query_.k = 1;
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "east ");
  query_.k = 0;
  query_.of_collection = c("patterns");
  query_.similarity = TIDEMARK_L2;
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "north ");
  query_.of_collection = {};
  query_.model = {"", 0};
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "");
  query_.model = c("m");
  query_.collection = c("embeddings");
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "east north west ");
  // At any alignment.
  std::string bytes = "x" + cpp(c(vector_));
  query_.vector = {bytes.data() + 1, bytes.size() - 1};
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "east north west ");
}

TEST_F(AbiNearest, asks_the_filter_with_its_context) {
  std::string refused = "east";
  query_.filter_context = &refused;
  query_.filter = [](const tidemark_row* row, void* context) {
    return cpp(tidemark_row_key(row)) == *static_cast<std::string*>(context) ? 0 : 1;
  };
  ASSERT_EQ(search(), TIDEMARK_OK);
  EXPECT_EQ(keys(), "north west ");
}

TEST_F(AbiNearest, says_over_how_much_it_searched_and_how_fresh_that_is) {
  query_.of_collection = c("episodes");
  tidemark_cache* snapshot = nullptr;
  ASSERT_EQ(tidemark_snapshot(open_, &snapshot, nullptr), TIDEMARK_OK);
  ASSERT_EQ(tidemark_nearest(snapshot, &query_, &found_, nullptr), TIDEMARK_OK);
  tidemark_close(snapshot);
  tidemark_coverage coverage;
  std::memset(&coverage, 0x5a, sizeof coverage);
  coverage.size = offsetof(tidemark_coverage, complete);
  tidemark_nearest_coverage(found_, &coverage);
  EXPECT_EQ(coverage.searched, 2U);  // west may be of an episode
  EXPECT_EQ(coverage.other_parent, 1U);
  EXPECT_EQ(coverage.filtered, 1U);  // it is not
  EXPECT_EQ(coverage.in_scope, 1);
  EXPECT_EQ(coverage.window_complete, 0);
  EXPECT_EQ(coverage.complete, 0x5a5a5a5a);  // beyond the size that was given
  tidemark_freshness freshness{};
  freshness.size = sizeof freshness;
  tidemark_nearest_freshness(found_, &freshness);
  EXPECT_EQ(freshness.state, TIDEMARK_IS_STALE);  // checked in 1970
}

TEST_F(AbiNearest, refuses_what_means_nothing_and_leaves_what_is_out) {
  const auto refuses = [this] {
    auto* out = reinterpret_cast<tidemark_neighbours*>(8);
    tidemark_error* error = nullptr;
    const tidemark_code code = tidemark_nearest(open_, &query_, &out, &error);
    const bool told = error != nullptr && tidemark_error_message(error).size > 0;
    tidemark_error_free(error);
    return code == TIDEMARK_INVALID && told && out == reinterpret_cast<tidemark_neighbours*>(8);
  };
  query_.similarity = 3;
  EXPECT_TRUE(refuses());
  query_.similarity = -1;
  EXPECT_TRUE(refuses());
  query_.similarity = TIDEMARK_COSINE;
  query_.vector = {vector_.data(), 7};
  EXPECT_TRUE(refuses());
  query_.vector = {};
  EXPECT_TRUE(refuses());
  query_.vector = c(vector_);
  query_.k = 10'001;
  EXPECT_TRUE(refuses());
  EXPECT_EQ(tidemark_nearest(open_, nullptr, &found_, nullptr), TIDEMARK_INVALID);
  EXPECT_EQ(tidemark_nearest(nullptr, &query_, &found_, nullptr), TIDEMARK_INVALID);
  EXPECT_EQ(tidemark_nearest(open_, &query_, nullptr, nullptr), TIDEMARK_INVALID);
}

}  // namespace
}  // namespace tidemark
