// Dot products of many vectors with one, by the widest instructions that the machine has.
#pragma once

#include <cstddef>
#include <vector>

namespace tidemark::cache {

// out[r] = rows[r * dimension ...] . query, for r < count. Rows follow each other without a gap and
// need no alignment beyond float's.
using DotProducts = void (*)(const float* rows, std::size_t count, const float* query,
                             std::size_t dimension, float* out);

struct Kernel {
  const char* name;
  DotProducts dot_products;
};

// Those that this machine can run, the fastest first; the last is plain C++.
[[nodiscard]] std::vector<Kernel> kernels();

// What every kernel keeps to, while nothing overflows or underflows:
// |computed - exact| <= rounding_bound(dimension) * |row| * |query|.
// Each sums in at least 16 lanes, so that a float takes part in few roundings: one of its product,
// its lane's, at most 16 to join the lanes. A rounding is at most 2^-24 of the value.
[[nodiscard]] constexpr double rounding_bound(std::size_t dimension) {
  return static_cast<double>(dimension / 16 + 40) * 0x1p-24;
}

}  // namespace tidemark::cache
