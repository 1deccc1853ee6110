#include "tests/fault/simulation/database.h"

#include <filesystem>
#include <stdexcept>

#include "tests/fault/simulation/scope_model.h"

namespace tidemark::simulation {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

[[noreturn]] void stop(sqlite3* db, const std::string& what) {
  throw std::runtime_error(what + ": " + sqlite3_errmsg(db));
}

Statement prepare(sqlite3* db, const std::string& sql, const std::vector<Value>& args) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) stop(db, sql);
  Statement statement(raw);
  for (int i = 0; i < static_cast<int>(args.size()); ++i) {
    const Value& value = args[static_cast<std::size_t>(i)];
    if (const auto* const whole = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(raw, i + 1, *whole);
    } else if (const auto* const real = std::get_if<double>(&value)) {
      sqlite3_bind_double(raw, i + 1, *real);
    } else if (const auto* const text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text64(raw, i + 1, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (const auto* const blob = std::get_if<Blob>(&value)) {
      sqlite3_bind_blob64(raw, i + 1, blob->bytes.data(), blob->bytes.size(), SQLITE_TRANSIENT);
    }
  }
  return statement;
}

Value cell(sqlite3_stmt* row, int column) {
  const auto bytes = [&](const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT:
      return bytes(sqlite3_column_text(row, column));
    case SQLITE_BLOB:
      return Blob{bytes(sqlite3_column_blob(row, column))};
    default:
      return std::monostate{};
  }
}

}  // namespace

Database::Handle Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(path.c_str(), &raw);
  Handle db(raw);
  if (code != SQLITE_OK) stop(raw, "open " + path);
  sqlite3_busy_timeout(raw, 10'000);
  sqlite3_exec(raw, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  return db;
}

Database::Database(std::string path) : path_(std::move(path)), db_(open(path_)) {
  run("PRAGMA journal_mode=WAL");
}

bool Database::run(const std::string& sql, const std::vector<Value>& args) {
  const Statement statement = prepare(db_.get(), sql, args);
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement.get());
  if (code != SQLITE_DONE && code != SQLITE_CONSTRAINT && code != SQLITE_MISMATCH) {
    stop(db_.get(), sql);
  }
  return code == SQLITE_DONE;
}

std::vector<std::vector<Value>> Database::rows(const std::string& sql) {
  const Statement statement = prepare(db_.get(), sql, {});
  std::vector<std::vector<Value>> out;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    auto& row = out.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      row.push_back(cell(statement.get(), i));
    }
  }
  if (code != SQLITE_DONE) stop(db_.get(), sql);
  return out;
}

Table Database::read_table(const std::string& name) {
  Table table;
  for (const auto& column : rows("PRAGMA table_info(\"" + name + "\")")) {
    if (std::get<std::int64_t>(column[5]) > 0) table.key_column = table.columns.size();
    table.columns.push_back({std::get<std::string>(column[1]), std::get<std::string>(column[2])});
  }
  for (auto& cells : rows("SELECT * FROM \"" + name + "\" ORDER BY rowid")) {
    table.rows.push_back({std::move(cells), {}, false, kInvalidRow, kInvalidRow});
  }
  table.settle(kind_of(name) == "embeddings");
  return table;
}

State Database::read() {
  State state;
  for (const auto& row : rows("SELECT name FROM sqlite_master WHERE type = 'table'")) {
    const std::string& name = std::get<std::string>(row[0]);
    if (!kind_of(name).empty()) state[name] = std::make_shared<Table>(read_table(name));
  }
  return state;
}

bool Database::has_table(const std::string& name) {
  return !rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '" + name + "'")
              .empty();
}

void Database::copy(sqlite3* from, sqlite3* to) {
  sqlite3_backup* const backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) stop(to, "copy");
  int code = SQLITE_BUSY;
  while (code == SQLITE_BUSY || code == SQLITE_LOCKED) code = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) stop(to, "copy");
}

void Database::save_to(const std::string& path) {
  const Handle to = open(path);
  copy(db_.get(), to.get());
}

void Database::restore_in_place(const std::string& path) {
  const Handle from = open(path);
  copy(from.get(), db_.get());
}

void Database::replace_file(const std::string& path) {
  const std::string next = path_ + ".next";
  {
    Database made(next);
    made.restore_in_place(path);
  }
  db_.reset();
  for (const char* const suffix : {"-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  std::filesystem::rename(next, path_);
  db_ = open(path_);
}

}  // namespace tidemark::simulation
