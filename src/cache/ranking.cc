#include "cache/ranking.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <utility>

#include "cache/tuning.h"

namespace tidemark::cache {
namespace {

bool nearer(const Found& a, const Found& b) {
  if (a.nearness != b.nearness) return a.nearness > b.nearness;
  return a.key != b.key ? a.key < b.key : a.table->name < b.table->name;
}

}  // namespace

Ranking::Ranking(const NearestQuery& query, std::size_t wanted, DotProducts dot_products)
    : query_(query),
      wanted_(wanted),
      dot_products_(dot_products),
      norm_(std::sqrt(dot(query.vector.data()))) {}

void Ranking::compare(const model::Collection& table, const VectorBlock& block) {
  const std::size_t dimension = query_.vector.size();
  std::array<float, kScoresAtOnce> dots{};
  for (std::size_t from = 0; from < block.size(); from += dots.size()) {
    const std::size_t count = std::min(dots.size(), block.size() - from);
    const float* const rows = block.floats.data() + from * dimension;
    dot_products_(rows, count, query_.vector.data(), dimension, dots.data());
    for (std::size_t i = 0; i < count; ++i) {
      const double norm = block.norms[from + i];
      if (query_.similarity == Similarity::cosine && norm == 0) continue;
      if (cannot_enter(dots[i], norm)) continue;
      enter({nearness(rows + i * dimension, norm), std::string(block.key(from + i)), &table});
    }
  }
}

std::vector<Found> Ranking::finish() && {
  std::ranges::sort_heap(best_, nearer);
  return std::move(best_);
}

double Ranking::dot(const float* row) const {
  double sum = 0;
  for (std::size_t i = 0; i < query_.vector.size(); ++i) {
    sum += static_cast<double>(row[i]) * static_cast<double>(query_.vector[i]);
  }
  return sum;
}

double Ranking::nearness(const float* row, double norm) const {
  switch (query_.similarity) {
    case Similarity::cosine:
      return dot(row) / (norm * norm_);
    case Similarity::dot:
      return dot(row);
    case Similarity::l2:
      break;
  }
  double sum = 0;
  for (std::size_t i = 0; i < query_.vector.size(); ++i) {
    const double difference = static_cast<double>(row[i]) - static_cast<double>(query_.vector[i]);
    sum += difference * difference;
  }
  return -sum;
}

// `computed`: the row's dot product by the kernel. A row as near as the farthest may enter by its
// key.
bool Ranking::cannot_enter(float computed, double norm) const {
  // A kernel that overflowed says NaN or infinity, and rules nothing out.
  if (best_.size() < wanted_ || !std::isfinite(computed)) return false;
  const auto dimension = static_cast<double>(query_.vector.size());
  // The second term: what underflow, and a processor that is told to flush it to 0, may lose.
  const double error = rounding_bound(query_.vector.size()) * norm * norm_ +
                       dimension * static_cast<double>(FLT_MIN) * (1 + norm + norm_);
  const double dot_max = static_cast<double>(computed) + error;
  double nearness_max = dot_max;
  if (query_.similarity == Similarity::cosine) nearness_max = dot_max / (norm * norm_);
  if (query_.similarity == Similarity::l2) {
    const double squares = norm * norm + norm_ * norm_;
    nearness_max = 2 * dot_max - squares * (1 - 4 * (dimension + 4) * DBL_EPSILON);
  }
  return nearness_max < best_.front().nearness;
}

void Ranking::enter(Found&& found) {
  if (best_.size() == wanted_) {
    if (!nearer(found, best_.front())) return;
    std::ranges::pop_heap(best_, nearer);
    best_.pop_back();
  }
  best_.push_back(std::move(found));
  std::ranges::push_heap(best_, nearer);
}

}  // namespace tidemark::cache
