// The row hash: the same on every processor, and of the bytes alone, however they are put together.
#include "cache/hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cache/row_format.h"

namespace tidemark::cache {
namespace {

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Hash, is_the_same_on_every_processor_and_of_however_many_pieces) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    const std::string whole = random_bytes(random, random() % 3'000);
    std::vector<Piece> pieces;
    for (std::size_t at = 0; at < whole.size();) {
      const std::size_t size = std::min<std::size_t>(random() % 700, whole.size() - at);
      pieces.push_back({whole.data() + at, size});
      at += size;
    }
    const Piece one{whole.data(), whole.size()};
    const std::uint64_t hash = hash_plain(&one, 1);
    EXPECT_EQ(hash_plain(pieces.data(), pieces.size()), hash);
    EXPECT_EQ(fastest_hash()(pieces.data(), pieces.size()), hash);
  }
}

// As docs/cache-format.md has it: each length and text, then the row without its hash.
std::uint64_t hash_by_the_format(const std::string& table, const std::string& key,
                                 const std::string& row) {
  std::string all;
  for (const std::string& text : {table, key}) {
    const auto size = static_cast<std::uint32_t>(text.size());
    all.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
  }
  all.append(row, 0, 8).append(row, 16);
  const Piece one{all.data(), all.size()};
  return hash_plain(&one, 1);
}

TEST(Hash, of_a_row_is_that_of_the_format_for_keys_of_any_length) {
  const std::vector<ValueView> cells = {ValueView::int64(7), ValueView::text("text")};
  for (const std::size_t size : {0U, 1U, 200U, 227U, 228U, 229U, 230U, 231U, 300U, 5'000U}) {
    const std::string key(size, 'k');
    const std::string row = encode_row("episodes", key, 3, cells);
    std::uint64_t stored = 0;
    std::memcpy(&stored, row.data() + 8, sizeof stored);
    EXPECT_EQ(stored, hash_by_the_format("episodes", key, row)) << size;
    EXPECT_TRUE(RowView::open("episodes", key, row)) << size;
  }
}

}  // namespace
}  // namespace tidemark::cache
