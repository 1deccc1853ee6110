// RAII over the redb crate through its C ABI (ffi/tidemark_redb.h). Bytes only; no policy.
// A page that is not the one which was written there is `corrupt`, to a read and to a write; a
// write transaction that met one cannot go on, nor can another before the file is opened anew.
// Fork rule: a handle inherited over fork() answers `invalid` ("inherited over fork") and is
// leaked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidemark/error.h"

struct tdmk_redb_db;
struct tdmk_redb_read;
struct tdmk_redb_write;
struct tdmk_redb_guard;
struct tdmk_redb_buffer;

namespace tidemark::redb {

// The redb type of a table's keys; values are always &[u8].
enum class KeyType : std::uint8_t { text, bytes };

struct TableName {
  std::string_view name;
  KeyType key_type = KeyType::text;
};

// Bytes of a page that stay valid until the guard dies; it holds the page only, never the
// transaction, so a guard kept for long does not make the file grow. Movable between threads.
class Guard {
 public:
  Guard() = default;
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&& other) noexcept;
  ~Guard();
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  friend class ReadTransaction;
  Guard(tdmk_redb_guard* handle, std::string_view bytes) : handle_(handle), bytes_(bytes) {}
  tdmk_redb_guard* handle_ = nullptr;
  std::string_view bytes_;
};

struct Entry {
  std::string_view key;
  std::string_view value;
};

// One slice of a range, copied out in one call; views die with it.
class Slice {
 public:
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  // False when the range ended inside this slice.
  [[nodiscard]] bool more() const { return more_; }

 private:
  friend class ReadTransaction;
  friend class WriteTransaction;
  friend class Values;
  Slice(tdmk_redb_buffer* buffer, std::string_view bytes, bool more);
  struct Free {
    void operator()(tdmk_redb_buffer* buffer) const;
  };
  std::unique_ptr<tdmk_redb_buffer, Free> buffer_;
  std::vector<Entry> entries_;
  bool more_ = false;
};

// Stored values, copied out in one call; views die with it.
class Values {
 public:
  // In the order of the keys; nullopt: no such key.
  [[nodiscard]] const std::vector<std::optional<std::string_view>>& values() const {
    return values_;
  }

 private:
  friend class WriteTransaction;
  Values(tdmk_redb_buffer* buffer, std::string_view bytes, std::size_t count);
  std::unique_ptr<tdmk_redb_buffer, Slice::Free> buffer_;
  std::vector<std::optional<std::string_view>> values_;
};

// A range of keys: [from, to), each end optional; from_exclusive makes it (from, to).
struct Range {
  std::optional<std::string_view> from{};
  std::optional<std::string_view> to{};
  bool from_exclusive = false;
  bool to_inclusive = false;
  bool backward = false;           // from the end of the range downwards
  std::size_t entries_max = 1000;  // a slice ends at either bound, after at least one entry
  std::size_t bytes_max = 1U << 20U;
  bool keys_only = false;  // values come back empty
};

// Thread-safe for concurrent get and scan. Keeps old pages alive: hold it for milliseconds.
class ReadTransaction {
 public:
  ReadTransaction(ReadTransaction&& other) noexcept;
  ReadTransaction& operator=(ReadTransaction&& other) noexcept;
  ~ReadTransaction();
  // A table that does not exist is an empty one.
  [[nodiscard]] Result<std::optional<Guard>> get(TableName table, std::string_view key) const;
  [[nodiscard]] Result<Slice> scan(TableName table, const Range& range) const;
  [[nodiscard]] Result<std::uint64_t> count(TableName table) const;
  // A number that other commits of the file do not have (64 bits of a hash); 0: not known, as in a
  // database that is open for writing.
  [[nodiscard]] std::uint64_t commit() const { return commit_; }

 private:
  friend class Database;
  ReadTransaction(tdmk_redb_read* handle, std::uint64_t commit)
      : handle_(handle), commit_(commit) {}
  tdmk_redb_read* handle_ = nullptr;
  std::uint64_t commit_ = 0;
};

// value == nullopt deletes the key.
struct Change {
  std::string_view key;
  std::optional<std::string_view> value;
};

// Aborts in its destructor. One thread.
class WriteTransaction {
 public:
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction& operator=(WriteTransaction&& other) noexcept;
  ~WriteTransaction();
  // One call for the whole batch, applied in order; ascending runs of keys are fastest.
  [[nodiscard]] Result<void> apply(TableName table, std::span<const Change> changes);
  // Copies the value out.
  [[nodiscard]] Result<std::optional<std::string>> get(TableName table, std::string_view key);
  // Of the first of these keys, at least of one: as many as keep the copy small.
  [[nodiscard]] Result<Values> get_batch(TableName table, std::span<const std::string_view> keys);
  [[nodiscard]] Result<Slice> scan(TableName table, const Range& range);
  [[nodiscard]] Result<std::uint64_t> count(TableName table);
  [[nodiscard]] Result<void> drop_table(TableName table);  // not there: done
  // Durable, but for defer_sync: redb has no other commit while other processes may read
  // (SingleWriter).
  [[nodiscard]] Result<void> commit() &&;

 private:
  friend class Database;
  explicit WriteTransaction(tdmk_redb_write* handle) : handle_(handle) {}
  tdmk_redb_write* handle_ = nullptr;
};

struct OpenOptions {
  enum class Mode { read_only, open_or_create } mode = Mode::read_only;
  std::size_t page_cache_bytes = std::size_t{8} << 20U;
  unsigned file_mode = 0600;                       // for a file that is created
  std::function<bool(double)> on_repair_progress;  // 0..1; false aborts the repair
  bool check_pages = true;  // compare each page that is loaded with the checksum in its parent
  bool defer_sync = false;  // commits outlive the process, not the machine, until sync_commits()
  std::uint64_t fail_after_operations = 0;  // tests only (ffi feature "fault"): 0 = never
};

// Thread-safe; transactions must end before the database is closed.
class Database {
 public:
  // Errors: needs_repair (a reader met the file of a killed writer), busy (another writer),
  // corrupt (redb says so), invalid (not a redb file), no_space, unsupported, internal.
  [[nodiscard]] static Result<Database> open(const std::string& path, OpenOptions options);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  [[nodiscard]] Result<ReadTransaction> begin_read() const;
  [[nodiscard]] Result<WriteTransaction> begin_write();  // read_only: invalid
  // From the next commit on they are durable, with all that was committed before.
  void sync_commits();
  [[nodiscard]] Result<bool> check_integrity();  // true: intact; may repair
  // Closes cleanly; the destructor does the same and drops the error.
  [[nodiscard]] Result<void> close() &&;

 private:
  explicit Database(tdmk_redb_db* handle) : handle_(handle) {}
  tdmk_redb_db* handle_ = nullptr;
};

}  // namespace tidemark::redb
