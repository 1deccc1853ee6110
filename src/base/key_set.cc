#include "base/key_set.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace tidemark::base {
namespace {

std::pair<std::uint64_t, std::uint64_t> hash_of(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {hash.high64, hash.low64};
}

}  // namespace

void KeySet::add(std::string_view key) {
  hashes_.push_back(hash_of(key));
  sorted_ = false;
}

bool KeySet::contains(std::string_view key) {
  if (!sorted_) std::ranges::sort(hashes_);
  sorted_ = true;
  return std::ranges::binary_search(hashes_, hash_of(key));
}

}  // namespace tidemark::base
