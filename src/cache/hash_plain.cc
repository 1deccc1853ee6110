#include "cache/hash_pieces.h"

namespace tidemark::cache {

std::uint64_t hash_plain(const Piece* pieces, std::size_t count) {
  return hash_pieces(pieces, count);
}

}  // namespace tidemark::cache
