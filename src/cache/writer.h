// The one writer of a cache file: rows, indexes, sums and meta in the same redb transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/meta.h"
#include "model/record.h"
#include "tidemark/error.h"

namespace tidemark::cache {

struct WriterOptions {
  // More made no fill quicker, of 26 MB or of 240 MB: the system keeps the pages, too.
  std::size_t page_cache_bytes = std::size_t{8} << 20U;
  unsigned file_mode = 0600;
  // Asked a few times a second by what takes long: the repair of a killed writer's file, a merge of
  // index runs, packing. False ends it; a merge and packing are `cancelled` then.
  std::function<bool()> keep_going = [] { return true; };
  std::uint64_t fail_after_operations = 0;  // tests only
};

// Opening for writing changes a file, so one that is not ours to write is told before. nullopt: it
// cannot be read as it is, and the open for writing repairs it or says what is wrong. Errors:
// invalid (no cache of ours), unsupported (newer format), corrupt.
[[nodiscard]] Result<std::optional<Identity>> peek_identity(const std::string& path);

// All of it, where the file can be read as it is; the open for writing says what else is wrong.
[[nodiscard]] std::optional<Meta> peek_meta(const std::string& path);

// A row ready to be stored: encoded and hashed before any write transaction opens.
struct EncodedRow {
  std::string key;
  std::string bytes;  // row format
};
[[nodiscard]] EncodedRow encode_record(const model::Collection& collection,
                                       const model::Record& record);

enum class PutOutcome : std::uint8_t { inserted, updated, unchanged };

// One thread. Aborts unless committed; the file is as it was.
class WriteSession {
 public:
  WriteSession(WriteSession&&) noexcept;
  WriteSession& operator=(WriteSession&&) noexcept;
  ~WriteSession();

  // Stores rows with their index entries, sums kept. Sorts a copy of the order itself. For each row
  // (in the given order) one outcome; an equal row writes nothing.
  [[nodiscard]] Result<std::vector<PutOutcome>> put(const model::Collection& collection,
                                                    std::span<const EncodedRow> rows);
  // Deletes rows with their index entries; false where there was none.
  [[nodiscard]] Result<std::vector<bool>> remove(const model::Collection& collection,
                                                 std::span<const std::string> keys);
  // Removes a whole collection: data, indexes, sum; returns how many rows it had.
  [[nodiscard]] Result<std::uint64_t> drop(const model::Collection& collection);

  // Reads of what is stored, this session's own writes included.
  [[nodiscard]] Result<bool> contains(std::string_view collection, std::string_view key);
  struct PlaceEntry {
    std::string place;  // encoded
    std::string key;
  };
  // Entries of the newest-first index strictly below `below` (empty: from the top), newest first.
  [[nodiscard]] Result<std::vector<PlaceEntry>> newest(const model::Collection& episodes,
                                                       std::string_view below, std::size_t limit);
  // The same from the other end: the oldest, oldest first.
  [[nodiscard]] Result<std::vector<PlaceEntry>> oldest(const model::Collection& episodes,
                                                       std::size_t limit);
  // Keys after `after`, ascending by bytes.
  [[nodiscard]] Result<std::vector<std::string>> keys(std::string_view collection,
                                                      std::optional<std::string_view> after,
                                                      std::size_t limit);
  // Keys of the embeddings in `embeddings` that name exactly this parent: with its kind, or without
  // one (those belong to every collection that has the id).
  [[nodiscard]] Result<std::vector<std::string>> children(const model::Collection& embeddings,
                                                          const model::Parent& parent);

  [[nodiscard]] const Meta& meta() const;
  // The meta to commit; sums are the session's own and cannot be set. commit_id is set by commit().
  [[nodiscard]] Meta& edit_meta();

  // Only for a generation that nobody reads yet, before its first row: entries of an index of more
  // than `in_place_bytes` are kept as sorted runs until it is read or commit() (index_runs.h).
  // A merge that is cancelled leaves rows and runs as a kill does.
  void defer_indexes(std::size_t in_place_bytes);
  // Merges the runs that a killed one left; they are committed with what comes next.
  [[nodiscard]] Result<void> settle_indexes();
  // Commits what is there and goes on: only for a generation that nobody reads yet, so that memory
  // and file do not grow with the fill.
  [[nodiscard]] Result<void> checkpoint();
  // Durable when this returns, but for a generation without a checkpoint, which close() keeps.
  [[nodiscard]] Result<void> commit() &&;

  struct Impl;
  explicit WriteSession(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

// Owns the open file. Close it after each pass: a killed holder makes new readers wait for repair.
// The caller holds CACHE.lock.
class Writer {
 public:
  // An existing cache. Errors: invalid (not a cache of ours: never overwrite), unsupported (newer
  // format), corrupt, needs_repair, no_space.
  [[nodiscard]] static Result<Writer> open(const std::string& path, const WriterOptions& options);
  // A new, empty generation (path from generation_path()); what an earlier one left is removed
  // first. `first` is its meta. Until its first checkpoint, or close(), it is at begun_path() and
  // waits for no disk: it has no row that another fill could go on with.
  [[nodiscard]] static Result<Writer> create(const std::string& path, const Meta& first,
                                             const WriterOptions& options);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  [[nodiscard]] Result<WriteSession> begin();
  // Which of these keys have a row, as last committed. Any thread, beside a session too.
  [[nodiscard]] Result<std::vector<bool>> stored(std::string_view collection,
                                                 std::span<const std::string> keys) const;
  [[nodiscard]] const Meta& meta() const;  // as last committed
  [[nodiscard]] Result<void> close() &&;

  struct Impl;
  explicit Writer(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::cache
