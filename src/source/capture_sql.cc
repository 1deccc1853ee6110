// Rules that these statements keep, each of which a server broke otherwise:
//   no conflict clause inside a trigger: SQLite puts the outer statement's in its place, so that an
//     application's upsert would fail and its UPDATE OR IGNORE go unrecorded;
//   only keys that are not NULL, else the application's own write would fail;
//   + before a key: it is compared as the value it is, through the log's index.
#include "source/capture_sql.h"

#include <algorithm>

#include "source/capture_names.h"
#include "source/quoting.h"

namespace tidemark::source {
namespace {

constexpr const char* kCreateLog =
    "CREATE TABLE tidemark_changes(seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, "
    "id NOT NULL, nonce INTEGER NOT NULL)";

constexpr const char* kGuardInsert =
    "CREATE TRIGGER tidemark_log_insert BEFORE INSERT ON tidemark_changes "
    "WHEN NEW.seq IS NOT NULL AND NEW.seq <> -1 BEGIN SELECT RAISE(IGNORE); END";
constexpr const char* kGuardUpdate =
    "CREATE TRIGGER tidemark_log_update BEFORE UPDATE ON tidemark_changes "
    "BEGIN SELECT RAISE(IGNORE); END";
constexpr const char* kGuardDelete =
    "CREATE TRIGGER tidemark_log_delete BEFORE DELETE ON tidemark_changes "
    "WHEN OLD.seq > coalesce((SELECT value FROM tidemark_meta WHERE key = 'floor'), 0) "
    "AND NOT EXISTS (SELECT 1 FROM tidemark_changes "
    "WHERE tbl = OLD.tbl AND id = OLD.id AND seq > OLD.seq) BEGIN SELECT RAISE(IGNORE); END";

std::string set_meta(const std::string& key, const std::string& value) {
  return "INSERT OR REPLACE INTO tidemark_meta(key, value) VALUES(" + quote_text(key) + ", " +
         value + ")";
}

std::string record_schema(const std::string& condition) {
  return "INSERT OR REPLACE INTO tidemark_meta(key, value) SELECT 'schema:' || name, sql "
         "FROM sqlite_master WHERE " +
         condition;
}

// Quoted only where it must be: while a trigger's table is quoted, Turso 0.6 refuses every ALTER
// TABLE
// ... RENAME of the whole database. No name that starts as ours do is a keyword.
std::string table_name(const std::string& table) {
  const bool plain = std::ranges::all_of(table, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return plain ? table : quote_name(table);
}

std::string trigger(const std::string& name, const std::string& event, const std::string& table,
                    const std::string& rest) {
  return "CREATE TRIGGER " + quote_name(name) + " " + event + " ON " + table_name(table) + " " +
         rest;
}

// The triggers of one table.
struct Writer {
  std::string tbl;  // as a literal
  std::string key;  // quoted
  std::int64_t keep;

  [[nodiscard]] std::string append(const std::string& side) const {
    return "INSERT INTO tidemark_changes(tbl, id, nonce) VALUES(" + tbl + ", " + side + "." + key +
           ", random()); ";
  }
  // The item's changes that are far behind its newest.
  [[nodiscard]] std::string trim(const std::string& side) const {
    return "DELETE FROM tidemark_changes WHERE tbl = " + tbl + " AND id = +" + side + "." + key +
           " AND seq <= (SELECT max(seq) FROM tidemark_changes) - " + std::to_string(keep) + "; ";
  }
  [[nodiscard]] std::string not_null(const std::string& side) const {
    return side + "." + key + " IS NOT NULL";
  }
  // Rows that a REPLACE removes though their keys are spelled otherwise.
  [[nodiscard]] std::string append_alike(const std::string& table) const {
    return "INSERT INTO tidemark_changes(tbl, id, nonce) SELECT " + tbl + ", " + key +
           ", random() FROM " + table + " WHERE " + key + " = NEW." + key + " AND " + key +
           " COLLATE BINARY IS NOT NEW." + key + "; ";
  }
};

}  // namespace

std::string drop_trigger(std::string_view name) {
  return "DROP TRIGGER IF EXISTS " + quote_name(name);
}

std::vector<std::string> create_log(const std::string& database_id) {
  const std::string id =
      database_id.empty() ? "lower(hex(randomblob(16)))" : quote_text(database_id);
  return {
      drop_trigger(kLogTriggers[0]), drop_trigger(kLogTriggers[1]), drop_trigger(kLogTriggers[2]),
      "DROP INDEX IF EXISTS tidemark_changes_item", "DROP TABLE IF EXISTS tidemark_changes",
      "DROP TABLE IF EXISTS tidemark_meta", kCreateLog,
      "CREATE INDEX tidemark_changes_item ON tidemark_changes(tbl, id)",
      "CREATE TABLE tidemark_meta(key TEXT PRIMARY KEY, value)",
      set_meta(std::string(kDatabaseKey), id), set_meta(std::string(kFloorKey), "0"),
      // A client that synchronises whole tables would push its own copy of the log by primary key.
      // A key that was not given shows as NULL or as -1.
      kGuardInsert, kGuardUpdate, kGuardDelete,
      record_schema("name IN ('tidemark_changes', 'tidemark_changes_item', 'tidemark_meta', "
                    "'tidemark_log_insert', 'tidemark_log_update', 'tidemark_log_delete')"),
      // The log's first row, so that every position has an anchor. Where it did not go in, the
      // guard above ignores what it should let through: then there is no version, and no capture.
      "INSERT INTO tidemark_changes(tbl, id, nonce) VALUES('tidemark', 'install', random())",
      "INSERT INTO tidemark_meta(key, value) SELECT 'capture_version', " +
          std::to_string(kCaptureVersion) +
          " WHERE EXISTS (SELECT 1 FROM tidemark_changes WHERE tbl = 'tidemark')"};
}

std::vector<std::string> create_table_triggers(const std::string& table, const std::string& key,
                                               std::string_view table_sql, std::int64_t keep) {
  const Writer w{quote_text(table), quote_name(key), keep};
  const auto names = table_triggers(table, table_sql);
  const std::string renamed =
      w.not_null("OLD") + " AND OLD." + w.key + " COLLATE BINARY IS NOT NEW." + w.key;
  std::vector<std::string> statements;
  statements.reserve(2 * names.size());
  for (const std::string& name : names) statements.push_back(drop_trigger(name));
  // One INSERT ... VALUES each: for INSERT ... SELECT Turso 0.6 makes a temporary file every time.
  const std::vector<std::string> create = {
      trigger(names[0], "AFTER INSERT", table,
              "WHEN " + w.not_null("NEW") + " BEGIN " + w.append("NEW") + w.trim("NEW") + "END"),
      trigger(names[1], "AFTER UPDATE", table,
              "WHEN " + w.not_null("NEW") + " BEGIN " + w.append("NEW") + w.trim("NEW") + "END"),
      trigger(names[2], "AFTER UPDATE", table,
              "WHEN " + renamed + " BEGIN " + w.append("OLD") + "END"),
      trigger(names[3], "AFTER DELETE", table,
              "WHEN " + w.not_null("OLD") + " BEGIN " + w.append("OLD") + w.trim("OLD") + "END")};
  statements.insert(statements.end(), create.begin(), create.end());
  if (names_collation(table_sql)) {
    const std::string body = "BEGIN " + w.append_alike(table_name(table)) + "END";
    statements.push_back(trigger(names[4], "BEFORE INSERT", table, body));
    statements.push_back(trigger(names[5], "BEFORE UPDATE", table, body));
  }
  return statements;
}

std::vector<std::string> record_table(const std::string& table, std::string_view table_sql) {
  std::string triggers;
  for (const std::string& name : table_triggers(table, table_sql)) {
    triggers += (triggers.empty() ? "" : ", ") + quote_text(name);
  }
  return {set_meta(std::string(kEpochKey) + table, "lower(hex(randomblob(8)))"),
          record_schema("(type = 'table' AND name = " + quote_text(table) +
                        ") OR (type = 'trigger' AND name IN (" + triggers + "))")};
}

std::vector<std::string> forget_table(const std::string& table) {
  return {"DELETE FROM tidemark_meta WHERE key IN (" + quote_text(std::string(kEpochKey) + table) +
          ", " + quote_text(std::string(kSchemaKey) + table) + ")"};
}

std::vector<std::string> prune_to(std::int64_t floor) {
  const std::string at = std::to_string(floor);
  return {"UPDATE tidemark_meta SET value = " + at + " WHERE key = 'floor' AND value < " + at,
          "DELETE FROM tidemark_changes WHERE seq < " + at};
}

}  // namespace tidemark::source
