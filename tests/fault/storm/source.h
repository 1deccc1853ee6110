// A source that the application writes to, and that can go away.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/sqlite_source.h"
#include "tests/support/turso_server.h"

namespace tidemark::storm {

using Listing = std::vector<std::vector<std::string>>;

// One thread.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::string url() const = 0;
  virtual void execute(const std::string& sql) = 0;
  // Each row's cells as text; NULL is "NULL".
  virtual Listing rows(const std::string& sql) = 0;
  // Nobody reaches it in between, the application neither.
  virtual void go_away() = 0;
  virtual void come_back() = 0;
};

// The real server; it is killed to go away.
class ServedSource : public Source {
 public:
  // The database is there already.
  explicit ServedSource(const std::string& path) : server_(path) {}
  [[nodiscard]] std::string url() const override { return server_.url(); }
  void execute(const std::string& sql) override { server_.execute(sql); }
  Listing rows(const std::string& sql) override {
    const auto reply = nlohmann::json::parse(server_.execute(sql));
    Listing out;
    for (const auto& row : reply.at("results").at(0).at("response").at("result").at("rows")) {
      auto& texts = out.emplace_back();
      for (const auto& cell : row) texts.push_back(cell.value("value", "NULL"));
    }
    return out;
  }
  void go_away() override { server_.stop(); }
  void come_back() override { server_.start(); }

 private:
  support::TursoServer server_;
};

// A file that cannot be opened while it is away: a symbolic link to itself is in its place. (To be
// without any file is what a daemon leaves to a person.)
class FileSource : public Source {
 public:
  explicit FileSource(std::string path) : path_(std::move(path)) { open(); }
  [[nodiscard]] std::string url() const override { return "file:" + path_; }
  void execute(const std::string& sql) override { file_->run(sql); }
  Listing rows(const std::string& sql) override { return file_->rows(sql); }
  void go_away() override {
    file_.reset();
    std::filesystem::rename(path_, path_ + ".away");
    std::filesystem::create_symlink(path_, path_);
  }
  void come_back() override {
    std::filesystem::remove(path_);
    std::filesystem::rename(path_ + ".away", path_);
    open();
  }

 private:
  void open() {
    file_ = std::make_unique<support::SqliteSource>(path_);
    file_->run("PRAGMA busy_timeout = 20000; PRAGMA synchronous = OFF");
  }

  const std::string path_;
  std::unique_ptr<support::SqliteSource> file_;
};

}  // namespace tidemark::storm
