#include "tests/fault/simulation/values.h"

#include <vector>

namespace tidemark::simulation {
namespace {

Value floats(std::vector<float> values) {
  const std::size_t bytes = values.size() * sizeof(float);
  return Blob{std::string(reinterpret_cast<const char*>(values.data()), bytes)};
}

// Few keys, so that they meet again; some that a careless reader would take for one another.
Value text_key(Dice& dice, const std::string& prefix) {
  const std::vector<std::string> rare = {"E1", "it's", "\"q\"", "\xc3\xa9", "10", "9", "e 1", "%"};
  if (dice.one_in(8)) return dice.of(rare);
  return prefix + std::to_string(dice.below(30));
}

}  // namespace

Value order_value(Dice& dice) {
  const std::vector<Value> rare = {Value{},
                                   5.5,
                                   std::string("noon"),
                                   std::string("x"),
                                   Blob{"\x01"},
                                   1e300,
                                   -1e300,
                                   std::int64_t{9'007'199'254'740'993},
                                   9'007'199'254'740'992.0,
                                   std::int64_t{-3},
                                   -0.5,
                                   7.0};
  if (dice.one_in(3)) return dice.of(rare);
  return static_cast<std::int64_t>(dice.below(20));
}

Value parent_id(Dice& dice) {
  switch (dice.below(8)) {
    case 0:
      return Value{};
    case 1:
    case 2:
      return text_key(dice, "p");
    case 3:
      return std::to_string(dice.below(12));  // heuristics have whole numbers for keys
    default:
      return text_key(dice, "e");
  }
}

namespace {

Value any_value(Dice& dice) {
  switch (dice.below(16)) {
    case 0:
      return Value{};
    case 1:
      return static_cast<std::int64_t>(dice.next());
    case 2:
      return 0.25 * static_cast<double>(dice.below(100));
    case 3:
      return Blob{std::string("\0\xff", 2)};
    case 4:
      return kNotUtf8;
    case 5:
      return std::string(dice.below(300), 'l');
    default:
      return "t" + std::to_string(dice.below(1'000'000));
  }
}

}  // namespace

Value value_for(Dice& dice, const std::string& column) {
  const auto one = [&](std::vector<Value> choices) { return dice.of(choices); };
  const auto s = [](const char* text) { return Value(std::string(text)); };
  if (column == "episode_id") return text_key(dice, "e");
  if (column == "pattern_id") return text_key(dice, "p");
  if (column == "heuristic_id") return static_cast<std::int64_t>(dice.below(12));
  if (column == "embedding_id") return text_key(dice, "v");
  if (column == "start_time") return order_value(dice);
  if (column == "item_id") return parent_id(dice);
  if (column == "item_type") {
    return one({Value{}, s("episode"), s("Episodes"), s("pattern"), s("HEURISTIC"), s("heuristics"),
                s("episodes"), s("lesson")});
  }
  if (column == "embedding_data") {
    return one({Value{}, s("[1,2]"), s("[3,4.5]"), s("[1,2]"), s("[1,2,3]"), s("[]"),
                s("__compressed__:abc"), s("none")});
  }
  if (column == "embedding_vector") {
    return one({Value{}, floats({1, 2}), floats({3, 4.5}), floats({1, 2}), floats({1, 2, 3}),
                Value(Blob{"12345"}), Value(Blob{})});
  }
  if (column == "dimension") return one({Value{}, Value{}, Value(2), Value(3)});
  if (column == "pattern_type" || column == "domain") {
    return one({Value{}, s("kind"), s("other"), s("third")});
  }
  return any_value(dice);
}

}  // namespace tidemark::simulation
