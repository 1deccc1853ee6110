// The same database twice: in SQLite's own hands, and in the real server's.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/turso_server.h"

struct sqlite3;

namespace tidemark::differential {

// Cells as text that tells class and bits apart: "null", "i:5", "r:0x1p+0", "t:6162", "b:00ff".
using Cells = std::vector<std::string>;
using Rows = std::vector<Cells>;

[[nodiscard]] std::string quoted_name(const std::string& name);
[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::string unhex(std::string_view digits);
[[nodiscard]] std::string real_cell(double value);

// Where a source's words are run. One thread.
class Side {
 public:
  virtual ~Side() = default;
  [[nodiscard]] virtual std::string url() const = 0;
  // Each on its own, in order; what each was refused with, "" where it was not.
  virtual std::vector<std::string> execute(const std::vector<std::string>& statements) = 0;
  // `columns` of every row; `tail` is what comes behind the table's name.
  Rows rows(const std::string& table, const std::vector<std::string>& columns,
            const std::string& tail);

 protected:
  // JSON as Hrana has it, of one statement: [[{"type":...,"value":...}]].
  struct Plain {
    std::string type;
    std::string value;
  };
  virtual std::vector<std::vector<Plain>> ask(const std::string& sql) = 0;
};

class FileSide : public Side {
 public:
  explicit FileSide(std::string path);
  ~FileSide() override;
  FileSide(const FileSide&) = delete;
  FileSide& operator=(const FileSide&) = delete;
  [[nodiscard]] std::string url() const override { return "file:" + path_; }
  std::vector<std::string> execute(const std::vector<std::string>& statements) override;

 private:
  std::vector<std::vector<Plain>> ask(const std::string& sql) override;

  std::string path_;
  sqlite3* db_ = nullptr;
};

// The server closed the connection instead of answering.
struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ServerSide : public Side {
 public:
  explicit ServerSide(const std::string& path) : server_(path) {}
  [[nodiscard]] std::string url() const override { return server_.url(); }
  std::vector<std::string> execute(const std::vector<std::string>& statements) override;

 private:
  std::vector<std::vector<Plain>> ask(const std::string& sql) override;
  std::string post(const std::vector<std::string>& statements);

  support::TursoServer server_;
};

}  // namespace tidemark::differential
