// Prometheus' text format 0.0.4, read as strictly as it is written down: a line that breaks it
// throws, and says which.
#pragma once

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

namespace tidemark::support {

class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    if (!text.ends_with('\n')) throw std::runtime_error("the last line does not end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) take(line);
    check_histogram();
  }
  // By name and labels as they are written; throws for one that is not there.
  [[nodiscard]] double at(const std::string& series) const { return samples_.at(series); }
  [[nodiscard]] bool has(const std::string& series) const { return samples_.contains(series); }
  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  [[nodiscard]] const std::map<std::string, double>& samples() const { return samples_; }

 private:
  static void need(bool holds, const std::string& line) {
    if (!holds) throw std::runtime_error("not the text format: " + line);
  }

  void take(const std::string& line) {
    static const std::regex help(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\n]+)");
    static const std::regex type(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))");
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      check_histogram();
      name_ = match[1];
      type_.clear();
      return need(names_.insert(name_).second, line);
    }
    if (std::regex_match(line, match, type)) {
      need(match[1] == name_ && type_.empty(), line);
      type_ = match[2];
      return need((type_ == "counter") == name_.ends_with("_total"), line);
    }
    take_sample(line);
  }

  void take_sample(const std::string& line) {
    static const std::regex sample(
        R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*",?)+\})? )"
        R"(([-+]?(?:[0-9][-+.e0-9]*|Inf)|NaN))");
    std::smatch match;
    need(std::regex_match(line, match, sample), line);
    const std::string name = match[1];
    const std::string labels = match[2];
    const double value = std::stod(match[3]);
    need(type_ == "histogram"
             ? name == name_ + "_bucket" || name == name_ + "_sum" || name == name_ + "_count"
             : name == name_ && !type_.empty(),
         line);
    need(type_ == "gauge" || value >= 0, line);
    need(samples_.emplace(name + labels, value).second, line);
    if (type_ == "histogram") take_bucket(name, labels, value, line);
  }

  // Buckets grow; the last one is the count, whatever order their labels stand in.
  void take_bucket(const std::string& name, const std::string& labels, double value,
                   const std::string& line) {
    if (name != name_ + "_bucket") {
      if (name == name_ + "_count") counts_[labels] = value;
      return;
    }
    static const std::regex bound(R"re(,?le="([^"]*)")re");
    std::smatch match;
    need(std::regex_search(labels, match, bound), line);
    const std::string rest = std::regex_replace(labels, bound, "");
    need(value >= buckets_[rest], line);
    buckets_[rest] = value;
    if (match[1] == "+Inf") ends_[rest] = value;
  }

  void check_histogram() {
    need(ends_ == counts_, name_);
    counts_.clear();
    buckets_.clear();
    ends_.clear();
  }

  std::string name_;
  std::string type_;
  std::set<std::string> names_;
  std::map<std::string, double> samples_;
  std::map<std::string, double> buckets_, ends_, counts_;  // of one histogram, by labels
};

}  // namespace tidemark::support
