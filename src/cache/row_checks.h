// Rows whose hash was found right where they lie in memory, so that a row that is read again is not
// hashed again.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace tidemark::cache {

// Thread-safe. Pages never change while they are in memory, and within one commit a page that takes
// another's place was compared with its own checksum (src/redb/ffi/src/pages.rs): the same hash at
// the same place is the same row. One slot for each row, which the row that was checked last owns.
class RowChecks {
 public:
  RowChecks() = default;
  RowChecks(const RowChecks&) = delete;
  RowChecks& operator=(const RowChecks&) = delete;
  ~RowChecks() { std::free(slots_.load(std::memory_order_relaxed)); }

  // commit: redb::ReadTransaction::commit(); 0 is never known. hash: the one that the row says it
  // has, which must have been found right before add().
  [[nodiscard]] bool knows(std::uint64_t commit, const char* row, std::uint64_t hash) const {
    const Slot* const slots = slots_.load(std::memory_order_acquire);
    const std::uint64_t mark = mark_of(commit, row, hash);
    return slots != nullptr && commit != 0 && mark != 0 &&
           slots[slot_of(row)].load(std::memory_order_relaxed) == mark;
  }
  void add(std::uint64_t commit, const char* row, std::uint64_t hash) {
    Slot* const slots = slots_or_new();
    if (slots == nullptr || commit == 0) return;
    slots[slot_of(row)].store(mark_of(commit, row, hash), std::memory_order_relaxed);
  }

 private:
  using Slot = std::atomic<std::uint64_t>;  // 0: empty
  static_assert(Slot::is_always_lock_free && sizeof(Slot) == sizeof(std::uint64_t));
  static constexpr int kSlotBits = 13;  // 64 KiB
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;

  static std::uint64_t mix(const char* row) {
    constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;  // 2^64 over the golden ratio
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(row)) * kOdd;
  }
  static std::uint64_t mark_of(std::uint64_t commit, const char* row, std::uint64_t hash) {
    return hash ^ std::rotl(commit, 32) ^ mix(row);
  }
  static std::size_t slot_of(const char* row) { return mix(row) >> (64 - kSlotBits); }

  // Most readers are opened for no row at all.
  Slot* slots_or_new() {
    Slot* slots = slots_.load(std::memory_order_acquire);
    if (slots != nullptr) return slots;
    auto* const made = static_cast<Slot*>(std::calloc(kSlots, sizeof(Slot)));
    if (slots_.compare_exchange_strong(slots, made, std::memory_order_acq_rel)) return made;
    std::free(made);
    return slots;
  }

  std::atomic<Slot*> slots_ = nullptr;  // null: none yet, or no memory for them
};

}  // namespace tidemark::cache
