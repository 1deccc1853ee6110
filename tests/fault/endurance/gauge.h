// What a process holds, looked at again and again while it works.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tidemark::endurance {

// Values in the order in which they were seen.
class Series {
 public:
  void add(long value) { values_.push_back(value); }
  // Of the first (1) to the last (4) quarter.
  [[nodiscard]] long median(std::size_t quarter) const {
    const auto at = [&](std::size_t q) {
      return values_.begin() + static_cast<std::ptrdiff_t>(q * values_.size() / 4);
    };
    std::vector<long> part(at(quarter - 1), at(quarter));
    if (part.empty()) return 0;
    const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
    std::ranges::nth_element(part, middle);
    return *middle;
  }
  [[nodiscard]] long greatest() const {
    return values_.empty() ? 0 : *std::ranges::max_element(values_);
  }

 private:
  std::vector<long> values_;
};

class Gauge {
 public:
  explicit Gauge(pid_t pid) : folder_("/proc/" + std::to_string(pid)) {}
  void look() {
    long all = 0;
    long of_files = 0;
    std::ifstream(folder_ + "/statm") >> all >> all >> of_files;  // proc(5): the 2nd and 3rd
    const long page_kib = ::sysconf(_SC_PAGESIZE) / 1024;
    resident_kib.add(all * page_kib);
    own_kib.add((all - of_files) * page_kib);
    const std::filesystem::directory_iterator files(folder_ + "/fd");
    descriptors.add(static_cast<long>(std::distance(begin(files), end(files))));
  }

  Series resident_kib;
  Series own_kib;  // without the pages of its program's files
  Series descriptors;

 private:
  std::string folder_;
};

}  // namespace tidemark::endurance
