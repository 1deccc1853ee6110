// All that is measured, as it was found. Plain data; what could not be learned is not there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/wire.h"
#include "doctor/machine.h"
#include "sync/probe.h"
#include "tidemark/reader.h"
#include "tidemark/report.h"

namespace tidemark::doctor {

// What the program is told to work with.
struct Subject {
  std::optional<std::string> source;
  std::function<Result<std::string>()> token;  // as SyncerOptions::token
  std::string token_file;                      // empty: the token is in none
  std::string cache;
  SyncConfig config;
  // Which parts of the scope were named: another than the cache's own is refused by passes.
  std::optional<std::uint64_t> max_episodes_named;
  std::optional<bool> sync_patterns_named;
  std::optional<bool> sync_embeddings_named;
  std::size_t page_cache_bytes = 0;
  unsigned cache_mode = 0600;
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds max_staleness{0};
  std::optional<Error> wrong;  // with the configuration: some of the above may be the defaults
};

// Who has CACHE.lock now. `process`: only where it is seen to have the file open, since the pid may
// be one of another namespace.
struct LockHolder {
  std::string name;  // "pid 123"
  std::optional<Process> process;
  std::optional<std::chrono::milliseconds> held;  // so long already
};

// A daemon holds CACHE.daemon. `process`: as of LockHolder.
struct DaemonFound {
  std::string name;  // "pid 123"
  std::optional<Process> process;
  std::optional<daemon::Status> status;  // nothing: it does not answer
  std::optional<ProcessMemory> memory;
};

struct Measurements {
  Subject subject;
  std::optional<sync::SourceProbe> source;  // nothing: none is named
  std::string source_identity;              // as a cache names it; empty: it is no URL
  CacheStatus cache;
  std::optional<SyncReport> last_pass;
  std::optional<LockHolder> lock;  // nothing: it is free
  std::optional<DaemonFound> daemon;
  std::vector<Process> openers;       // of the cache's file; those that this user may see
  std::optional<Error> cannot_write;  // what a pass of this user would meet
  std::optional<Memory> memory;       // as the daemon sees it, or else this process
  std::optional<Disk> disk;           // where the cache lies
  std::optional<Rights> cache_rights;
  std::optional<Rights> folder_rights;  // of the cache's
  std::optional<Rights> token_rights;   // of the token's file
  std::optional<Error> token_problem;   // it cannot be read
};

}  // namespace tidemark::doctor
