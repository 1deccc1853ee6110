#include "cache/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace tidemark::cache {
namespace {

VectorBlock block_of(const std::vector<std::vector<float>>& vectors) {
  VectorBlock block;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    double square = 0;
    for (const float f : vectors[i]) {
      block.floats.push_back(f);
      square += static_cast<double>(f) * static_cast<double>(f);
    }
    block.norms.push_back(std::sqrt(square));
    block.keys += std::to_string(100'000 + i);
    block.key_ends.push_back(static_cast<std::uint32_t>(block.keys.size()));
  }
  return block;
}

using Ranked = std::vector<std::pair<double, std::string>>;

Ranked ranked(const VectorBlock& block, const NearestQuery& query, DotProducts dot_products) {
  static const model::Collection table;
  Ranking ranking(query, query.k, dot_products);
  ranking.compare(table, block);
  Ranked out;
  for (const Found& found : std::move(ranking).finish())
    out.emplace_back(found.nearness, found.key);
  return out;
}

// Says of every dot product only what the bound forbids to rule out, and so makes Ranking score all
// rows in double precision.
void no_help(const float* /*rows*/, std::size_t count, const float* /*query*/,
             std::size_t /*dimension*/, float* out) {
  std::fill_n(out, count, std::numeric_limits<float>::infinity());
}

class EachKernel : public testing::Test {
 protected:
  void expect_same_answers(const VectorBlock& block, const std::vector<float>& vector) {
    for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
      const NearestQuery query = {.vector = vector, .k = 20, .similarity = similarity};
      const Ranked expected = ranked(block, query, no_help);
      ASSERT_EQ(expected.size(), 20U);
      for (const Kernel& kernel : kernels()) {
        EXPECT_EQ(ranked(block, query, kernel.dot_products), expected)
            << kernel.name << " " << to_string(similarity) << " " << vector.size();
      }
    }
  }
  std::vector<float> random_vector(std::size_t dimension, float scale = 1) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> vector(dimension);
    for (float& f : vector) f = normal(random_);
    return vector;
  }

  std::mt19937_64 random_{
      static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 1};
};

TEST_F(EachKernel, gives_the_same_answer_to_the_last_bit) {
  for (const std::size_t dimension : {1U, 7U, 31U, 384U, 1'001U}) {
    std::vector<std::vector<float>> vectors;
    for (int i = 0; i < 500; ++i) vectors.push_back(random_vector(dimension));
    expect_same_answers(block_of(vectors), random_vector(dimension));
  }
}

// Near each other by less than what single precision can tell.
TEST_F(EachKernel, gives_the_same_answer_of_vectors_that_hardly_differ) {
  const auto centre = random_vector(384);
  std::vector<std::vector<float>> vectors;
  for (int i = 0; i < 2'000; ++i) {
    auto vector = centre;
    float& one = vector[random_() % vector.size()];
    one = std::nextafter(one, random_() % 2 == 0 ? 9.0F : -9.0F);
    vectors.push_back(vector);
  }
  expect_same_answers(block_of(vectors), centre);
  expect_same_answers(block_of(vectors), random_vector(384));
}

TEST_F(EachKernel, gives_the_same_answer_of_lengths_far_apart) {
  std::vector<std::vector<float>> vectors;
  for (int i = 0; i < 2'000; ++i) {
    vectors.push_back(random_vector(3, std::pow(10.0F, static_cast<float>(i % 70) - 35)));
  }
  for (const float scale : {1e-36F, 1e-10F, 1.0F, 1e10F, 1e36F}) {
    expect_same_answers(block_of(vectors), random_vector(3, scale));
  }
}

}  // namespace
}  // namespace tidemark::cache
