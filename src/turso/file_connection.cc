// The only user of sqlite3. A batch runs inside poll(), on the caller's thread.
#include "turso/file_connection.h"

#include <poll.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>

namespace tidemark::turso {
namespace {

// A writer's commit takes milliseconds; one that holds its lock for longer is stuck. What is tried
// again after that wait does not wait again: three tries took 16 s.
constexpr std::chrono::milliseconds kBusyMax{5'000};
constexpr int kBusyStepMs = 5;
constexpr std::string_view kReadableHint = "check that the file and its folder can be read";
constexpr int kProgressSteps = 20'000;  // about a millisecond of work between looks at the clock

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

Result<FileIdentity> identify(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR) {
      return fail(ErrorCode::invalid, "no database at " + path, std::string(kFileHint));
    }
    return fail(ErrorCode::unavailable, "open " + path + ": " + std::strerror(why),
                std::string(kReadableHint));
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::invalid, path + " is not a file", std::string(kFileHint));
  }
  return FileIdentity{info.st_dev, info.st_ino};
}

std::unexpected<Error> sqlite_error(sqlite3* db, int code, const std::string& operation) {
  const std::string text = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      return fail(ErrorCode::unsupported, operation + ": not an SQLite database",
                  std::string(kFileHint), text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::unavailable, operation + ": the database is locked",
                  "another program holds a write lock on it; try again", text);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return fail(ErrorCode::unavailable, operation + ": " + text, std::string(kReadableHint),
                  text);
    case SQLITE_CORRUPT:
      return fail(ErrorCode::unavailable, operation + ": the source database is damaged",
                  "check it with `sqlite3 FILE 'PRAGMA integrity_check'`", text);
    case SQLITE_INTERRUPT:
      return fail(ErrorCode::cancelled, operation + ": interrupted");
    case SQLITE_TOOBIG:
      return fail(ErrorCode::invalid, operation + ": a row is too large", {}, "RESPONSE_TOO_LARGE");
    case SQLITE_NOMEM:
      return fail(ErrorCode::internal, operation + ": out of memory",
                  "give the process more memory, or a smaller max_episodes_cache", text);
    default:
      return fail(ErrorCode::invalid, operation + ": " + text, {}, text);
  }
}

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, index, v); }
    int operator()(double v) const { return sqlite3_bind_double(statement, index, v); }
    int operator()(const std::string& v) const {
      return sqlite3_bind_text64(statement, index, v.data(), v.size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8);
    }
    int operator()(const Blob& v) const {
      return sqlite3_bind_blob64(statement, index, v.bytes.data(), v.bytes.size(),
                                 SQLITE_TRANSIENT);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

ValueView cell_of(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return std::string_view(static_cast<const char*>(data), size);
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return ValueView::int64(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return ValueView::real(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return ValueView::text(bytes(sqlite3_column_text(statement, column)));
    case SQLITE_BLOB:
      return ValueView::blob(bytes(sqlite3_column_blob(statement, column)));
    default:
      return ValueView::null();
  }
}

class FileConnection final : public Connection {
 public:
  FileConnection(std::string path, const ConnectOptions& options)
      : path_(std::move(path)),
        writable_(options.writable),
        request_timeout_(options.request_timeout),
        reply_bytes_max_(options.reply_bytes_max) {}

  Result<void> open() {
    auto identity = identify(path_);
    if (!identity) return std::unexpected(std::move(identity).error());
    sqlite3* raw = nullptr;
    const int mode = writable_ ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(path_.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX, nullptr);
    Database db(raw);
    if (code != SQLITE_OK) return sqlite_error(raw, code, "open " + path_);
    sqlite3_busy_handler(raw, &FileConnection::on_busy, this);
    sqlite3_progress_handler(raw, kProgressSteps, &FileConnection::on_progress, this);
    // The first read finds out whether it is a database at all. A locked one is waited for by the
    // first batch, which has a deadline and can be woken.
    const int read =
        sqlite3_exec(raw, "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
    const bool locked = (read & 0xFF) == SQLITE_BUSY;
    if (read != SQLITE_OK && !locked) return sqlite_error(raw, read, "read " + path_);
    db_ = std::move(db);
    identity_ = *identity;
    return {};
  }

  Ticket start(Batch batch) override {
    queue_.push_back({++last_ticket_, std::move(batch)});
    return last_ticket_;
  }

  std::optional<Completion> poll(std::chrono::steady_clock::time_point deadline) override {
    if (woken_.exchange(false)) return std::nullopt;
    if (queue_.empty()) {
      std::unique_lock lock(mutex_);
      wakes_.wait_until(lock, deadline, [this] { return woken_.exchange(false); });
      return std::nullopt;
    }
    auto [ticket, batch] = std::move(queue_.front());
    queue_.pop_front();
    deadline_ = std::min(deadline, std::chrono::steady_clock::now() + request_timeout_);
    ++usage_.requests;
    auto reply = execute(batch);
    if (!reply && reply.error().code == ErrorCode::cancelled && !woken_.exchange(false)) {
      reply = fail(ErrorCode::unavailable, "read " + path_ + ": the deadline passed");
    }
    return Completion{ticket, [reply = std::move(reply)]() mutable { return std::move(reply); }};
  }

  void cancel_all() override { queue_.clear(); }
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    wakes_.notify_all();
  }
  [[nodiscard]] std::size_t in_flight() const override { return queue_.size(); }
  [[nodiscard]] std::size_t capacity() const override { return 1; }

  Result<bool> hold_snapshot() override {
    TIDEMARK_ASSIGN(now, identify(path_));
    if (now != identity_) TIDEMARK_TRY(open());
    deadline_ = std::chrono::steady_clock::now() + request_timeout_;
    TIDEMARK_TRY(command("BEGIN"));
    held_ = true;
    return true;
  }

  void release_snapshot() override {
    if (!held_) return;
    held_ = false;
    // Nothing to lose: the transaction only read.
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  [[nodiscard]] std::string name() const override { return "file:" + path_; }
  [[nodiscard]] Usage usage() const override { return usage_; }
  [[nodiscard]] ServerTraits traits() const override { return {}; }

 private:
  struct Queued {
    Ticket ticket;
    Batch batch;
  };

  // Waits for another program's write lock, but never on after a wake or the deadline.
  static int on_busy(void* self, int calls) {
    auto* const connection = static_cast<FileConnection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (calls == 0) connection->busy_since_ = now;
    if (now - connection->busy_since_ > kBusyMax) connection->stuck_ = true;
    const bool enough = connection->woken_ || now > connection->deadline_ || connection->stuck_;
    if (!enough) ::poll(nullptr, 0, kBusyStepMs);
    return enough ? 0 : 1;
  }

  static int on_progress(void* self) {
    auto* const connection = static_cast<FileConnection*>(self);
    return connection->woken_ || std::chrono::steady_clock::now() > connection->deadline_ ? 1 : 0;
  }

  // Under the caller's deadline_.
  Result<void> command(const char* sql) {
    const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(db_.get(), code, sql);
    return {};
  }

  Result<BatchReply> execute(const Batch& batch) {
    const bool own_transaction = !held_;
    if (own_transaction) TIDEMARK_TRY(command(writable_ ? "BEGIN IMMEDIATE" : "BEGIN"));
    BatchReply reply;
    Result<void> outcome;
    for (const Statement& statement : batch.statements) {
      outcome = execute(statement, reply.results.emplace_back(), reply.body_bytes);
      if (!outcome) break;
    }
    if (outcome && own_transaction && writable_) outcome = command("COMMIT");
    // Ends a transaction that only read, or that failed.
    if (own_transaction) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    if (!outcome) return std::unexpected(std::move(outcome).error());
    return reply;
  }

  Result<void> execute(const Statement& statement, model::RowSet& rows, std::uint64_t& bytes) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(db_.get(), statement.sql.data(),
                                  static_cast<int>(statement.sql.size()), &raw, nullptr);
    const Prepared prepared(raw);
    if (code != SQLITE_OK) return sqlite_error(db_.get(), code, "read " + path_);
    for (std::size_t i = 0; i < statement.args.size(); ++i) {
      code = bind_value(raw, static_cast<int>(i + 1), statement.args[i]);
      if (code != SQLITE_OK) return sqlite_error(db_.get(), code, "bind a value");
    }
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(sqlite3_column_count(raw)));
    for (int c = 0; c < sqlite3_column_count(raw); ++c)
      names.emplace_back(sqlite3_column_name(raw, c));
    std::vector<ValueView> cells(names.size());
    rows.set_columns(std::move(names));
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
      for (std::size_t c = 0; c < cells.size(); ++c) {
        cells[c] = cell_of(raw, static_cast<int>(c));
        bytes += cells[c].bytes().size() + sizeof(std::int64_t);
      }
      if (bytes > reply_bytes_max_) {
        return fail(ErrorCode::invalid, "the reply is too large", {}, "RESPONSE_TOO_LARGE");
      }
      rows.add(cells);
    }
    if (code != SQLITE_DONE) return sqlite_error(db_.get(), code, "read " + path_);
    stuck_ = false;
    return {};
  }

  const std::string path_;
  const bool writable_;
  const std::chrono::milliseconds request_timeout_;
  const std::size_t reply_bytes_max_;
  Database db_;
  FileIdentity identity_;
  bool held_ = false;
  Ticket last_ticket_ = 0;
  std::deque<Queued> queue_;
  Usage usage_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point busy_since_;
  bool stuck_ = false;  // waited for a lock in vain, and nothing was read since
  std::mutex mutex_;    // with wakes_, for a poll that has nothing to run
  std::condition_variable wakes_;
  std::atomic<bool> woken_ = false;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_file(const std::string& path,
                                              const ConnectOptions& options) {
  auto connection = std::make_unique<FileConnection>(path, options);
  TIDEMARK_TRY(connection->open());
  return connection;
}

}  // namespace tidemark::turso
