// The body of hash_plain and hash_avx2, which are compiled for different processors. It reaches no
// header with inline functions but xxhash's, whose are static: the linker could take those that
// were compiled for a processor which this one is not.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache/hash.h"

namespace tidemark::cache {

static inline std::uint64_t hash_pieces(const Piece* pieces, std::size_t count) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (std::size_t i = 0; i < count; ++i) {
    XXH3_64bits_update(&state, pieces[i].data, pieces[i].size);
  }
  return XXH3_64bits_digest(&state);
}

}  // namespace tidemark::cache
