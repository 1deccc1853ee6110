// What is done with a damaged cache: mended in place where its own rows suffice, else filled anew.
#pragma once

#include <stop_token>

#include "sync/engine.h"
#include "tidemark/syncer.h"

namespace tidemark::sync {

// May the cache be why a pass ended so? Whether it is shows when it is looked at.
[[nodiscard]] bool may_be_damage(const Error& error);

// Under CACHE.lock: mends the cache (cache::mend); where that cannot be done keeps the file aside
// as CACHE.corrupt and leaves it to the pass to replace it. asked: by a person, so that a file
// which does not even look like a cache is replaced too, where one of ours stood before. Errors:
// busy; invalid (no cache, another source's, a foreign file); unsupported; no_space.
[[nodiscard]] Result<Recovery> recover(const EngineSetup& setup, const std::stop_token& stop,
                                       bool asked);

// One pass; on a damaged cache, the recovery and then the pass that completes it.
[[nodiscard]] Result<SyncReport> run_healing_pass(const EngineSetup& setup,
                                                  const std::stop_token& stop,
                                                  const SyncRequest& request);
// Looks at everything, whether or not a pass would meet damage.
[[nodiscard]] Result<RepairReport> run_repair(const EngineSetup& setup, const std::stop_token& stop,
                                              const SyncRequest& request);
// A new generation from the source, whatever stands there; adopt: a file that is no cache of this
// source too, kept as CACHE.foreign.
[[nodiscard]] Result<SyncReport> run_rebuild(const EngineSetup& setup, const std::stop_token& stop,
                                             const SyncRequest& request, bool adopt);
// Compares the scope with the source by hash; commits nothing.
[[nodiscard]] Result<AuditReport> run_audit(const EngineSetup& setup, const std::stop_token& stop,
                                            const SyncRequest& request);

}  // namespace tidemark::sync
