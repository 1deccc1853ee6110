// A disk whose power fails. The program's own calls write, sync and rename (disk.cc stands before
// the C library's); when the power fails, each file of a cache holds what was there when it was
// last synced, and of what was written since each sector may be there or not; a rename that no sync
// of its folder followed may not have been. What the system calls keep is modelled, not a device
// that breaks its word, but for `lies`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace tidemark::fault {

inline constexpr int kPowerLost = 77;  // the exit of a process

struct PowerLoss {
  std::string cache;                         // of this, and of its generations
  std::uint64_t at = 0;                      // this operation does not happen; 0: none
  unsigned seed = 0;                         // of what the disk had written
  bool lies = false;                         // syncs do nothing
  std::atomic<std::uint64_t>* operations{};  // counted so far; shared with whoever waits
};
// From here on, in this process, which has no other thread yet; it ends when it comes to `at`.
void lose_power(const PowerLoss& loss);
// Now, if it has not come to `at`; ends this process with `exit`.
[[noreturn]] void lose_power_now(int exit);

}  // namespace tidemark::fault
