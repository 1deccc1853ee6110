// The real SQLite database that the model stands beside, and copies of it.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/fault/simulation/model.h"

namespace tidemark::simulation {

// One thread at a time. Its journal is a write-ahead log, so that a pass which holds one snapshot
// does not keep the application from writing. Throws on what should never fail.
class Database {
 public:
  explicit Database(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // False: refused by a constraint, as an application may be; then nothing was written.
  bool run(const std::string& sql, const std::vector<Value>& args = {});
  [[nodiscard]] State read();
  [[nodiscard]] bool has_table(const std::string& name);
  [[nodiscard]] std::vector<std::vector<Value>> rows(const std::string& sql);

  void save_to(const std::string& copy);
  // Everything becomes what it was in `copy`: within the file, or as another file.
  void restore_in_place(const std::string& copy);
  void replace_file(const std::string& copy);

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  using Handle = std::unique_ptr<sqlite3, Close>;

  [[nodiscard]] static Handle open(const std::string& path);
  static void copy(sqlite3* from, sqlite3* to);
  [[nodiscard]] Table read_table(const std::string& name);

  std::string path_;
  Handle db_;
};

}  // namespace tidemark::simulation
