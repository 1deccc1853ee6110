#include "redb/database.h"

#include "redb/calls.h"

namespace tidemark::redb {
namespace {

bool forward_progress(void* context, double progress) {
  return (*static_cast<std::function<bool(double)>*>(context))(progress);
}

}  // namespace

Result<Database> Database::open(const std::string& path, OpenOptions options) {
  const bool write = options.mode == OpenOptions::Mode::open_or_create;
  tdmk_redb_db* db = nullptr;
  tdmk_redb_error* error = nullptr;
  const int code = tdmk_redb_open(
      path.data(), path.size(), write, options.page_cache_bytes, options.file_mode,
      options.on_repair_progress ? forward_progress : nullptr, &options.on_repair_progress,
      options.check_pages, options.defer_sync, options.fail_after_operations, &db, &error);
  if (code != TDMK_REDB_OK) return failed("open " + path, error);
  return Database(db);
}

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}
Database::~Database() {
  if (handle_ != nullptr) tdmk_redb_close(handle_, nullptr);
}

Result<ReadTransaction> Database::begin_read() const {
  tdmk_redb_read* read = nullptr;
  std::uint64_t commit = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_begin_read(handle_, &read, &commit, &error) != TDMK_REDB_OK) {
    return failed("begin a read", error);
  }
  return ReadTransaction(read, commit);
}

Result<WriteTransaction> Database::begin_write() {
  tdmk_redb_write* write = nullptr;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_begin_write(handle_, &write, &error) != TDMK_REDB_OK) {
    return failed("begin a write", error);
  }
  return WriteTransaction(write);
}

void Database::sync_commits() { tdmk_redb_sync_commits(handle_); }

Result<bool> Database::check_integrity() {
  bool intact = false;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_check_integrity(handle_, &intact, &error) != TDMK_REDB_OK) {
    return failed("check integrity", error);
  }
  return intact;
}

Result<void> Database::close() && {
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_close(std::exchange(handle_, nullptr), &error) != TDMK_REDB_OK) {
    return failed("close", error);
  }
  return {};
}

}  // namespace tidemark::redb
