#include "doctor/machine.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + begin, end, number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

// The number after "NAME" at the start of a line, as in /proc/meminfo.
std::optional<std::uint64_t> field(const std::string& text, const std::string& name) {
  std::size_t at = text.starts_with(name) ? 0 : text.find("\n" + name);
  if (at == std::string::npos) return std::nullopt;
  at += name.size() + (at == 0 ? 0 : 1);
  return number_in(std::string_view(text).substr(at));
}

std::optional<std::uint64_t> kib(const std::string& text, const std::string& name) {
  const auto number = field(text, name);
  return number ? std::optional(*number << 10U) : std::nullopt;
}

// The limit of one control group and what it has used of it, the file cache apart: that is given
// back. nullopt: no limit.
struct Limit {
  std::uint64_t bytes = 0;
  std::uint64_t used = 0;
};
std::optional<Limit> limit_of(const std::string& group, bool second) {
  const auto limit =
      number_in(text_of(group + (second ? "/memory.max" : "/memory.limit_in_bytes")));
  const auto used =
      number_in(text_of(group + (second ? "/memory.current" : "/memory.usage_in_bytes")));
  if (!limit || !used) return std::nullopt;  // also "max"
  const std::string stat = text_of(group + "/memory.stat");
  const auto cached = field(stat, second ? "inactive_file " : "total_inactive_file ");
  return Limit{*limit, *used - std::min(*used, cached.value_or(0))};
}

// Narrows `memory` to what a group and those above it allow.
void narrow(Memory& memory, const std::string& base, std::string group, bool second) {
  while (true) {
    if (const auto limit = limit_of(base + group, second)) {
      const std::uint64_t left = limit->bytes - std::min(limit->bytes, limit->used);
      memory.available_bytes = std::min(memory.available_bytes, left);
      if (limit->bytes < memory.total_bytes) {
        memory.limit_bytes = limit->bytes;
        memory.total_bytes = limit->bytes;
      }
    }
    if (group.empty() || group == "/") return;
    group.erase(group.rfind('/'));
  }
}

// Both versions of control groups: lines "N:CONTROLLERS:PATH", "0::PATH" of the second.
void narrow_by_groups(Memory& memory, std::int64_t pid, const std::string& root) {
  std::istringstream groups(text_of(root + "/proc/" + std::to_string(pid) + "/cgroup"));
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") narrow(memory, root + "/sys/fs/cgroup", path, true);
    if (controllers.find(",memory,") != std::string::npos) {
      narrow(memory, root + "/sys/fs/cgroup/memory", path, false);
    }
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

bool holds(const std::string& process, const struct stat& file) {
  const Folder folder(::opendir((process + "/fd").c_str()));
  if (!folder) return false;
  for (std::size_t n = 0; n < kFilesOfProcessMax; ++n) {
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) return false;
    struct stat open{};
    if (::fstatat(::dirfd(folder.get()), entry->d_name, &open, 0) != 0) continue;
    if (open.st_dev == file.st_dev && open.st_ino == file.st_ino) return true;
  }
  return false;
}

}  // namespace

Process process_of(std::int64_t pid) {
  std::string name = text_of("/proc/" + std::to_string(pid) + "/comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return {pid, std::move(name)};
}

std::optional<std::int64_t> pid_in(std::string_view text) {
  constexpr std::string_view kWord = "pid ";
  if (!text.starts_with(kWord)) return std::nullopt;
  const auto number = number_in(text.substr(kWord.size()));
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

std::optional<ProcessMemory> memory_of(std::int64_t pid) {
  const std::string status = text_of("/proc/" + std::to_string(pid) + "/status");
  const auto resident = kib(status, "VmRSS:");
  if (!resident) return std::nullopt;
  return ProcessMemory{*resident, kib(status, "VmHWM:").value_or(*resident)};
}

std::optional<Memory> memory_seen_by(std::int64_t pid, const std::string& root) {
  const std::string info = text_of(root + "/proc/meminfo");
  const auto total = kib(info, "MemTotal:");
  const auto available = kib(info, "MemAvailable:");
  if (!total || !available) return std::nullopt;
  Memory memory{*total, *available, {}};
  narrow_by_groups(memory, pid, root);
  return memory;
}

bool has_open(std::int64_t pid, const std::string& path) {
  struct stat file{};
  return ::stat(path.c_str(), &file) == 0 && holds("/proc/" + std::to_string(pid), file);
}

std::vector<Process> processes_with_open(const std::string& path) {
  std::vector<Process> found;
  struct stat file{};
  const Folder processes(::opendir("/proc"));
  if (!processes || ::stat(path.c_str(), &file) != 0) return found;
  for (std::size_t n = 0; n < kProcessesMax && found.size() < kOpenersMax; ++n) {
    const dirent* const entry = ::readdir(processes.get());
    if (entry == nullptr) break;
    const auto pid = number_in(entry->d_name);
    if (!pid || static_cast<pid_t>(*pid) == ::getpid()) continue;
    if (holds("/proc/" + std::string(entry->d_name), file)) {
      found.push_back(process_of(static_cast<std::int64_t>(*pid)));
    }
  }
  return found;
}

std::optional<Disk> disk_of(const std::string& folder) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0) return std::nullopt;
  return Disk{std::uint64_t{info.f_bavail} * info.f_frsize,
              std::uint64_t{info.f_blocks} * info.f_frsize};
}

std::optional<Rights> rights_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  constexpr unsigned kBits = 01777;
  const auto changed =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  return Rights{info.st_mode & kBits, info.st_uid == ::geteuid(),
                std::chrono::system_clock::time_point(changed)};
}

}  // namespace tidemark::doctor
