// A set of very many keys, in 16 bytes each.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemark::base {

// Knows keys by their 128-bit hashes: a million of them took 80 to 130 MB as texts. Two keys of a
// billion are taken for one with a probability of 10^-21. One thread.
class KeySet {
 public:
  void add(std::string_view key);
  // Sorts what was added since the last question.
  [[nodiscard]] bool contains(std::string_view key);

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> hashes_;
  bool sorted_ = true;
};

}  // namespace tidemark::base
