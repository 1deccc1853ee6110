// What a cache says of itself: the table `tidemark:meta`, committed with the rows it describes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/collection.h"
#include "model/record.h"
#include "tidemark/error.h"
#include "tidemark/reader.h"

namespace tidemark::cache {

// 2: records of meta carry their hash, and each kept collection has an index of its keys. 1 is read
// by its own rules, and refilled by the next sync.
inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr const char* kRepairHint = "run `tidemark repair`";

// Small and read with every lookup: one fixed binary record (key "state").
struct State {
  bool hashed = true;  // false: of format 1, whose records have no hash
  std::uint64_t commit_id = 0;
  std::int64_t checked_at_us = 0;  // Unix time; 0: never
  bool window_complete = false;    // L = -infinity
  bool sync_patterns = true;
  bool sync_embeddings = true;
  bool in_doubt = false;
  bool needs_repair = false;
  bool catching_up = false;
  bool consistent = false;
  std::uint64_t skipped = 0;
  std::uint32_t catalog_version = 0;             // grows whenever the catalog record changes
  std::int64_t source_unavailable_since_us = 0;  // 0: available at the last try
  std::uint64_t position = 0;
  std::uint64_t ahead = 0;
  bool operator==(const State&) const = default;
};

// Larger, read once for each catalog_version (key "catalog", JSON).
struct CatalogRecord {
  model::Catalog catalog;
  // Column names by schema id, of every schema that a stored row may have.
  std::map<std::uint32_t, std::vector<std::string>> schemas;
  bool operator==(const CatalogRecord&) const = default;
};

// Read by writers and `inspect` (key "identity", JSON).
struct Identity {
  std::uint32_t format_version = kFormatVersion;
  std::string generation;  // 32 hex digits, random
  std::string source;      // SourceUrl::identity
  Scope scope;
  std::string server_traits;
};

// The lowest kept place, order encoding of (order value, key); empty: L = -infinity.
struct Boundary {
  std::string place;
};

// What the cache knows of the source's change log, beside State's position and ahead. No database
// id: the source is not followed by a log.
struct CaptureRecord {
  std::string database_id;
  std::map<std::string, std::string> epochs;   // of the tables that are followed
  std::optional<std::int64_t> position_nonce;  // of the log row at the position
  std::optional<std::int64_t> ahead_nonce;
  bool operator==(const CaptureRecord&) const = default;
};

// Changes of one table that its log missed, while its triggers had this epoch.
struct MissedTable {
  std::uint64_t changes = 0;
  std::string epoch;
  bool operator==(const MissedTable&) const = default;
};

// When everything was last compared with the source, and what the source's log had missed. Caches
// written before there were audits have no such record: never.
struct AuditRecord {
  std::int64_t ended_at_us = 0;   // Unix time; 0: never
  std::int64_t missed_at_us = 0;  // when the last of `missed` was found
  std::map<std::string, MissedTable> missed;
  bool operator==(const AuditRecord&) const = default;
};

struct TableSum {
  std::uint64_t count = 0;
  std::uint64_t xor_of_hashes = 0;
  std::uint64_t bytes = 0;  // of the rows' keys and values and of their index entries
  bool operator==(const TableSum&) const = default;
};

// Why the source refused the last pass: credentials, rights, TLS. since_us 0: it did not.
struct Refusal {
  std::int64_t since_us = 0;
  std::string reason;
  bool operator==(const Refusal&) const = default;
};

struct Meta {
  Identity identity;
  State state;
  CatalogRecord catalog;
  Boundary boundary;
  CaptureRecord capture;
  // Of the generation that stood at the path when this one's fill began; empty: there was none.
  // Nothing: not known.
  std::optional<std::string> filled_over;
  AuditRecord audit;
  std::map<std::string, TableSum> sums;  // by collection
  std::vector<model::Skipped> skips;     // bounded by kSkipsMax
  std::string doubt;                     // reason; empty: none
  std::string source_unavailable_reason;
  Refusal refusal;
  std::string last_report_json;
};

inline constexpr std::size_t kSkipsMax = 10'000;

// A record as it is stored: XXH3-64 over its name and bytes, then the bytes, so that neither a
// flipped bit nor another record's bytes can pass for it.
[[nodiscard]] std::string seal_record(std::string_view name, std::string_view bytes);
// The bytes of a sealed record; `corrupt` when they do not match their hash.
[[nodiscard]] Result<std::string_view> unseal_record(std::string_view name,
                                                     std::string_view stored);

// Pure codecs. Decoders answer `corrupt` on bytes that they did not write, never crash (fuzzed).
[[nodiscard]] std::string encode_state(const State& state);
[[nodiscard]] Result<State> decode_state(std::string_view bytes);
[[nodiscard]] std::string encode_catalog(const CatalogRecord& record);
[[nodiscard]] Result<CatalogRecord> decode_catalog(std::string_view bytes);
[[nodiscard]] std::string encode_capture(const CaptureRecord& record);
[[nodiscard]] Result<CaptureRecord> decode_capture(std::string_view bytes);
[[nodiscard]] std::string encode_audit(const AuditRecord& record);
[[nodiscard]] Result<AuditRecord> decode_audit(std::string_view bytes);
[[nodiscard]] std::string encode_identity(const Identity& identity);
// A newer format_version is `unsupported`.
[[nodiscard]] Result<Identity> decode_identity(std::string_view bytes);
// Of the record as it is stored, in any format: how an identity is sealed never changes.
[[nodiscard]] Result<Identity> decode_stored_identity(std::string_view stored);
// Which of these keys are skipped, for look-ups: the sorted hashes of their skip_key().
[[nodiscard]] std::string encode_skip_hashes(const std::vector<model::Skipped>& skips);
[[nodiscard]] Result<bool> is_among_skips(std::string_view bytes, std::string_view collection,
                                          std::string_view key);
[[nodiscard]] std::string skip_key(std::string_view collection, std::string_view key);

}  // namespace tidemark::cache
