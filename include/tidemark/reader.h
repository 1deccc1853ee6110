// Reading a cache: in place, at memory speed, from any number of processes while one syncs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidemark/error.h"
#include "tidemark/export.h"
#include "tidemark/freshness.h"
#include "tidemark/nearest.h"
#include "tidemark/read_counts.h"
#include "tidemark/row.h"
#include "tidemark/value.h"

namespace tidemark {

// absent: the source had none at some moment between checked_at and the read (proven).
// unknown: not cached and not proven absent: ask the source.
enum class Presence : std::uint8_t { hit, absent, unknown };

[[nodiscard]] TIDEMARK_API std::string_view to_string(Presence presence);

// The answer to get(): its presence and, for a hit, the row.
class TIDEMARK_API Lookup {
 public:
  explicit Lookup(Presence presence) : presence_(presence) {}
  explicit Lookup(Row row) : presence_(Presence::hit), row_(std::move(row)) {}
  [[nodiscard]] Presence presence() const { return presence_; }
  [[nodiscard]] explicit operator bool() const { return row_.has_value(); }
  // Only for a hit.
  [[nodiscard]] const Row& row() const& { return *row_; }
  [[nodiscard]] Row row() && { return std::move(*row_); }

 private:
  Presence presence_;
  std::optional<Row> row_;
};

enum class StalePolicy : std::uint8_t { serve, fail };

struct ReaderOptions {
  std::size_t page_cache_bytes = std::size_t{8} << 20U;
  std::chrono::milliseconds open_deadline{5'000};    // waiting for a writer's repair
  std::chrono::milliseconds max_staleness{300'000};  // older than this is stale
  StalePolicy when_stale = StalePolicy::serve;       // fail: reads answer `stale`
  // Of vectors that nearest() searched and keeps; what does not fit is read each time.
  std::size_t vector_cache_bytes = std::size_t{256} << 20U;
  bool repair = true;  // may repair a file that a killed writer left, when it can write it
};

// What to list. At most one of `where_index` and `of_key` may be set.
struct Query {
  std::string collection{};  // a table's name; "embeddings" means every embedding table
  std::optional<std::size_t> limit{};
  std::string where_index{};  // an indexed column of a pattern table, with `where_value`
  Value where_value{};
  // Embeddings of this parent's key (collection "embeddings" or one embedding table);
  // `of_collection` narrows to a parent in that collection, empty means any.
  std::optional<std::string> of_key{};
  std::string of_collection{};
};

// Several reads of one commit. One thread; hold it for milliseconds, since a held snapshot makes
// the file grow while passes commit. Must not outlive its Reader.
class TIDEMARK_API Snapshot {
 public:
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) noexcept;
  ~Snapshot();
  // `collection` is a table's name, or a kind's: "embeddings" means every embedding table. The key
  // may be in several of these; this gives the row of the first by name.
  [[nodiscard]] Result<Lookup> get(std::string_view collection, std::string_view key) const;
  // Every row that get() could mean, by table name; without any, the one miss. Never empty.
  [[nodiscard]] Result<std::vector<Lookup>> get_all(std::string_view collection,
                                                    std::string_view key) const;
  // Calls `visit` for each row in order (episodes newest first, others by key) until it returns
  // false. Errors: invalid, for an unknown collection (listing those there are) and for a query
  // that could choose nothing, such as episodes by their parent.
  [[nodiscard]] Result<void> scan(const Query& query,
                                  const std::function<bool(const Row&)>& visit) const;
  // The first search of a table, and of one whose rows changed, reads and checks all of it. Errors:
  // invalid (a vector that is empty, not finite or, for cosine, zero; k; no embeddings; several
  // models and none named), corrupt.
  [[nodiscard]] Result<Nearest> nearest(const NearestQuery& query) const;
  [[nodiscard]] Result<std::uint64_t> count(std::string_view collection) const;
  [[nodiscard]] Freshness freshness() const;
  // Grows with every commit; the same number means the same data.
  [[nodiscard]] std::uint64_t commit_id() const;

  struct Impl;
  explicit Snapshot(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

// Thread-safe. After fork() the child must open its own: an inherited one answers `invalid`.
class TIDEMARK_API Reader {
 public:
  // Errors: invalid (no such cache, not a cache), needs_repair, busy (open_deadline passed while a
  // writer repairs), unsupported (newer format), corrupt.
  [[nodiscard]] static Result<Reader> open(const std::string& path, ReaderOptions options = {});
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // One-shot reads: each sees the newest commit and moves over to a new generation by itself.
  // As Snapshot's.
  [[nodiscard]] Result<Lookup> get(std::string_view collection, std::string_view key) const;
  // Reads bounded slices, one read transaction each, and resumes by key: rows may come from
  // different commits, each row once.
  [[nodiscard]] Result<void> scan(const Query& query,
                                  const std::function<bool(const Row&)>& visit) const;
  [[nodiscard]] Result<Nearest> nearest(const NearestQuery& query) const;
  [[nodiscard]] Result<Freshness> freshness() const;
  [[nodiscard]] Result<Snapshot> snapshot() const;
  // Names of the cached collections.
  [[nodiscard]] Result<std::vector<std::string>> collections() const;

  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

struct Scope {
  std::uint64_t max_episodes_cache = 1000;
  bool sync_patterns = true;
  bool sync_embeddings = true;
  bool operator==(const Scope&) const = default;
};

// Changes that an audit found although the source's log does not name them.
struct MissedByCapture {
  std::chrono::system_clock::time_point found_at;
  std::map<std::string, std::uint64_t> tables;  // how many, by table
};

// All that can be said of a cache without its source.
struct CacheStatus {
  bool exists = false;
  bool readable = false;  // could be opened; when false, `problem` says why
  std::optional<Error> problem;
  std::string path;
  std::string source;      // identity of the source it was filled from
  std::string generation;  // hex
  std::uint32_t format_version = 0;
  Scope scope;
  bool window_complete = false;  // every episode of the source is cached (L = -infinity)
  std::map<std::string, std::uint64_t> counts;  // rows by collection
  std::uint64_t file_bytes = 0;
  // Keys and values of rows and indexes, as of the last commit.
  std::optional<std::uint64_t> live_bytes;
  // nullopt: not known, since CACHE.stats is not there or cannot be written by this process.
  std::optional<ReadCounts> reads;
  std::optional<std::string> holder;  // who holds CACHE.lock now: "pid 123"
  std::vector<std::string> notes;     // what discovery found, as sentences
  std::optional<std::string> last_report_json;
  // When everything was last compared with the source: by a fill (when it was begun, if it was cut
  // short and went on), a scan, a reconcile or an audit.
  std::optional<std::chrono::system_clock::time_point> audited_at;
  // Set: passes read everything, until `tidemark capture install --renew`.
  std::optional<MissedByCapture> missed_by_capture;
  Freshness freshness;
};

// Works even where open fails.
[[nodiscard]] TIDEMARK_API CacheStatus inspect(const std::string& path, ReaderOptions options = {});

struct CacheCheck {
  std::uint64_t rows = 0;
  std::uint64_t index_entries = 0;
  std::vector<std::string> problems;  // empty: intact; the first 20
  // Collections whose sums and indexes were not compared, since passes kept committing meanwhile.
  std::vector<std::string> unjudged;
  bool marked = false;  // the cache itself says now that it needs repair
};
// Checks a cache against itself, in short snapshots: hashes of rows and meta, counts and sums,
// indexes, embeddings without a parent. deep: also redb's own pages (needs the lock). Problems
// are marked in the cache (`needs_repair`) where the lock is free and the file writable.
// Errors: as Reader::open; corrupt (what the cache says of itself is damaged), busy (deep).
[[nodiscard]] TIDEMARK_API Result<CacheCheck> check(const std::string& path, bool deep,
                                                    ReaderOptions options = {});

}  // namespace tidemark
