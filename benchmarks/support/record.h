// What a benchmark found: a readable line on standard output, and with `--json FILE` an object a
// line appended to FILE, from which benchmarks/report writes docs/benchmarks.md.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/support/timing.h"

namespace tidemark::bench {

// A figure keeps its id: benchmarks/goals.json and the report know it by that.
struct Figure {
  std::string id;     // "fill-20k"
  std::string what;   // "first fill, 20,000 x 1.3 KB"
  std::string floor;  // what it is compared with: "bare redb"
};

// One thread.
class Record {
 public:
  // Takes `--json FILE` out of the arguments.
  Record(int argc, char** argv);

  // The arguments that are left, without the program's name.
  [[nodiscard]] const std::vector<std::string>& arguments() const { return arguments_; }

  // A ratio. `operations` in a round, to tell the time of one.
  void ratio(const Figure& figure, const Pairs& pairs, double operations = 1) const;
  // A figure that is no ratio: "MiB", "s", "rows a second".
  void value(const Figure& figure, const std::vector<double>& sample,
             const std::string& unit) const;

 private:
  void append(const std::string& line) const;

  std::string path_;  // empty: no JSON
  std::vector<std::string> arguments_;
};

}  // namespace tidemark::bench
