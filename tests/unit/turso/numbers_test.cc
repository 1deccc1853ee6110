// Real numbers out of JSON: simdjson 3.0 read "0.748990781504992320094516" as 1.6e-05 (found by
// fuzzing), so vectors and reals with 20 digits or more came out wrong without a word.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "turso/connection.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::turso {
namespace {

std::string random_number(std::mt19937_64& random) {
  const double number =
      std::uniform_real_distribution<double>(-2, 2)(random) / (random() % 3 == 0 ? 1e6 : 1.0);
  std::string text(64, '\0');
  const int digits = static_cast<int>(random() % 40);
  const char* const form = random() % 4 == 0 ? "%.*e" : "%.*f";
  text.resize(
      static_cast<std::size_t>(std::snprintf(text.data(), text.size(), form, digits, number)));
  return text;
}

Result<double> decode_real(const std::string& text) {
  const std::string row = R"({"cols":[{"name":"a"}],"rows":[[{"type":"float","value":)" + text +
                          R"(}]],"affected_row_count":0,"last_insert_rowid":null})";
  const std::string none = R"({"cols":[],"rows":[]})";
  const std::string mark = R"({"cols":[{}],"rows":[[{"type":"text","value":"7"}]]})";
  const std::string body = R"({"results":[{"type":"ok","response":{"type":"batch","result":)"
                           R"({"step_results":[)" +
                           none + "," + mark + "," + row + "," + none +
                           R"(,null],"step_errors":[null,null,null,null,null]}}}]})";
  auto reply = hrana::decode_pipeline(body, 1, 7);
  if (!reply) return std::unexpected(reply.error());
  return reply->results.at(0).row(0)[0].as_real();
}

TEST(Numbers, of_any_length_are_read_to_the_last_bit) {
  const unsigned seed = 20;
  std::printf("seed %u\n", seed);
  std::mt19937_64 random(seed);
  for (int n = 0; n < 5'000; ++n) {
    const std::string text = random_number(random);
    const double expected = std::strtod(text.c_str(), nullptr);
    const auto floats = parse_float_array("[" + text + " , 1]");
    ASSERT_TRUE(floats) << text;
    EXPECT_EQ(floats->at(0), static_cast<float>(expected)) << text;
    const auto real = decode_real(text);
    ASSERT_TRUE(real) << text << ": " << real.error().message;
    EXPECT_EQ(*real, expected) << text;
  }
}

}  // namespace
}  // namespace tidemark::turso
