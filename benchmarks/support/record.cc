#include "benchmarks/support/record.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace tidemark::bench {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"low", spread.low}, {"high", spread.high}};
}

Json head_of(const Figure& figure) {
  return {{"id", figure.id}, {"what", figure.what}, {"subject", "tidemark"}};
}

// "1.24 us"
std::string time_text(double seconds) {
  char text[32];
  if (seconds < 1e-6) {
    std::snprintf(text, sizeof text, "%.0f ns", seconds * 1e9);
  } else if (seconds < 1e-3) {
    std::snprintf(text, sizeof text, "%.2f us", seconds * 1e6);
  } else if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.1f ms", seconds * 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", seconds);
  }
  return text;
}

std::vector<double> divided(std::vector<double> sample, double by) {
  for (double& value : sample) value /= by;
  return sample;
}

}  // namespace

Record::Record(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--json" && i + 1 < argc) {
      path_ = argv[++i];
    } else {
      arguments_.emplace_back(argv[i]);
    }
  }
}

void Record::ratio(const Figure& figure, const Pairs& pairs, double operations) const {
  require(pairs.rounds() >= kRoundsMin, figure.id + ": too few rounds");
  const Spread ratio = spread_of(pairs.ratios());
  const Spread subject = spread_of(divided(pairs.subject, operations));
  const Spread floor = spread_of(divided(pairs.floor, operations));
  std::printf("%-52s %6.3f x %s (quartiles %.3f-%.3f, %d rounds): %s against %s\n",
              figure.what.c_str(), ratio.median, figure.floor.c_str(), ratio.low, ratio.high,
              pairs.rounds(), time_text(subject.median).c_str(), time_text(floor.median).c_str());
  std::fflush(stdout);
  Json line = head_of(figure);
  line["floor"] = figure.floor;
  line["ratio"] = to_json(ratio);
  line["rounds"] = pairs.rounds();
  line["subject_value"] = to_json(subject);
  line["floor_value"] = to_json(floor);
  line["unit"] = "s";
  append(line.dump());
}

void Record::value(const Figure& figure, const std::vector<double>& sample,
                   const std::string& unit) const {
  const Spread spread = spread_of(sample);
  std::printf("%-52s %.4g %s (quartiles %.4g-%.4g, %zu rounds)\n", figure.what.c_str(),
              spread.median, unit.c_str(), spread.low, spread.high, sample.size());
  std::fflush(stdout);
  Json line = head_of(figure);
  line["rounds"] = sample.size();
  line["subject_value"] = to_json(spread);
  line["unit"] = unit;
  append(line.dump());
}

void Record::append(const std::string& line) const {
  if (path_.empty()) return;
  std::ofstream file(path_, std::ios::app);
  file << line << '\n';
  require(file.flush().good(), "cannot write " + path_);
}

}  // namespace tidemark::bench
