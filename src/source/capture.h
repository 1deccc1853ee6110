// Change capture at the source: what is there, and the SQL that installs, prunes or removes it.
// Pure; sync/capture_admin drives it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/row_set.h"
#include "source/guard.h"
#include "tidemark/error.h"
#include "turso/connection.h"

namespace tidemark::source {

// A table that discovery would cache.
struct CaptureTable {
  std::string name;
  std::string key;      // its column; empty where there is no usable one
  std::string sql;      // as the schema has it
  std::string refusal;  // why it stays in scan mode; empty: its changes can be captured
};

struct CaptureSurvey {
  std::vector<CaptureTable> tables;   // in the order of the catalog
  std::vector<std::string> triggers;  // capture's, whatever their state
  bool has_log = false;
  bool has_meta = false;
  std::optional<Guard> guard;         // where log and meta can be read
  std::optional<std::int64_t> first;  // the oldest change that the log has

  // Log, meta and their triggers are there as installed; tables may still lack theirs.
  [[nodiscard]] bool log_works() const { return guard && guard->log_trouble.empty(); }
  [[nodiscard]] bool has_anything() const { return has_log || has_meta || !triggers.empty(); }
};

// A survey asks in three batches.
// 1. Every object of the schema but SQLite's own.
[[nodiscard]] turso::Statement objects_statement();
// 2. The tables in detail. A missing `episodes` is `invalid` and lists the tables found.
[[nodiscard]] Result<turso::Batch> tables_batch(const model::RowSet& objects);
[[nodiscard]] Result<CaptureSurvey> read_tables(const model::RowSet& objects,
                                                const turso::BatchReply& reply);
// 3. Where the survey so far has log and meta. `invalid` means that they are not as installed.
[[nodiscard]] turso::Batch log_batch();
[[nodiscard]] Result<void> read_log(const turso::BatchReply& reply, CaptureSurvey& survey);
// Apart, since not every server answers it: a journal in which triggers are not to be relied on.
[[nodiscard]] turso::Statement journal_statement();
void read_journal(const model::RowSet& rows, CaptureSurvey& survey);

// What has to be run, in order and in one transaction; none: nothing is to do. Idempotent; heals
// what is half there; a table gets a new epoch whenever any of its triggers is created.
// `keep`: see kLogKeep; `renew`: healthy tables get a new epoch, too. Errors: unsupported (a newer
// capture; no table can be captured).
[[nodiscard]] Result<std::vector<std::string>> install_statements(const CaptureSurvey& survey,
                                                                  std::int64_t keep,
                                                                  bool renew = false);
// Leaves nothing but SQLite's sqlite_sequence.
[[nodiscard]] std::vector<std::string> remove_statements(const CaptureSurvey& survey);
// Transactions, each of which raises the floor and deletes below it, down to the newest `keep`
// changes; none: nothing is to do.
[[nodiscard]] std::vector<std::vector<std::string>> prune_transactions(const CaptureSurvey& survey,
                                                                       std::int64_t keep);

}  // namespace tidemark::source
