// Compiled with -mavx2, where the processor's family has it.
#ifdef __AVX2__
#include "cache/hash_pieces.h"

namespace tidemark::cache {

std::uint64_t hash_avx2(const Piece* pieces, std::size_t count) {
  return hash_pieces(pieces, count);
}

}  // namespace tidemark::cache
#endif
