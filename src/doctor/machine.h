// What this machine says: processes, memory, disk, rights. Linux only; whatever it does not say is
// not known, and never an error. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::doctor {

struct Process {
  std::int64_t pid = 0;
  std::string name;  // as the kernel shortens it, "tidemark"; empty: not known
};
// Without the command line, which may hold what should not be shown.
[[nodiscard]] Process process_of(std::int64_t pid);
// The number of "pid 123".
[[nodiscard]] std::optional<std::int64_t> pid_in(std::string_view text);

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_bytes = 0;
};
[[nodiscard]] std::optional<ProcessMemory> memory_of(std::int64_t pid);

struct Memory {
  std::uint64_t total_bytes = 0;             // of the machine, or its control group's limit
  std::uint64_t available_bytes = 0;         // what of that can still be had
  std::optional<std::uint64_t> limit_bytes;  // of the control group, where it is the lesser
};
// As seen by process `pid`. `root`: "" for this machine; tests have a tree of their own.
[[nodiscard]] std::optional<Memory> memory_seen_by(std::int64_t pid, const std::string& root = {});

// Whether that process has the file open, as far as this user may look.
[[nodiscard]] bool has_open(std::int64_t pid, const std::string& path);
// Those that have it open, this one apart.
[[nodiscard]] std::vector<Process> processes_with_open(const std::string& path);

struct Disk {
  std::uint64_t free_bytes = 0;  // for this user
  std::uint64_t total_bytes = 0;
};
[[nodiscard]] std::optional<Disk> disk_of(const std::string& folder);

struct Rights {
  unsigned mode = 0;                              // permission bits, with the sticky one
  bool ours = false;                              // this user owns it
  std::chrono::system_clock::time_point changed;  // its bytes
};
// nullopt: there is no such file.
[[nodiscard]] std::optional<Rights> rights_of(const std::string& path);

}  // namespace tidemark::doctor
