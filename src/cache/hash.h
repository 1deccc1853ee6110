// XXH3-64 of bytes that lie apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::cache {

struct Piece {
  const void* data;
  std::size_t size;
};

// Of the pieces one after the other; both give the same.
[[nodiscard]] std::uint64_t hash_plain(const Piece* pieces, std::size_t count);
// Only where the processor has AVX2.
[[nodiscard]] std::uint64_t hash_avx2(const Piece* pieces, std::size_t count);

using HashPieces = std::uint64_t (*)(const Piece* pieces, std::size_t count);
// The faster that this machine can run.
[[nodiscard]] static inline HashPieces fastest_hash() noexcept {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") != 0) return hash_avx2;
#endif
  return hash_plain;
}

}  // namespace tidemark::cache
