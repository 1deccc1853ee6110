// A real SQLite database that a test writes with plain SQL and asks for the truth.
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace tidemark::support {

class SqliteSource {
 public:
  explicit SqliteSource(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("open " + path);
  }
  ~SqliteSource() { sqlite3_close(db_); }
  SqliteSource(const SqliteSource&) = delete;
  SqliteSource& operator=(const SqliteSource&) = delete;

  void run(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + (message != nullptr ? message : "?"));
    }
  }
  // One bound real, bit for bit.
  void insert(const std::string& sql, double value) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    sqlite3_bind_double(statement, 1, value);
    const int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_));
  }
  // A copy of the database, and that copy over the database, as a backup and its restoration.
  void save_to(const std::string& copy) { run("VACUUM INTO '" + copy + "'"); }
  void restore(const std::string& copy) {
    sqlite3* from = nullptr;
    if (sqlite3_open(copy.c_str(), &from) != SQLITE_OK) throw std::runtime_error("open " + copy);
    sqlite3_backup* const backup = sqlite3_backup_init(db_, "main", from, "main");
    if (backup != nullptr) sqlite3_backup_step(backup, -1);
    const int code = backup != nullptr ? sqlite3_backup_finish(backup) : SQLITE_ERROR;
    sqlite3_close(from);
    if (code != SQLITE_OK) throw std::runtime_error("restore " + copy);
  }
  // An application that writes with triggers off.
  void set_triggers(bool on) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? 1 : 0, nullptr);
  }
  // Each row's cells as text; NULL is "NULL".
  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> out;
    char* message = nullptr;
    const auto collect = [](void* to, int count, char** values, char**) {
      auto& row = static_cast<std::vector<std::vector<std::string>>*>(to)->emplace_back();
      for (int i = 0; i < count; ++i) row.emplace_back(values[i] != nullptr ? values[i] : "NULL");
      return 0;
    };
    if (sqlite3_exec(db_, sql.c_str(), collect, &out, &message) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + (message != nullptr ? message : "?"));
    }
    return out;
  }
  // The first column of each row as text.
  std::vector<std::string> column(const std::string& sql) {
    std::vector<std::string> out;
    for (auto& row : rows(sql)) out.push_back(std::move(row.front()));
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace tidemark::support
