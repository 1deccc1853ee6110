// Looks at a cache, slice by slice: damage is found, and marked, before a reader meets it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/scrub.h"
#include "daemon/scrub_pace.h"

namespace tidemark::daemon {

// One thread at a time.
class Scrubber {
 public:
  // `cache_mode`: of CACHE.lock, should it be missing.
  Scrubber(std::string cache, unsigned cache_mode)
      : cache_(std::move(cache)), cache_mode_(cache_mode) {}
  // One slice of the walk, or the first one of a new walk. The file is closed afterwards. What ends
  // at damage marked the cache (needs_repair) under CACHE.lock; while another process holds that it
  // fails, and is tried again with the next look.
  [[nodiscard]] Slice look();

 private:
  [[nodiscard]] Slice mark(Slice slice);

  const std::string cache_;
  const unsigned cache_mode_;
  std::optional<cache::Scrub> walk_;   // none between two walks
  std::vector<std::string> problems_;  // that wait to be marked
};

}  // namespace tidemark::daemon
