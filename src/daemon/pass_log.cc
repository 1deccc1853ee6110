#include "daemon/pass_log.h"

#include <algorithm>
#include <utility>

#include "daemon/describe.h"
#include "daemon/json_forms.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {

std::string pass_json(const PassRecord& pass) {
  const Result<Done>& result = pass.result;
  return "{\"ended_at_ms\":" + time_json(pass.ended_at) +
         ",\"trigger\":" + json_string(to_string(pass.trigger)) +
         ",\"work\":" + json_string(to_string(pass.work)) +
         ",\"took_ms\":" + std::to_string(pass.took.count()) +
         ",\"outcome\":" + json_string(outcome_word(result)) +
         ",\"report\":" + (result ? done_json(*result) : "null") +
         ",\"error\":" + (result ? "null" : error_json(result.error())) + "}";
}

void PassLog::add(std::string pass) {
  bytes_ += pass.size();
  passes_.push_back(std::move(pass));
  while (passes_.size() > 1 && (passes_.size() > kReportsMax || bytes_ > kReportsBytesMax)) {
    bytes_ -= passes_.front().size();
    passes_.pop_front();
  }
}

std::string PassLog::json(std::size_t limit) const {
  std::string list;
  const std::size_t count = std::min(limit, passes_.size());
  for (std::size_t n = 1; n <= count; ++n) {
    list += (n == 1 ? "" : ",") + passes_[passes_.size() - n];
  }
  return "{\"reports\":[" + list + "]}\n";
}

}  // namespace tidemark::daemon
