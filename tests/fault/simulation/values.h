// The values that the simulated application writes: few keys, so that they meet again, and what is
// hard for a cache.
#pragma once

#include <string>

#include "tests/fault/simulation/dice.h"
#include "tidemark/value.h"

namespace tidemark::simulation {

inline const std::string kNotUtf8 = "bad\xff";

[[nodiscard]] Value value_for(Dice& dice, const std::string& column);
[[nodiscard]] Value order_value(Dice& dice);
[[nodiscard]] Value parent_id(Dice& dice);

}  // namespace tidemark::simulation
