// Every kernel of this machine against sums in double precision.
#include "cache/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace tidemark::cache {
namespace {

TEST(Kernels, the_plain_one_is_always_there) {
  ASSERT_FALSE(kernels().empty());
  EXPECT_STREQ(kernels().back().name, "plain");
}

TEST(Kernels, keep_to_the_bound_for_every_dimension_and_at_any_alignment) {
  constexpr std::size_t kRows = 3;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<std::size_t> dimensions;
  for (std::size_t d = 1; d <= 200; ++d) dimensions.push_back(d);
  for (const std::size_t d : {384U, 768U, 1'023U, 1'024U, 1'536U, 3'072U}) dimensions.push_back(d);
  for (const Kernel& kernel : kernels()) {
    for (const std::size_t dimension : dimensions) {
      for (const std::size_t shift : {0U, 1U, 5U}) {
        std::vector<float> rows(kRows * dimension + shift);
        std::vector<float> query(dimension + 2 * shift);
        for (float& f : rows) f = normal(random);
        for (float& f : query) f = normal(random);
        std::vector<float> out(kRows, 99);
        kernel.dot_products(rows.data() + shift, kRows, query.data() + 2 * shift, dimension,
                            out.data());
        for (std::size_t r = 0; r < kRows; ++r) {
          double dot = 0;
          double row_square = 0;
          double query_square = 0;
          for (std::size_t i = 0; i < dimension; ++i) {
            const double a = rows[shift + r * dimension + i];
            const double b = query[2 * shift + i];
            dot += a * b;
            row_square += a * a;
            query_square += b * b;
          }
          const double bound =
              rounding_bound(dimension) * std::sqrt(row_square) * std::sqrt(query_square);
          EXPECT_LE(std::abs(static_cast<double>(out[r]) - dot), bound)
              << kernel.name << " dimension " << dimension << " shift " << shift;
        }
      }
    }
  }
}

// The worst sum for the bound: every product is equal, so that all roundings go one way.
TEST(Kernels, keep_to_the_bound_when_roundings_add_up) {
  for (const Kernel& kernel : kernels()) {
    for (const std::size_t dimension : {384U, 3'072U, 100'000U}) {
      const std::vector<float> same(dimension, 0.1F);
      float out = 0;
      kernel.dot_products(same.data(), 1, same.data(), dimension, &out);
      const double exact =
          static_cast<double>(dimension) * static_cast<double>(0.1F) * static_cast<double>(0.1F);
      EXPECT_LE(std::abs(static_cast<double>(out) - exact), rounding_bound(dimension) * exact)
          << kernel.name << " " << dimension;
    }
  }
}

TEST(Kernels, read_nothing_beyond_the_last_float) {
  for (const Kernel& kernel : kernels()) {
    for (std::size_t dimension = 1; dimension < 70; ++dimension) {
      std::vector<float> rows(dimension + 64, std::nanf(""));
      std::vector<float> query(dimension + 64, std::nanf(""));
      std::fill_n(rows.begin(), dimension, 1.0F);
      std::fill_n(query.begin(), dimension, 1.0F);
      float out = 0;
      kernel.dot_products(rows.data(), 1, query.data(), dimension, &out);
      EXPECT_EQ(out, static_cast<float>(dimension)) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace tidemark::cache
