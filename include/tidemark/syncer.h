// Keeping a cache in step with its source.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tidemark/config.h"
#include "tidemark/error.h"
#include "tidemark/export.h"
#include "tidemark/reader.h"
#include "tidemark/report.h"

namespace tidemark {

struct Progress {
  std::string phase;       // "discover", "list", "fetch", "validate", "commit", ...
  std::string collection;  // may be empty
  std::uint64_t rows_done = 0;
  std::optional<std::uint64_t> rows_total;
};

struct SyncerOptions {
  // Gives the bearer token; called before the first request and once after a 401. Empty: none.
  std::function<Result<std::string>()> token;
  std::string ca_file;         // extra CA certificates (PEM); empty: the system's
  unsigned cache_mode = 0600;  // of the cache, lock and stats files
  std::size_t page_cache_bytes = std::size_t{8} << 20U;
};

struct SyncRequest {
  bool set_scope = false;  // accept a scope that differs from the cache's stored one
  // Which scope fields the caller named; the rest come from the cache (or the defaults).
  std::optional<std::uint64_t> max_episodes_cache;
  std::optional<bool> sync_patterns;
  std::optional<bool> sync_embeddings;
  bool full = false;  // fill a new generation although the cache could be reconciled
  std::function<void(const Progress&)> progress;  // on the calling thread
};

// What the next pass would read. Rows read are those that the source would scan: estimates.
struct SyncPrice {
  std::string mode;    // of that pass, as in SyncReport
  std::string reason;  // why; may be empty
  std::uint64_t episodes = 0, patterns = 0, heuristics = 0, embeddings = 0;  // rows in scope
  std::uint64_t rows_read = 0;                                               // by that pass
  // By reading everything: a fill, a scan, a reconcile, or the audit after a delta.
  std::uint64_t everything_rows_read = 0;
  // Where the cache follows the change log: log rows since, at the most, and what a delta reads.
  std::optional<std::uint64_t> changes;
  std::optional<std::uint64_t> delta_rows_read;
};

struct RepairReport {
  std::vector<std::string> problems;  // what was wrong; empty: nothing
  std::uint64_t rows_dropped = 0;     // damaged, and fetched again
  std::string kept_as;  // CACHE.corrupt, when the file was beyond mending and was filled anew
  SyncReport sync;      // of the pass that completed it
};

// Rows of one collection, against the source.
struct CollectionAudit {
  std::uint64_t equal = 0;
  std::uint64_t missing = 0;      // at the source and in scope, not cached
  std::uint64_t different = 0;    // cached with another value
  std::uint64_t surplus = 0;      // cached; gone from the source, or out of scope
  std::vector<std::string> keys;  // of the first 100 that differ
};

struct TIDEMARK_API AuditReport {
  std::map<std::string, CollectionAudit> collections;
  std::uint64_t requests = 0;
  std::optional<std::uint64_t> rows_read;  // where the server says
  [[nodiscard]] bool differs() const;
};

// One thread at a time. Takes CACHE.lock for the length of each pass.
class TIDEMARK_API Syncer {
 public:
  // Checks arguments; opens nothing yet. `source`: file:PATH, libsql://, https://, http://.
  // Errors: invalid (URL, every bad field of the config at once), unsupported.
  [[nodiscard]] static Result<Syncer> open(const std::string& source, const std::string& cache,
                                           SyncConfig config, SyncerOptions options = {});
  Syncer(Syncer&&) noexcept;
  Syncer& operator=(Syncer&&) noexcept;
  ~Syncer();

  // One pass. The cache is as it was, and readable, whenever this fails. One that is damaged is
  // repaired first, as repair() does, and the report's reason says so.
  // Errors: unavailable, rejected, busy, cancelled, no_space, invalid, unsupported, corrupt,
  // internal.
  [[nodiscard]] Result<SyncReport> sync(std::stop_token stop = {}, const SyncRequest& request = {});
  // Looks at every page and row; mends what the cache's own rows suffice for, fetches the rest, and
  // fills a new generation where the file is beyond that (then it is kept as CACHE.corrupt).
  // Errors: as sync; invalid: no cache, another source's, or a file that never was a cache.
  [[nodiscard]] Result<RepairReport> repair(std::stop_token stop = {},
                                            const SyncRequest& request = {});
  // Fills a new generation, which replaces the cache when it is whole. adopt: also where a file
  // stands that is no cache of this source; it is kept as CACHE.foreign, which must not exist.
  [[nodiscard]] Result<SyncReport> rebuild(std::stop_token stop = {},
                                           const SyncRequest& request = {}, bool adopt = false);
  // Compares every row of the scope with the source by hash, and commits nothing. A difference is
  // either an edit since the last pass or damage. Errors: as sync; needs_repair: there is nothing
  // to compare, since the tables changed or the format is older.
  [[nodiscard]] Result<AuditReport> validate(std::stop_token stop = {},
                                             const SyncRequest& request = {});
  // Prices a pass with the source's counts, and its log's head; writes nothing. Counting may read
  // each table's keys.
  [[nodiscard]] Result<SyncPrice> price(std::stop_token stop = {}, const SyncRequest& request = {});

  struct Impl;
  explicit Syncer(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark
