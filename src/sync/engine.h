// One pass: plan -> fetch || write -> validate -> report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "cache/writer.h"
#include "sync/plan.h"
#include "tidemark/syncer.h"
#include "turso/connection.h"

namespace tidemark::sync {

// How a pass reaches its source: turso::connect, or a test's own.
using ConnectFunction = std::function<Result<std::unique_ptr<turso::Connection>>(
    const turso::SourceUrl& url, turso::ConnectOptions options)>;

struct EngineSetup {
  turso::SourceUrl url;
  std::string cache;
  SyncConfig config;
  SyncerOptions options;
  std::uint64_t fail_after_operations = 0;  // tests only: of the cache's storage; 0: never
  ConnectFunction connect = turso::connect;
  const base::Clock* clock = &base::machine_clock();  // outlives the pass
};

// Runs one pass on the calling thread, which owns all redb writes and makes all callbacks; one more
// thread fetches. The cache is as it was whenever this fails.
[[nodiscard]] Result<SyncReport> run_pass(const EngineSetup& setup, std::stop_token stop,
                                          const SyncRequest& request);
[[nodiscard]] Result<SyncPrice> price_pass(const EngineSetup& setup, std::stop_token stop,
                                           const SyncRequest& request);

}  // namespace tidemark::sync
