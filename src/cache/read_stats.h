// CACHE.stats: how many reads were hits, absent or unknown, counted by every reading process.
// Advisory: nothing here can make a read fail, and nothing that is correct depends on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "cache/fork.h"
#include "tidemark/reader.h"

namespace tidemark::cache {

// A file of fixed size: a header, then slots of three counters (docs/cache-format.md). An open
// reader owns a slot by a lock on that slot's bytes, which the kernel drops with the process, and
// counts on from what the slot's last owner left: the sum over all slots is the total ever, so
// that a kill at any moment loses and doubles nothing. When all slots are owned the last is shared.
//
// Thread-safe. One inherited over fork() must not count; destroying it touches nothing.
class ReadStats {
 public:
  // Opens the file beside `cache`, made with the cache's own mode when it is missing. A file that
  // cannot be made, written or believed (another size, magic or version): counts go nowhere.
  explicit ReadStats(const std::string& cache);
  ReadStats(const ReadStats&) = delete;
  ReadStats& operator=(const ReadStats&) = delete;
  ~ReadStats();

  void count(Presence presence) {
    if (slot_ == nullptr) return;
    std::atomic_ref(slot_[static_cast<std::size_t>(presence)])
        .fetch_add(1, std::memory_order_relaxed);
  }

 private:
  LocalDescriptor fd_;
  void* map_ = nullptr;
  std::uint64_t* slot_ = nullptr;  // in map_
};

// Makes the file, so that it has the rights of the cache's owner whoever reads first.
void make_stats_file(const std::string& cache);
// All reads ever counted; nullopt: there is no such file, or this process could not count in it.
[[nodiscard]] std::optional<ReadCounts> total_reads(const std::string& cache);

}  // namespace tidemark::cache
