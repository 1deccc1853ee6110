#include "sync/repair.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cache/files.h"
#include "cache/lock.h"
#include "cache/mend.h"
#include "cache/writer.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

bool is_damage(const Error& error) { return error.code == ErrorCode::corrupt; }

// One recovery, under the lock.
class Recover {
 public:
  Recover(const EngineSetup& setup, const std::stop_token& stop, bool asked)
      : setup_(setup), stop_(stop), asked_(asked) {}

  Result<Recovery> run() {
    TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(setup_.cache, setup_.options.cache_mode));
    static_cast<void>(lock);  // held to the end
    const auto standing = cache::examine(setup_.cache);
    if (!standing) return unreadable(standing.error());
    if (*standing == cache::Standing::missing) {
      return fail(ErrorCode::invalid, "no cache at " + setup_.cache,
                  "run `tidemark sync` to make one");
    }
    const auto identity = cache::peek_identity(setup_.cache);
    if (!identity && identity.error().code == ErrorCode::unsupported) {
      return std::unexpected(identity.error());
    }
    if (!identity) return unreadable(identity.error());
    if (*identity) {
      TIDEMARK_TRY(check_identity(**identity, setup_.url));
      recovery_.scope = (*identity)->scope;
    }
    return mend();
  }

 private:
  Result<Recovery> mend() {
    bool refused = false;
    cache::WriterOptions options;
    options.page_cache_bytes = setup_.options.page_cache_bytes;
    options.file_mode = setup_.options.cache_mode;
    options.keep_going = [this] { return !stop_.stop_requested(); };
    auto mended = cache::mend(setup_.cache, options, [&](const cache::Identity& identity) {
      auto checked = check_identity(identity, setup_.url);
      refused = !checked;
      return checked;
    });
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
    if (!mended) {
      return refused ? std::unexpected(std::move(mended).error()) : unreadable(mended.error());
    }
    recovery_.mended = true;
    recovery_.problems = std::move(mended->problems);
    recovery_.rows_dropped = mended->rows_dropped;
    if (!recovery_.problems.empty()) {
      recovery_.reason = "the cache was repaired: " + recovery_.problems.front();
    }
    return std::move(recovery_);
  }

  // Damage, or what a person who asked for a repair may call so.
  Result<Recovery> unreadable(const Error& error) {
    std::error_code unknown;
    const bool may_be = error.code == ErrorCode::invalid || error.code == ErrorCode::unsupported;
    const bool ours = asked_ && may_be && cache::stood_here(setup_.cache) &&
                      std::filesystem::is_regular_file(setup_.cache, unknown);
    if (!is_damage(error) && !ours) return std::unexpected(error);
    TIDEMARK_TRY(cache::keep_aside(setup_.cache));
    recovery_.replace = true;
    recovery_.reason = "the cache was damaged: " + error.message;
    recovery_.problems = {error.message};
    return std::move(recovery_);
  }

  const EngineSetup& setup_;
  const std::stop_token& stop_;
  const bool asked_;
  Recovery recovery_;
};

// The pass that completes a recovery. Damage that only it meets is beyond mending.
Result<SyncReport> complete(const EngineSetup& setup, const std::stop_token& stop,
                            const SyncRequest& request, Recovery& recovery) {
  EngineSetup again = setup;
  again.recovery = recovery;
  auto report = run_pass(again, stop, request);
  if (report || recovery.replace || !is_damage(report.error())) return report;
  {
    TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(setup.cache, setup.options.cache_mode));
    static_cast<void>(lock);  // held while the name is made
    TIDEMARK_TRY(cache::keep_aside(setup.cache));
  }
  recovery.replace = true;
  recovery.problems.push_back(report.error().message);
  recovery.reason = "the cache was damaged: " + report.error().message;
  again.recovery = recovery;
  return run_pass(again, stop, request);
}

// Moves a file that is no cache of this source out of the way; nothing of another is ever replaced.
Result<void> adopt_path(const EngineSetup& setup) {
  const std::string aside = setup.cache + ".foreign";
  TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(setup.cache, setup.options.cache_mode));
  static_cast<void>(lock);
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(setup.cache, unknown)) return {};
  const auto identity = cache::peek_identity(setup.cache);
  if (identity && *identity && (*identity)->source == setup.url.identity) return {};  // ours
  if (::renameat2(AT_FDCWD, setup.cache.c_str(), AT_FDCWD, aside.c_str(), RENAME_NOREPLACE) != 0) {
    return fail(ErrorCode::invalid,
                "keep what stands there as " + aside + ": " + std::strerror(errno),
                "move " + aside + " away first");
  }
  return {};
}

}  // namespace

bool may_be_damage(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::internal;
}

Result<Recovery> recover(const EngineSetup& setup, const std::stop_token& stop, bool asked) {
  return Recover(setup, stop, asked).run();
}

Result<SyncReport> run_healing_pass(const EngineSetup& setup, const std::stop_token& stop,
                                    const SyncRequest& request) {
  auto report = run_pass(setup, stop, request);
  if (report || !may_be_damage(report.error())) return report;
  auto recovery = recover(setup, stop, false);
  if (!recovery) return report;  // not ours to repair, or not now: the first error says more
  if (recovery->problems.empty()) return report;  // the cache is sound: it was something else
  return complete(setup, stop, request, *recovery);
}

Result<RepairReport> run_repair(const EngineSetup& setup, const std::stop_token& stop,
                                const SyncRequest& request) {
  TIDEMARK_ASSIGN(recovery, recover(setup, stop, true));
  TIDEMARK_ASSIGN(report, complete(setup, stop, request, recovery));
  RepairReport out;
  out.problems = std::move(recovery.problems);
  out.rows_dropped = recovery.rows_dropped;
  if (recovery.replace) out.kept_as = cache::corrupt_path(setup.cache);
  out.sync = std::move(report);
  return out;
}

Result<SyncReport> run_rebuild(const EngineSetup& setup, const std::stop_token& stop,
                               const SyncRequest& request, bool adopt) {
  if (adopt) TIDEMARK_TRY(adopt_path(setup));
  SyncRequest full = request;
  full.full = true;
  return run_healing_pass(setup, stop, full);
}

Result<AuditReport> run_audit(const EngineSetup& setup, const std::stop_token& stop,
                              const SyncRequest& request) {
  TIDEMARK_ASSIGN(standing, cache::examine(setup.cache));
  if (standing == cache::Standing::missing) {
    return fail(ErrorCode::invalid, "no cache at " + setup.cache,
                "run `tidemark sync` to make one");
  }
  AuditReport out;
  EngineSetup looking = setup;
  looking.audit = [&out](const std::string& collection, const std::string& key, Difference what) {
    CollectionAudit& found = out.collections[collection];
    ++(what == Difference::missing     ? found.missing
       : what == Difference::different ? found.different
                                       : found.surplus);
    if (found.keys.size() < kAuditKeysMax) found.keys.push_back(key);
  };
  TIDEMARK_ASSIGN(report, run_pass(looking, stop, request));
  for (const auto& [name, counts] : report.collections) {
    out.collections[name].equal = counts.unchanged;
  }
  out.rows_read = report.rows_read;
  out.requests = report.requests;
  return out;
}

}  // namespace tidemark::sync
