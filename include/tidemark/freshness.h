// How fresh and how complete a cache is, as committed with the rows it describes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tidemark/export.h"

namespace tidemark {

enum class FreshnessState : std::uint8_t { fresh, stale, never_synced, needs_repair };

[[nodiscard]] TIDEMARK_API std::string_view to_string(FreshnessState state);

struct Freshness {
  FreshnessState state = FreshnessState::never_synced;
  // The clock before the first request of the last pass that confirmed "this is everything".
  std::optional<std::chrono::system_clock::time_point> checked_at;
  // Age at the moment of the read, by the reader's clock; nullopt: never synced, or the clock went
  // back.
  std::optional<std::chrono::milliseconds> age;
  std::optional<std::chrono::system_clock::time_point> source_unavailable_since;
  std::string source_unavailable_reason;
  // The source answers, but refuses us since then (credentials, rights, TLS): nothing will change
  // until somebody acts.
  std::optional<std::chrono::system_clock::time_point> source_refused_since;
  std::string source_refused_reason;
  std::string doubt;             // why the cache is being re-read; empty: no doubt
  bool catching_up = false;      // more changes are known to be waiting
  std::uint64_t incomplete = 0;  // rows on the skip list
  bool consistent = false;       // all rows are one snapshot of the source
};

}  // namespace tidemark
