// Rows whose hash was found right where they lie in memory, so that a row that is read again is not
// hashed again.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace tidemark::cache {

// Thread-safe. Pages never change while they are in memory, and within one commit a page that takes
// another's place was compared with its own checksum (src/redb/ffi/src/pages.rs): the same hash at
// the same place is the same row. One slot for each row, which the row that was checked last owns.
class RowChecks {
 public:
  RowChecks() : slots_(static_cast<Slot*>(std::calloc(kSlots, sizeof(Slot)))) {}

  // commit: redb::ReadTransaction::commit(); 0 is never known. hash: the one that the row says it
  // has, which must have been found right before add().
  [[nodiscard]] bool knows(std::uint64_t commit, const char* row, std::uint64_t hash) const {
    const std::uint64_t mark = mark_of(commit, row, hash);
    return commit != 0 && mark != 0 && slots_ && slot(row).load(std::memory_order_relaxed) == mark;
  }
  void add(std::uint64_t commit, const char* row, std::uint64_t hash) {
    if (commit == 0 || !slots_) return;
    const std::uint64_t mark = mark_of(commit, row, hash);
    slot(row).store(mark, std::memory_order_relaxed);
  }

 private:
  using Slot = std::atomic<std::uint64_t>;  // 0: empty
  static_assert(Slot::is_always_lock_free && sizeof(Slot) == sizeof(std::uint64_t));
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  static constexpr int kSlotBits = 13;  // 64 KiB
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;

  static std::uint64_t mix(const char* row) {
    constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;  // 2^64 over the golden ratio
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(row)) * kOdd;
  }
  static std::uint64_t mark_of(std::uint64_t commit, const char* row, std::uint64_t hash) {
    return hash ^ std::rotl(commit, 32) ^ mix(row);
  }
  [[nodiscard]] Slot& slot(const char* row) const { return slots_[mix(row) >> (64 - kSlotBits)]; }

  std::unique_ptr<Slot[], Free> slots_;  // null: no memory for it, and each row is hashed
};

}  // namespace tidemark::cache
