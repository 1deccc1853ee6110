#include "cache/index_runs.h"

#include <algorithm>
#include <optional>
#include <queue>
#include <vector>

#include "cache/meta_store.h"
#include "cache/tuning.h"

namespace tidemark::cache {
namespace {

constexpr std::size_t kNumberBytes = 4;

std::string number_of(std::uint32_t run) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(run >> shift & 0xFFU);
  return bytes;
}

std::uint32_t number_in(std::string_view key) {
  std::uint32_t run = 0;
  for (const char byte : key.substr(0, kNumberBytes)) {
    run = run << 8U | static_cast<unsigned char>(byte);
  }
  return run;
}

// One run, read a slice at a time.
class Run {
 public:
  Run(std::string table, std::uint32_t number)
      : table_(std::move(table)), last_(number_of(number)), end_(number_of(number + 1)) {}

  // False: the run has ended.
  Result<bool> next(redb::WriteTransaction& txn, std::size_t slice_bytes) {
    if (slice_ && ++at_ < slice_->entries().size()) return true;
    if (slice_ && !slice_->more()) return false;
    if (slice_) last_ = slice_->entries().back().key;
    redb::Range range;
    range.from = last_;
    range.from_exclusive = slice_.has_value();
    range.to = end_;
    range.bytes_max = slice_bytes;
    range.entries_max = slice_bytes;
    TIDEMARK_ASSIGN(slice, txn.scan(index_table(table_), range));
    slice_.emplace(std::move(slice));
    at_ = 0;
    return !slice_->entries().empty();
  }

  [[nodiscard]] std::string_view key() const {
    return slice_->entries()[at_].key.substr(kNumberBytes);
  }

 private:
  std::string table_;
  std::string last_;  // key that the next slice begins at, or after
  std::string end_;
  std::optional<redb::Slice> slice_;
  std::size_t at_ = 0;
};

Result<std::vector<Run>> runs_of(redb::WriteTransaction& txn, const std::string& table) {
  std::vector<Run> runs;
  std::string from = number_of(0);
  while (true) {
    redb::Range range;
    range.from = from;
    range.entries_max = 1;
    TIDEMARK_ASSIGN(slice, txn.scan(index_table(table), range));
    if (slice.entries().empty()) return runs;
    const std::uint32_t number = number_in(slice.entries()[0].key);
    runs.emplace_back(table, number);
    from = number_of(number + 1);
  }
}

// Keys that wait to be written, in one buffer.
class Batch {
 public:
  void add(std::string_view key) {
    bytes_ += key;
    ends_.push_back(bytes_.size());
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

  Result<void> write(redb::WriteTransaction& txn, std::string_view index) {
    std::vector<redb::Change> changes;
    changes.reserve(ends_.size());
    std::size_t start = 0;
    for (const std::size_t end : ends_) {
      changes.push_back({std::string_view(bytes_).substr(start, end - start), ""});
      start = end;
    }
    if (!changes.empty()) TIDEMARK_TRY(txn.apply(index_table(index), changes));
    bytes_.clear();
    ends_.clear();
    return {};
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace

std::string runs_table(std::string_view index_table) {
  return "tidemark:runs:" + std::string(index_table);
}

Result<void> add_run(redb::WriteTransaction& txn, std::string_view index, std::uint32_t run,
                     std::span<const redb::Change> changes) {
  const std::string number = number_of(run);
  std::string keys;
  for (const redb::Change& change : changes) (keys += number) += change.key;
  std::vector<redb::Change> numbered;
  numbered.reserve(changes.size());
  std::size_t at = 0;
  for (const redb::Change& change : changes) {
    const std::size_t size = kNumberBytes + change.key.size();
    numbered.push_back({std::string_view(keys).substr(at, size), ""});
    at += size;
  }
  const std::string table = runs_table(index);
  return txn.apply(index_table(table), numbered);
}

Result<void> merge_runs(redb::WriteTransaction& txn, const std::string& index,
                        const std::function<Result<void>()>& commit) {
  const std::string table = runs_table(index);
  TIDEMARK_ASSIGN(runs, runs_of(txn, table));
  if (runs.empty()) return {};
  const auto above = [&runs](std::size_t a, std::size_t b) {
    return runs[a].key() > runs[b].key();
  };
  const std::size_t slice_bytes = std::max(kRunSliceBytesMin, kRunsBytes / runs.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(above)> least(above);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    TIDEMARK_ASSIGN(there, runs[i].next(txn, slice_bytes));
    if (there) least.push(i);
  }
  Batch batch;
  std::size_t uncommitted = 0;
  while (!least.empty()) {
    const std::size_t i = least.top();
    least.pop();
    batch.add(runs[i].key());
    TIDEMARK_ASSIGN(more, runs[i].next(txn, slice_bytes));
    if (more) least.push(i);
    if (batch.bytes() < kIndexChangesBytesMax) continue;
    uncommitted += batch.bytes();
    TIDEMARK_TRY(batch.write(txn, index));
    if (uncommitted < kMergeCommitBytes) continue;
    uncommitted = 0;
    TIDEMARK_TRY(commit());
  }
  TIDEMARK_TRY(batch.write(txn, index));
  return txn.drop_table(index_table(table));
}

}  // namespace tidemark::cache
