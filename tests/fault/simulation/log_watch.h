// Whether the change log of a captured source tells of every change: judged from the states before
// and after it, without the product's readers.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "tests/fault/simulation/database.h"

namespace tidemark::simulation {

class LogWatch {
 public:
  // The log as it is before a change.
  explicit LogWatch(Database& source);
  // What changed and is not in the log; empty: nothing. A table counts that had its triggers before
  // and has them after.
  [[nodiscard]] std::string missed(const State& before, const State& after) const;

 private:
  [[nodiscard]] std::set<std::string> watched() const;

  Database& source_;
  std::int64_t head_ = 0;
  std::set<std::string> watched_;
};

}  // namespace tidemark::simulation
