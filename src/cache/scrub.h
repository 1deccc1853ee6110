// A walk over all that a cache holds, in short snapshots: does it agree with itself?
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cache/meta.h"
#include "cache/read_handle.h"
#include "tidemark/reader.h"

namespace tidemark::cache {

// One thread. Each step reads one slice (kScrubSliceBytes) in a snapshot of its own and resumes by
// key, so that passes go on beside it and the file does not grow; who calls it sets the pace.
//
// 1. Meta: each record against its hash.
// 2. Of each collection every row: its hash; of an embedding, that its parent is cached.
// 3. Each of its index tables: exactly the entries that the rows have.
// 4. Count, XOR and bytes of the rows against what meta recorded.
// 3 and 4 need the same rows from a collection's first one on. A commit that changes them makes the
// walk begin that collection again, at most kScrubRestartsMax times; then it is `unjudged`.
class Scrub {
 public:
  Scrub(std::string path, const ReaderOptions& options)
      : path_(std::move(path)), options_(options) {}
  // False: everything was looked at. Errors: as Reader::open; `corrupt` only for meta.
  [[nodiscard]] Result<bool> step();
  // Closes the file until the next step: for a caller who takes long between two.
  void rest() { handle_.reset(); }
  [[nodiscard]] const CacheCheck& found() const { return found_; }

  // Keys and values that all steps read, those of what was begun again included.
  struct Read {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] const Read& read() const { return read_; }
  // How much of what the cache says it has was looked at, from 0 to 1; back a little when a
  // collection is begun again.
  [[nodiscard]] double progress() const;
  // This collection was begun again: whoever dawdles now meets the next commit as well.
  [[nodiscard]] bool hurries() const { return restarts_ > 0 && !changed_; }

 private:
  // Of a set of keys, whatever its order. In this process only, so any hash will do.
  struct Entries {
    std::uint64_t count = 0;
    std::uint64_t xor_of_hashes = 0;
    bool operator==(const Entries&) const = default;
    void add(std::string_view key);
  };
  using Visit = std::function<Result<void>(const redb::Entry&)>;

  [[nodiscard]] Result<void> begin(const View& view);
  [[nodiscard]] Result<void> go_on(const View& view, const model::Collection& collection);
  [[nodiscard]] Result<void> begin_collection(const View& view,
                                              const model::Collection& collection);
  void end_collection();
  [[nodiscard]] Result<void> slice(const View& view, const model::Collection& collection);
  [[nodiscard]] Result<void> look_at(const View& view, const model::Collection& collection,
                                     const redb::Entry& entry);
  [[nodiscard]] Result<void> judge(const View& view, const model::Collection& collection);
  [[nodiscard]] Result<void> explain(const View& view, const model::Collection& collection,
                                     const std::string& table);
  [[nodiscard]] Result<void> walk(const View& view, redb::TableName table,
                                  const Visit& visit) const;
  void problem(const model::Collection& collection, const std::string& text);

  const std::string path_;
  const ReaderOptions options_;
  std::optional<ReadHandle> handle_;
  CacheCheck found_;
  CacheCheck before_;  // as found_ was when the collection began
  Read read_;
  std::optional<std::string> generation_;  // that is walked; none before the first step
  std::uint64_t commit_id_ = 0;
  std::uint32_t catalog_version_ = 0;
  int restarts_ = 0;
  bool changed_ = false;  // a commit came in between, once too often
  bool with_keys_table_ = true;
  std::size_t collection_ = 0;
  std::size_t table_ = 0;               // 0: the rows; n: index table n - 1
  std::optional<std::string> last_;     // key in that table; none yet: at its start
  TableSum sum_;                        // of the rows
  TableSum recorded_;                   // of this collection, when it began
  std::uint64_t collection_bytes_ = 0;  // that were looked at
  std::uint64_t passed_bytes_ = 0;      // of the collections before this one
  std::uint64_t total_bytes_ = 0;       // of all
  std::map<std::string, Entries> expected_;
  std::map<std::string, Entries> stored_;
};

// Remembers that the cache does not agree with itself: until it is repaired nothing is `absent`.
// The caller holds CACHE.lock.
[[nodiscard]] Result<void> mark_needs_repair(const std::string& path);

}  // namespace tidemark::cache
