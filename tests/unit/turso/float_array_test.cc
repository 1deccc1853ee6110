// JSON arrays of numbers, and everything that is none; which errors mean "too large".
#include <gtest/gtest.h>

#include "turso/connection.h"

namespace tidemark::turso {
namespace {

TEST(FloatArray, numbers_of_every_spelling_are_f32s) {
  EXPECT_EQ(parse_float_array("[1, -2.5,3e2 , 0]"), (std::vector<float>{1, -2.5F, 300, 0}));
  EXPECT_EQ(parse_float_array("[]"), std::vector<float>{});
  EXPECT_EQ(parse_float_array(" [0.1] \n"), std::vector<float>{0.1F});
}

TEST(FloatArray, anything_else_is_none) {
  for (const char* text :
       {"", "1", "{}", "[1", "[1,]", "[1] 2", "[1][2]", "[null]", "[\"1\"]", "[[1]]", "[nan]",
        "[1e39]", "[-1e400]", "__compressed__:abc", "[1,2]x"}) {
    EXPECT_FALSE(parse_float_array(text)) << text;
  }
}

TEST(TooLarge, is_told_by_the_words_of_the_source) {
  EXPECT_TRUE(is_too_large({ErrorCode::invalid, "m", "", "code RESPONSE_TOO_LARGE: x"}));
  EXPECT_TRUE(is_too_large({ErrorCode::invalid, "m", "", "SQLITE_TOOBIG"}));
  EXPECT_FALSE(is_too_large({ErrorCode::invalid, "RESPONSE_TOO_LARGE", "", "no such table"}));
}

}  // namespace
}  // namespace tidemark::turso
