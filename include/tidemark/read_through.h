// Reading through the cache: its answer where it has one, else the source's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tidemark/error.h"
#include "tidemark/export.h"
#include "tidemark/freshness.h"
#include "tidemark/reader.h"

namespace tidemark {

enum class Origin : std::uint8_t { cache, source };

[[nodiscard]] TIDEMARK_API std::string_view to_string(Origin origin);

struct ReadThroughOptions {
  // StalePolicy::serve: what the cache answers is taken, whatever its age. fail: a cache that is
  // not fresh answers nothing, and the source is asked.
  ReaderOptions reader{};
  // For one question to the source, from connecting to the decoded reply. 100 ms to 10 min.
  std::chrono::milliseconds deadline{2'000};
  // Gives the bearer token; called before the first request and once after a 401. Empty: none.
  std::function<Result<std::string>()> token{};
  std::string ca_file{};  // extra CA certificates (PEM); empty: the system's
};

// What was found, where, and as of when.
struct Answer {
  Presence presence = Presence::unknown;
  std::vector<Row> rows;  // of a hit; more than one where the key is in several embedding tables
  Origin origin = Origin::cache;
  // cache: when it was last checked against the source, nullopt: never. source: the clock before
  // the request.
  std::optional<std::chrono::system_clock::time_point> as_of;
  Freshness freshness;  // of the cache, in the same commit as its rows
};

// Thread-safe; questions to the source go one after the other, each under its own deadline. Never
// writes the cache. After fork() the child must open its own: an inherited one answers `invalid`.
class TIDEMARK_API ReadThrough {
 public:
  // Opens the cache and checks the arguments; connects when it first must. `source` as for Syncer.
  // Errors: those of Reader::open; invalid (URL, deadline, a cache of another source).
  [[nodiscard]] static Result<ReadThrough> open(const std::string& source, const std::string& cache,
                                                ReadThroughOptions options = {});
  ReadThrough(ReadThrough&&) noexcept;
  ReadThrough& operator=(ReadThrough&&) noexcept;
  ~ReadThrough();

  // The cache's hit or absent; for its unknown the source's answer, a hit or absent. What the cache
  // proves absent is not asked for (unless the cache may not answer: StalePolicy::fail).
  // `collection` as for Reader::get.
  // Errors: those of Reader::get; of the source unavailable (also at the deadline), rejected,
  // cancelled, invalid; unsupported: the source has the row, and it is one that cannot be cached.
  // The cache's own answer stays to be had: cached().
  [[nodiscard]] Result<Answer> get(std::string_view collection, std::string_view key,
                                   std::stop_token stop = {}) const;
  // The cache's answer alone, unknown included, whatever its age.
  [[nodiscard]] Result<Answer> cached(std::string_view collection, std::string_view key) const;

  struct Impl;
  explicit ReadThrough(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark
