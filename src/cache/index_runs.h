// Entries of an index that is filled, as sorted runs until all are there: those of rows in key
// order lie anywhere in an index, and once it is larger than the page cache each commit of a fill
// writes most of it anew. The runs of an index are one redb table of the generation; a key is the
// run's number (4 bytes, big-endian) and the entry's key, its value empty. They are committed with
// their rows, so that a fill which was killed still has all entries.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "redb/database.h"

namespace tidemark::cache {

[[nodiscard]] std::string runs_table(std::string_view index_table);

// Appends a run. `changes` are inserts in key order; `run` is above those before.
[[nodiscard]] Result<void> add_run(redb::WriteTransaction& txn, std::string_view index_table,
                                   std::uint32_t run, std::span<const redb::Change> changes);

// Writes all runs of an index into it, in key order, and drops them; without any it does nothing.
// `commit` is called after each kMergeCommitBytes, and may commit `txn` and begin it again: done
// twice, a merge comes to the same.
[[nodiscard]] Result<void> merge_runs(redb::WriteTransaction& txn, const std::string& index_table,
                                      const std::function<Result<void>()>& commit);

}  // namespace tidemark::cache
