// A walk over all that a cache holds, in short snapshots: does it agree with itself?
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

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
// 3 and 4 need one commit from a collection's first row on. A pass that commits in between makes
// the walk begin that collection again, at most kScrubRestartsMax times; then it is `unjudged`.
class Scrub {
 public:
  Scrub(const std::string& path, const ReaderOptions& options) : handle_(path, options) {}
  // False: everything was looked at. Errors: as Reader::open; `corrupt` only for meta.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] const CacheCheck& found() const { return found_; }

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
  void begin_collection(const View& view);
  [[nodiscard]] Result<void> slice(const View& view, const model::Collection& collection);
  [[nodiscard]] Result<void> look_at(const View& view, const model::Collection& collection,
                                     const redb::Entry& entry);
  [[nodiscard]] Result<void> judge(const View& view, const model::Collection& collection);
  [[nodiscard]] Result<void> explain(const View& view, const model::Collection& collection,
                                     const std::string& table);
  [[nodiscard]] Result<void> walk(const View& view, redb::TableName table,
                                  const Visit& visit) const;
  void problem(const model::Collection& collection, const std::string& text);

  ReadHandle handle_;
  CacheCheck found_;
  CacheCheck before_;  // as found_ was when the collection began
  std::shared_ptr<Generation> generation_;
  std::uint64_t commit_id_ = 0;
  int restarts_ = 0;
  bool changed_ = false;  // a commit came in between, once too often
  bool with_keys_table_ = true;
  std::size_t collection_ = 0;
  std::size_t table_ = 0;            // 0: the rows; n: index table n - 1
  std::optional<std::string> last_;  // key in that table; none yet: at its start
  TableSum sum_;
  std::map<std::string, Entries> expected_;
  std::map<std::string, Entries> stored_;
};

// Remembers that the cache does not agree with itself: until it is repaired nothing is `absent`.
// The caller holds CACHE.lock.
[[nodiscard]] Result<void> mark_needs_repair(const std::string& path);

}  // namespace tidemark::cache
