// nearest() against brute force in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "redb/database.h"
#include "tests/support/embeddings.h"

namespace tidemark::cache {
namespace {

using support::Embedding;
using support::write_embeddings;

constexpr std::size_t kDimension = 37;
constexpr std::size_t kOneByte = 1;  // no vector fits: every search reads the file

using Scored = std::pair<double, std::string>;

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

double score(Similarity similarity, const std::vector<float>& a, const std::vector<float>& b) {
  if (similarity == Similarity::dot) return dot(a, b);
  if (similarity == Similarity::cosine) return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  }
  return std::sqrt(sum);
}

std::vector<Scored> brute_force(Similarity similarity, const std::vector<Embedding>& rows,
                                const std::vector<float>& vector, std::size_t k) {
  std::vector<Scored> all;
  for (const Embedding& row : rows) {
    if (row.vector.size() != vector.size()) continue;
    all.emplace_back(score(similarity, row.vector, vector), row.key);
  }
  std::ranges::sort(all, [&](const Scored& a, const Scored& b) {
    if (a.first == b.first) return a.second < b.second;
    return similarity == Similarity::l2 ? a.first < b.first : a.first > b.first;
  });
  all.resize(std::min(k, all.size()));
  return all;
}

class Nearest : public testing::Test {
 protected:
  std::vector<float> random_vector(std::size_t dimension = kDimension) {
    std::normal_distribution<float> normal;
    std::vector<float> vector(dimension);
    for (float& f : vector) f = normal(random_);
    return vector;
  }
  std::vector<Embedding> random_rows(std::size_t count) {
    std::vector<Embedding> rows;
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back({"k" + std::to_string(random_() % 1'000'000), random_vector()});
    }
    std::ranges::sort(rows, {}, &Embedding::key);
    const auto same = std::ranges::unique(rows, {}, &Embedding::key);
    rows.erase(same.begin(), same.end());
    return rows;
  }
  Reader open(std::size_t vector_cache_bytes = std::size_t{1} << 30U) {
    ReaderOptions options;
    options.vector_cache_bytes = vector_cache_bytes;
    auto reader = Reader::open(cache_.path, options);
    EXPECT_TRUE(reader);
    return std::move(*reader);
  }
  static std::vector<std::string> keys(const Result<tidemark::Nearest>& found) {
    std::vector<std::string> keys;
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return keys;
    for (const Neighbour& neighbour : found->neighbours) keys.emplace_back(neighbour.row.key());
    return keys;
  }

  std::mt19937_64 random_{
      static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 1};
  const support::SmallCache cache_;
};

TEST_F(Nearest, is_brute_force_for_each_similarity_kept_or_not) {
  const auto rows = random_rows(3'000);
  write_embeddings(cache_.path, rows);
  const Reader kept = open();
  const Reader streamed = open(kOneByte);
  for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
    for (const std::size_t k : {1U, 10U, 500U, 5'000U}) {
      const auto vector = random_vector();
      const auto expected = brute_force(similarity, rows, vector, k);
      for (const Reader* const reader : {&kept, &streamed}) {
        const auto found = reader->nearest({.vector = vector, .k = k, .similarity = similarity});
        ASSERT_EQ(keys(found).size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_EQ(found->neighbours[i].row.key(), expected[i].second) << i;
          EXPECT_NEAR(found->neighbours[i].score, expected[i].first, 1e-12);
        }
        EXPECT_EQ(found->coverage.searched, rows.size());
      }
    }
  }
}

// Single precision cannot tell these apart; double precision can.
TEST_F(Nearest, orders_vectors_that_differ_in_the_last_bit_only) {
  auto vector = random_vector(384);
  std::vector<Embedding> rows;
  for (int i = 0; i < 400; ++i) {
    auto near = vector;
    float& one = near[static_cast<std::size_t>(i) % near.size()];
    one = std::nextafter(one, i % 3 == 0 ? 9.0F : -9.0F);
    rows.push_back({"k" + std::to_string(i), near});
  }
  write_embeddings(cache_.path, rows);
  const Reader reader = open();
  for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
    const auto expected = brute_force(similarity, rows, vector, 20);
    const auto found = reader.nearest({.vector = vector, .k = 20, .similarity = similarity});
    ASSERT_EQ(keys(found).size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) {
      EXPECT_NEAR(found->neighbours[i].score, expected[i].first, 1e-13) << i;
    }
  }
}

TEST_F(Nearest, ties_are_broken_by_key_and_then_by_table) {
  const auto vector = random_vector();
  write_embeddings(cache_.path, {{"c", vector}, {"a", vector}, {"d", vector}}, "embeddings_b");
  write_embeddings(cache_.path, {{"b", vector}, {"a", vector}}, "embeddings_a");
  const Reader reader = open();
  const auto found = reader.nearest({.vector = vector, .k = 4});
  EXPECT_EQ(keys(found), (std::vector<std::string>{"a", "a", "b", "c"}));
  EXPECT_EQ(found->neighbours[0].row.collection(), "embeddings_a");
  EXPECT_EQ(found->neighbours[1].row.collection(), "embeddings_b");
  EXPECT_EQ(keys(reader.nearest({.vector = vector, .collection = "embeddings_a"})),
            (std::vector<std::string>{"a", "b"}));
}

TEST_F(Nearest, a_filter_is_asked_from_the_nearest_on_until_k_count) {
  const auto rows = random_rows(2'000);
  write_embeddings(cache_.path, rows);
  const auto vector = random_vector();
  const auto all = brute_force(Similarity::cosine, rows, vector, rows.size());
  const auto odd = [](std::string_view key) { return key.back() % 2 == 1; };
  std::vector<std::string> expected;
  for (const auto& [score, key] : all) {
    if (odd(key) && expected.size() < 50) expected.push_back(key);
  }
  for (const std::size_t bytes : {kOneByte, std::size_t{1} << 30U}) {
    std::size_t asked = 0;
    const auto filter = [&](const Row& row) {
      ++asked;
      return odd(row.key());
    };
    const auto found = open(bytes).nearest({.vector = vector, .k = 50, .filter = filter});
    EXPECT_EQ(keys(found), expected);
    EXPECT_EQ(found->coverage.filtered + 50, asked);
    EXPECT_LT(asked, 400U);
    const auto none = [](const Row&) { return false; };
    const auto nothing = open(bytes).nearest({.vector = vector, .filter = none});
    EXPECT_EQ(keys(nothing).size(), 0U);
    EXPECT_EQ(nothing->coverage.filtered, rows.size());
  }
}

TEST_F(Nearest, floats_at_the_edges_of_their_range_are_scored_as_any) {
  constexpr float kHuge = 3e38F;
  constexpr float kTiny = 1e-44F;
  const std::vector<Embedding> rows = {{"huge", {kHuge, kHuge}},
                                       {"opposite", {-kHuge, kHuge}},
                                       {"tiny", {kTiny, 0}},
                                       {"one", {1, 0.5F}}};
  write_embeddings(cache_.path, rows);
  const Reader reader = open();
  for (const std::vector<float>& vector :
       {std::vector<float>{kHuge, kHuge}, {kTiny, kTiny}, {1, 0}}) {
    for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
      for (const std::size_t k : {1U, 2U, 4U}) {
        const auto expected = brute_force(similarity, rows, vector, k);
        const auto found = reader.nearest({.vector = vector, .k = k, .similarity = similarity});
        ASSERT_EQ(keys(found).size(), k);
        EXPECT_EQ(keys(found).front(), expected.front().second);
      }
    }
  }
}

TEST_F(Nearest, a_damaged_vector_is_an_error_and_never_a_neighbour) {
  const std::vector<float> marked = {0.123F, 0.456F, 0.789F};
  write_embeddings(cache_.path, {{"a", marked}, {"b", {1, 2, 3}}});
  std::string bytes;
  {
    std::ifstream in(cache_.path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::string wanted(reinterpret_cast<const char*>(marked.data()), 12);
  for (std::size_t at = 0; (at = bytes.find(wanted, at)) != std::string::npos; ++at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
  }
  std::ofstream(cache_.path, std::ios::binary) << bytes;
  for (const std::size_t room : {kOneByte, std::size_t{1} << 30U}) {
    const auto found = open(room).nearest({.vector = marked});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::corrupt);
  }
}

// Damage can also hide a row: then the others would be called the nearest.
TEST_F(Nearest, a_row_that_is_lost_is_an_error) {
  write_embeddings(cache_.path, {{"a", {1, 0}}, {"b", {0, 1}}});
  {
    redb::OpenOptions options;
    options.mode = redb::OpenOptions::Mode::open_or_create;
    auto db = redb::Database::open(cache_.path, options);
    ASSERT_TRUE(db);
    auto txn = db->begin_write();
    const std::vector<redb::Change> removed = {{"a", std::nullopt}};
    ASSERT_TRUE(txn->apply({"embeddings"}, removed));
    ASSERT_TRUE(std::move(*txn).commit());
    ASSERT_TRUE(std::move(*db).close());
  }
  const std::vector<float> vector = {1, 0};
  for (const std::size_t room : {kOneByte, std::size_t{1} << 30U}) {
    const auto found = open(room).nearest({.vector = vector});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    EXPECT_NE(found.error().hint, "");
  }
}

TEST_F(Nearest, a_query_that_means_nothing_is_refused) {
  write_embeddings(cache_.path, {{"a", {1, 0}}, {"b", {0, 1}, "other"}});
  const Reader reader = open();
  const std::vector<float> one = {1, 0};
  const std::vector<float> zero = {0, 0};
  const std::vector<float> nan = {1, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<float> infinite = {1, std::numeric_limits<float>::infinity()};
  for (const NearestQuery& query :
       std::vector<NearestQuery>{{.vector = {}, .model = "m"},
                                 {.vector = zero, .model = "m"},
                                 {.vector = nan, .model = "m"},
                                 {.vector = infinite, .similarity = Similarity::l2, .model = "m"},
                                 {.vector = one, .k = 0, .model = "m"},
                                 {.vector = one, .k = kNeighboursMax + 1, .model = "m"},
                                 {.vector = one, .collection = "episodes"},
                                 {.vector = one, .collection = "nothing"},
                                 {.vector = one, .model = "m", .of_collection = "embeddings"},
                                 {.vector = one, .model = "m", .of_collection = "nothing"},
                                 {.vector = one}}) {
    const auto found = reader.nearest(query);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::invalid);
    EXPECT_NE(found.error().hint, "");
  }
  EXPECT_NE(reader.nearest({.vector = one}).error().hint.find("m, other"), std::string::npos);
  EXPECT_TRUE(reader.nearest({.vector = zero, .similarity = Similarity::l2, .model = "m"}));
}

}  // namespace
}  // namespace tidemark::cache
