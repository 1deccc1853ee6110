#include "cache/kernels.h"

#include <array>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tidemark::cache {
namespace {

constexpr std::size_t kLanes = 16;

float dot_plain(const float* row, const float* query, std::size_t dimension) {
  std::array<float, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += row[i + lane] * query[i + lane];
  }
  for (std::size_t lane = 0; i + lane < dimension; ++lane) {
    lanes[lane] += row[i + lane] * query[i + lane];
  }
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

void dots_plain(const float* rows, std::size_t count, const float* query, std::size_t dimension,
                float* out) {
  for (std::size_t r = 0; r < count; ++r) {
    out[r] = dot_plain(rows + r * dimension, query, dimension);
  }
}

#ifdef __x86_64__
// Four sums at a time: an addition waits for the one before it, a load does not. Wider ones gain
// nothing: memory is what this waits for.
[[gnu::target("avx2,fma")]] float dot_avx2(const float* row, const float* query,
                                           std::size_t dimension) {
  __m256 a = _mm256_setzero_ps();
  __m256 b = _mm256_setzero_ps();
  __m256 c = _mm256_setzero_ps();
  __m256 d = _mm256_setzero_ps();
  std::size_t i = 0;
  for (; i + 32 <= dimension; i += 32) {
    a = _mm256_fmadd_ps(_mm256_loadu_ps(row + i), _mm256_loadu_ps(query + i), a);
    b = _mm256_fmadd_ps(_mm256_loadu_ps(row + i + 8), _mm256_loadu_ps(query + i + 8), b);
    c = _mm256_fmadd_ps(_mm256_loadu_ps(row + i + 16), _mm256_loadu_ps(query + i + 16), c);
    d = _mm256_fmadd_ps(_mm256_loadu_ps(row + i + 24), _mm256_loadu_ps(query + i + 24), d);
  }
  for (; i + 8 <= dimension; i += 8) {
    a = _mm256_fmadd_ps(_mm256_loadu_ps(row + i), _mm256_loadu_ps(query + i), a);
  }
  const __m256 lanes = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  half = _mm_add_ss(half, _mm_movehdup_ps(half));
  float sum = _mm_cvtss_f32(half);
  for (; i < dimension; ++i) sum += row[i] * query[i];
  return sum;
}

[[gnu::target("avx2,fma")]] void dots_avx2(const float* rows, std::size_t count, const float* query,
                                           std::size_t dimension, float* out) {
  for (std::size_t r = 0; r < count; ++r) out[r] = dot_avx2(rows + r * dimension, query, dimension);
}
#endif

}  // namespace

std::vector<Kernel> kernels() {
  std::vector<Kernel> usable;
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    usable.push_back({"avx2", dots_avx2});
  }
#endif
  usable.push_back({"plain", dots_plain});
  return usable;
}

}  // namespace tidemark::cache
