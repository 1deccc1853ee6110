// The nearest of many vectors: exact, and the same on every machine. A kernel in single precision
// only rules out rows that cannot be among them, by its error's bound; the others are scored in
// double precision. Pure; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cache/kernels.h"
#include "cache/vectors.h"
#include "tidemark/nearest.h"

namespace tidemark::cache {

struct Found {
  double nearness = 0;  // greater is nearer: the score or, of l2, minus the square of the distance
  std::string key;
  const model::Collection* table = nullptr;
};

// The `wanted` nearest of the blocks that it is shown, in whatever order. Borrows `query` and the
// tables for its life.
class Ranking {
 public:
  Ranking(const NearestQuery& query, std::size_t wanted,
          DotProducts dot_products = kernels().front().dot_products);
  // `block` has the query's dimension.
  void compare(const model::Collection& table, const VectorBlock& block);
  // Nearest first, equal ones by key, then by table.
  [[nodiscard]] std::vector<Found> finish() &&;

 private:
  [[nodiscard]] double dot(const float* row) const;
  [[nodiscard]] double nearness(const float* row, double norm) const;
  [[nodiscard]] bool cannot_enter(float computed, double norm) const;
  void enter(Found&& found);

  const NearestQuery& query_;
  const std::size_t wanted_;
  const DotProducts dot_products_;
  const double norm_;
  std::vector<Found> best_;  // a heap, the farthest in front
};

}  // namespace tidemark::cache
