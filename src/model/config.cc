#include "tidemark/config.h"

#include <string_view>

namespace tidemark {
namespace {

// Collects every bad field, so that a person mends them all at once.
class Checker {
 public:
  template <typename T>
  void in_range(std::string_view name, T value, T low, T high, std::string_view unit = "") {
    if (value >= low && value <= high) return;
    add(std::string(name) + " = " + std::to_string(value) + std::string(unit) + " (allowed: " +
        std::to_string(low) + " to " + std::to_string(high) + std::string(unit) + ")");
  }
  void add(const std::string& problem) {
    if (!problems_.empty()) problems_ += "; ";
    problems_ += problem;
  }
  [[nodiscard]] const std::string& problems() const { return problems_; }

 private:
  std::string problems_;
};

}  // namespace

Result<void> SyncConfig::validate() const {
  Checker check;
  check.in_range<std::uint64_t>("max_episodes_cache", max_episodes_cache, 1, 100'000'000);
  check.in_range<std::uint64_t>("batch_size", batch_size, 1, 100'000);
  check.in_range<std::uint32_t>("max_concurrent_fetches", max_concurrent_fetches, 1, 10);
  check.in_range<std::int64_t>("request_deadline", request_deadline.count(), 100, 600'000, " ms");
  if (pass_deadline.count() != 0) {
    check.in_range<std::int64_t>("pass_deadline", pass_deadline.count(), 100, 86'400'000, " ms");
  }
  if (max_rows_read_per_pass != 0) {
    check.in_range<std::uint64_t>("max_rows_read_per_pass", max_rows_read_per_pass, 1'000,
                                  1'000'000'000'000);
  }
  check.in_range<std::int64_t>("heartbeat", heartbeat.count(), 0, 3'600'000, " ms");
  check.in_range<std::int64_t>("audit_interval", audit_interval.count(), 60'000, 31'536'000'000,
                               " ms");
  if (check.problems().empty()) return {};
  return fail(ErrorCode::invalid, "bad configuration: " + check.problems(),
              "correct the named fields; `tidemark config print` shows every field");
}

}  // namespace tidemark
