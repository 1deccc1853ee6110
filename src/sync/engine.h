// One pass: plan -> fetch || write -> validate -> report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cache/writer.h"
#include "sync/plan.h"
#include "sync/tuning.h"
#include "tidemark/syncer.h"
#include "turso/connection.h"

namespace tidemark::sync {

// How a pass reaches its source: turso::connect, or a test's own.
using ConnectFunction = std::function<Result<std::unique_ptr<turso::Connection>>(
    const turso::SourceUrl& url, turso::ConnectOptions options)>;

// What a repair left for the pass that completes it.
struct Recovery {
  bool mended = false;   // in place: the pass compares every row, and takes the mark away
  bool replace = false;  // beyond mending, and kept aside: what stands at the path is not opened
  std::string reason;
  std::optional<Scope> scope;  // of what is replaced, where it could still be read
  std::vector<std::string> problems;
  std::uint64_t rows_dropped = 0;
};

// How a row of the source differs from the cached one. `missing`: not cached; `surplus`: cached,
// but gone from the source or out of the scope.
enum class Difference : std::uint8_t { missing, different, surplus };
using ObserveDifference =
    std::function<void(const std::string& collection, const std::string& key, Difference)>;

struct EngineSetup {
  turso::SourceUrl url;
  std::string cache;
  SyncConfig config;
  SyncerOptions options;
  std::uint64_t fail_after_operations = 0;  // tests only: of the cache's storage; 0: never
  // Log rows that one request of a delta covers; tests make it small.
  std::size_t changes_per_range = kChangesPerRange;
  std::size_t fill_commit_bytes = kFillCommitBytes;  // likewise
  // Tests only: what was fetched is applied before more is asked for, so that a request that ends
  // the pass finds it in the same state each time.
  bool in_step = false;
  ConnectFunction connect = turso::connect;
  const base::Clock* clock = &base::machine_clock();  // outlives the pass
  Recovery recovery{};
  ObserveDifference audit{};  // set: differences are told, and nothing is committed
};

// As the setup says; nothing is known of the server yet.
[[nodiscard]] turso::ConnectOptions connect_options(const EngineSetup& setup);

// Runs one pass on the calling thread, which owns all redb writes and makes all callbacks; one more
// thread fetches. The cache is as it was whenever this fails.
[[nodiscard]] Result<SyncReport> run_pass(const EngineSetup& setup, std::stop_token stop,
                                          const SyncRequest& request);
[[nodiscard]] Result<SyncPrice> price_pass(const EngineSetup& setup, std::stop_token stop,
                                           const SyncRequest& request);

}  // namespace tidemark::sync
