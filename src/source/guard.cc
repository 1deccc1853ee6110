#include "source/guard.h"

#include <algorithm>
#include <set>

#include "source/capture_names.h"
#include "source/fingerprint.h"

namespace tidemark::source {
namespace {

constexpr const char* kSchemaSql =
    "SELECT s.type, s.name, s.tbl_name, "
    "CASE WHEN substr(s.name, 1, 9) = 'tidemark_' THEN NULL ELSE s.sql END, m.value = s.sql "
    "FROM sqlite_master s LEFT JOIN tidemark_meta m ON m.key = 'schema:' || s.name "
    "WHERE substr(s.name, 1, 7) <> 'sqlite_' ORDER BY s.type, s.name";
constexpr const char* kMetaSql =
    "SELECT key, value FROM tidemark_meta WHERE key < 'schema:' ORDER BY key";
constexpr const char* kHeadSql =
    "SELECT (SELECT max(seq) FROM tidemark_changes), "
    "(SELECT nonce FROM tidemark_changes WHERE seq = ?1), "
    "(SELECT nonce FROM tidemark_changes WHERE seq = ?2), "
    "(SELECT nonce FROM tidemark_changes WHERE seq = (SELECT max(seq) FROM tidemark_changes))";
constexpr std::size_t kSchemaColumns = 5;

constexpr const char* kInstallAgain = "; run `tidemark capture install` again";

struct Table {
  std::string sql;
  bool as_recorded = false;
  bool unique_index = false;
};

// The schema as one guard saw it.
struct Objects {
  std::map<std::string, Table> tables;  // the user's, by name
  std::map<std::string, bool> own;      // tidemark's, by name: as recorded
};

bool is_unique_index(std::string_view type, std::string_view sql) {
  return type == "index" && lower_ascii(sql.substr(0, 13)) == "create unique";
}

// Fills guard.schema, too.
Objects read_objects(const model::RowSet& rows, Guard& guard) {
  Objects objects;
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.row(i);
    const std::string name(row[1].bytes());
    const bool as_recorded = row[4].as_int64() == 1;
    if (name.starts_with(kOwnPrefix)) {
      objects.own[name] = as_recorded;
      continue;
    }
    fingerprint.add(row.first(4));
    if (row[0].bytes() != "table") continue;
    objects.tables[name] = {std::string(row[3].bytes()), as_recorded, false};
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.row(i);
    if (!is_unique_index(row[0].bytes(), row[3].bytes())) continue;
    const auto table = objects.tables.find(std::string(row[2].bytes()));
    if (table != objects.tables.end()) table->second.unique_index = true;
  }
  guard.schema = fingerprint.text();
  return objects;
}

// Empty: it is there as it was installed.
std::string own_trouble(const Objects& objects, const std::string& name) {
  const auto found = objects.own.find(name);
  if (found == objects.own.end()) return name + " is missing" + kInstallAgain;
  return found->second ? std::string() : name + " was changed" + kInstallAgain;
}

std::string log_trouble(const Objects& objects, const Guard& guard) {
  if (guard.version != kCaptureVersion) {
    return "capture is of version " + std::to_string(guard.version) + ", this tidemark knows " +
           std::to_string(kCaptureVersion) +
           (guard.version > kCaptureVersion ? "; upgrade tidemark" : kInstallAgain);
  }
  if (guard.database_id.empty()) return std::string("the database has no id") + kInstallAgain;
  std::vector<std::string_view> names = {kLogTable, kLogIndex, kMetaTable};
  names.insert(names.end(), kLogTriggers.begin(), kLogTriggers.end());
  for (const std::string_view name : names) {
    if (auto trouble = own_trouble(objects, std::string(name)); !trouble.empty()) return trouble;
  }
  return {};
}

std::string table_trouble(const Objects& objects, const std::string& name) {
  const auto table = objects.tables.find(name);
  if (table == objects.tables.end()) return "the table is gone";
  if (table->second.unique_index) {
    return "the table has a UNIQUE index besides its key: a REPLACE through it is seen by no "
           "trigger";
  }
  for (const std::string& trigger : table_triggers(name, table->second.sql)) {
    if (auto trouble = own_trouble(objects, trigger); !trouble.empty()) return trouble;
  }
  return table->second.as_recorded ? std::string()
                                   : std::string("the table was changed") + kInstallAgain;
}

void read_meta(const model::RowSet& rows, Guard& guard) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.row(i);
    const std::string_view key = row[0].bytes();
    if (key == kVersionKey) guard.version = row[1].as_int64();
    if (key == kFloorKey) guard.floor = row[1].as_int64();
    if (key == kDatabaseKey) guard.database_id = row[1].bytes();
    if (key.starts_with(kEpochKey)) {
      guard.epochs[std::string(key.substr(kEpochKey.size()))] = row[1].bytes();
    }
  }
}

std::optional<std::int64_t> integer(ValueView value) {
  if (value.type() != ValueType::int64) return std::nullopt;
  return value.as_int64();
}

std::optional<std::string> other_source(const GuardState& stored, const Guard& now) {
  if (stored.database_id != now.database_id) return "the source is another database than before";
  for (const auto& [table, epoch] : stored.epochs) {
    const auto found = now.epochs.find(table);
    if (found == now.epochs.end()) return "capture of " + table + " was removed";
    if (const auto sick = now.unhealthy.find(table); sick != now.unhealthy.end()) {
      return "capture of " + table + " cannot be trusted: " + sick->second;
    }
    if (found->second != epoch) return "capture of " + table + " was installed anew";
  }
  for (const auto& [table, epoch] : now.epochs) {
    if (!stored.epochs.contains(table) && !now.unhealthy.contains(table)) {
      return "capture of " + table + " was installed";
    }
  }
  return std::nullopt;
}

std::string number(std::int64_t value) { return std::to_string(value); }

std::optional<std::string> other_anchor(const char* what, std::int64_t at,
                                        const std::optional<std::int64_t>& stored,
                                        const std::optional<std::int64_t>& now) {
  const std::string row = "change " + number(at) + ", " + what + ",";
  if (now == stored) return std::nullopt;  // both none: pruned up to it, and known to be
  if (!now) return row + " is no longer in the source's log: the source was restored or pruned";
  return row + " is another one now: the source was restored from a backup, or is a branch";
}

}  // namespace

bool capture_present(const model::RowSet& schema_rows) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (row[0].bytes() == "table") names.insert(row[1].bytes());
  }
  return names.contains(kLogTable) && names.contains(kMetaTable);
}

bool is_capture_gone(const Error& error) {
  const std::string text = lower_ascii(error.source_text);
  return text.find("no such table") != std::string::npos &&
         text.find(kOwnPrefix) != std::string::npos;
}

std::vector<turso::Statement> guard_statements(const GuardRequest& request) {
  const auto seq = [](std::optional<std::int64_t> at) {
    return at.value_or(0) > 0 ? Value(*at) : Value();
  };
  return {
      {kSchemaSql, {}}, {kMetaSql, {}}, {kHeadSql, {seq(request.position), seq(request.ahead)}}};
}

Result<Guard> read_guard(std::span<const model::RowSet> results) {
  if (results.size() < kGuardStatements || results[0].columns().size() != kSchemaColumns ||
      results[1].columns().size() != 2 || results[2].columns().size() != 4 ||
      results[2].size() != 1) {
    return turso::unexpected_reply("how capture is");
  }
  Guard guard;
  const Objects objects = read_objects(results[0], guard);
  read_meta(results[1], guard);
  const auto head = results[2].row(0);
  guard.head = std::max(integer(head[0]).value_or(0), guard.floor);
  guard.anchor_nonce = integer(head[1]);
  guard.ahead_nonce = integer(head[2]);
  if (integer(head[0]).value_or(0) == guard.head) guard.head_nonce = integer(head[3]);
  guard.log_trouble = log_trouble(objects, guard);
  for (const auto& [table, epoch] : guard.epochs) {
    const std::string trouble =
        guard.log_trouble.empty() ? table_trouble(objects, table) : guard.log_trouble;
    if (!trouble.empty()) guard.unhealthy[table] = trouble;
  }
  return guard;
}

GuardRequest guard_request(const GuardState& state) {
  GuardRequest request{state.position, std::nullopt};
  if (state.ahead > state.position) request.ahead = state.ahead;
  return request;
}

bool is_behind(const GuardState& stored, const Guard& now) {
  return stored.database_id == now.database_id &&
         now.head < std::max(stored.position, stored.ahead);
}

std::optional<std::string> doubt(const GuardState& stored, const Guard& now) {
  if (auto reason = other_source(stored, now)) return reason;
  if (now.head < std::max(stored.position, stored.ahead)) {
    return "the source's log ends at change " + number(now.head) + ", though change " +
           number(std::max(stored.position, stored.ahead)) +
           " was seen: the source was restored from a backup";
  }
  if (stored.position < now.floor) {
    return "changes up to " + number(now.floor) + " were pruned, and the cache is at " +
           number(stored.position);
  }
  if (stored.position > 0) {
    auto reason = other_anchor("the cache's position", stored.position, stored.position_nonce,
                               now.anchor_nonce);
    if (reason) return reason;
  }
  if (stored.ahead <= stored.position) return std::nullopt;
  return other_anchor("up to which rows were read", stored.ahead, stored.ahead_nonce,
                      now.ahead_nonce);
}

}  // namespace tidemark::source
