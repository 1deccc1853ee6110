#include "cli/vector_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_folder.h"

namespace tidemark::cli {
namespace {

using Floats = std::vector<float>;

std::string raw(const Floats& floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)};
}

TEST(VectorFile, is_a_json_array_or_raw_floats) {
  EXPECT_EQ(parse_vector("[1, -2.5e0,\n3]\n"), (Floats{1, -2.5F, 3}));
  EXPECT_EQ(parse_vector(" [0.1]"), Floats{0.1F});
  EXPECT_EQ(parse_vector(raw({1, 2.5F, -3})), (Floats{1, 2.5F, -3}));
  EXPECT_EQ(parse_vector("[]"), Floats{});  // which the search refuses
}

// 0x5b, the first byte of an array, may also be the first of a float.
TEST(VectorFile, raw_floats_may_begin_as_an_array_does) {
  const std::string bytes = std::string("[\x00\x80\x3f", 4) + raw({2});
  const auto vector = parse_vector(bytes);
  ASSERT_TRUE(vector);
  EXPECT_EQ(vector->size(), 2U);
  EXPECT_EQ((*vector)[1], 2);
}

TEST(VectorFile, what_is_neither_is_refused) {
  for (const std::string& bad :
       {std::string(), std::string("abc"), std::string("[1,2"), std::string("[1,2]]"),
        std::string("[1,\"2\"]"), std::string("[1,null]"), std::string("[[1]]"),
        std::string("[1e39]"), std::string("[-4e38]"), raw({1}) + "x"}) {
    const auto vector = parse_vector(bad);
    ASSERT_FALSE(vector) << bad;
    EXPECT_EQ(vector.error().code, ErrorCode::invalid);
    EXPECT_NE(vector.error().hint, "");
  }
}

TEST(VectorFile, a_file_is_read_and_one_that_is_too_large_is_not) {
  const support::TempFolder folder;
  std::ofstream(folder.file("v.json")) << "[4,5]";
  EXPECT_EQ(read_vector(folder.file("v.json")), (Floats{4, 5}));
  std::ofstream(folder.file("large")) << std::string((std::size_t{16} << 20U) + 4, 'x');
  for (const std::string& bad : {folder.file("large"), folder.file("none"), folder.file("")}) {
    const auto vector = read_vector(bad);
    ASSERT_FALSE(vector);
    EXPECT_EQ(vector.error().code, ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace tidemark::cli
