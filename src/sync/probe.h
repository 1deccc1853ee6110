// How a source answers, measured outside any pass. Reads only, and touches no cache.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tidemark/capture.h"
#include "tidemark/config.h"
#include "tidemark/error.h"

namespace tidemark::sync {

struct ProbeOptions {
  std::function<Result<std::string>()> token;  // as SyncerOptions::token
  SyncConfig config;                           // batch_size and request_deadline count
  std::chrono::steady_clock::time_point deadline;
};

// The newest episodes, fetched as a pass fetches its first page.
struct ProbedPage {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of the rows' values
  std::chrono::microseconds took{0};
};

// What was not learned before the deadline, or could not be, is not there.
struct SourceProbe {
  std::string name;            // printable, without secrets
  std::optional<Error> error;  // it does not answer, or has no memories; then the rest is empty
  std::optional<std::chrono::microseconds> first_answer;  // with name look-up, connecting and TLS
  std::optional<std::chrono::microseconds> round_trip;    // the median of kProbeRoundTrips
  // The source's clock minus this machine's; half a round trip may be wrong.
  std::optional<std::chrono::milliseconds> clock_ahead;
  std::optional<ProbedPage> page;  // nothing: no episodes
  std::optional<CaptureStatus> capture;
  std::map<std::string, std::uint64_t> rows;  // by table
  std::vector<Error> not_learned;             // why
};

// Blocks until the deadline at the most, and ends early when a stop is asked for.
[[nodiscard]] SourceProbe probe_source(const std::string& source, const ProbeOptions& options,
                                       const std::stop_token& stop);

}  // namespace tidemark::sync
