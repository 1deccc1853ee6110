// The tables that a simulated source has.
#pragma once

#include <vector>

#include "tests/fault/simulation/database.h"

namespace tidemark::simulation {

struct Made {
  const char* name;
  const char* sql;  // after CREATE TABLE and the name
};
[[nodiscard]] const std::vector<Made>& tables();

// Those that a source starts with: all.
void make_tables(Database& source);

}  // namespace tidemark::simulation
