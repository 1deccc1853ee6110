// Keeping a cache in step with its source.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

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
  std::size_t page_cache_bytes = std::size_t{32} << 20U;
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

// What a pass would read.
struct SyncPrice {
  std::string mode;
  std::uint64_t episodes = 0, patterns = 0, heuristics = 0, embeddings = 0;  // rows in scope
  std::uint64_t rows_read = 0;  // rows the source would scan, an estimate
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

  // One pass. The cache is as it was, and readable, whenever this fails.
  // Errors: unavailable, rejected, busy, cancelled, no_space, invalid, unsupported, corrupt,
  // internal.
  [[nodiscard]] Result<SyncReport> sync(std::stop_token stop = {}, const SyncRequest& request = {});
  // Prices a pass with the source's counts; writes nothing.
  [[nodiscard]] Result<SyncPrice> price(std::stop_token stop = {}, const SyncRequest& request = {});

  struct Impl;
  explicit Syncer(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark
