// What a reader remembers of rows that it has checked.
#include "cache/row_checks.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace tidemark::cache {
namespace {

TEST(RowChecks, know_a_row_of_one_commit_at_one_place_with_one_hash) {
  RowChecks checks;
  const std::array<char, 64> page{};
  const char* const row = page.data() + 16;
  EXPECT_FALSE(checks.knows(7, row, 11));
  checks.add(7, row, 11);
  EXPECT_TRUE(checks.knows(7, row, 11));
  EXPECT_FALSE(checks.knows(8, row, 11));
  EXPECT_FALSE(checks.knows(7, row + 1, 11));
  EXPECT_FALSE(checks.knows(7, row, 12));
}

TEST(RowChecks, know_nothing_of_a_commit_that_is_not_known) {
  RowChecks checks;
  const char row = 0;
  checks.add(0, &row, 11);
  EXPECT_FALSE(checks.knows(0, &row, 11));
}

// As of rows that are read in turns: most are known, and what is known is never another.
TEST(RowChecks, keep_most_of_a_few_thousand_rows) {
  RowChecks checks;
  const std::vector<char> pages(std::size_t{2'000} * 1'360);
  const auto row = [&](std::size_t n) { return pages.data() + n * 1'360; };
  for (std::size_t n = 0; n < 2'000; ++n) checks.add(7, row(n), n * 0x1234'5678'9ABC'DEF1);
  std::size_t known = 0;
  for (std::size_t n = 0; n < 2'000; ++n) {
    known += checks.knows(7, row(n), n * 0x1234'5678'9ABC'DEF1) ? 1 : 0;
    EXPECT_FALSE(checks.knows(7, row(n), n * 0x1234'5678'9ABC'DEF1 + 1));
  }
  EXPECT_GT(known, 1'600U);
}

}  // namespace
}  // namespace tidemark::cache
