// Changes to index tables, gathered over many rows and applied in key order: entries of rows that
// come in the order of their keys lie anywhere in an index, and random insertion costs twice as
// much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/index.h"
#include "cache/meta.h"
#include "redb/database.h"

namespace tidemark::cache {

// One thread. Whoever reads an index table applies the changes first.
class IndexChanges {
 public:
  // Either row may be null: an insert, a delete. `sum` learns the entries' bytes.
  void replace(const model::Collection& collection, std::string_view key, const RowView* before,
               const RowView* after, TableSum& sum);
  // From now on apply() writes inserts into indexes of more than `in_place_bytes` as sorted runs,
  // until end_deferring(). Not where keys come in the index's own order.
  void defer(std::size_t in_place_bytes) { in_place_bytes_ = in_place_bytes; }
  // There may be runs, which whoever reads an index table or takes entries from it merges first.
  [[nodiscard]] bool deferring() const { return in_place_bytes_.has_value(); }
  // Some of the changes take an entry away.
  [[nodiscard]] bool removes() const { return removes_; }
  void end_deferring() { in_place_bytes_.reset(); }

  // Applies and forgets all changes; of several to one key the last counts.
  [[nodiscard]] Result<void> apply(redb::WriteTransaction& txn);
  // The changes to these tables are of no use any more.
  void forget(const std::vector<std::string>& tables);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Change {
    std::size_t at;  // its key's place in the table's bytes; later changes lie higher
    std::size_t size;
    bool present;
  };
  struct Table {
    std::string bytes;
    std::vector<Change> changes;
    std::uint64_t applied_bytes = 0;
    std::string greatest;    // of the keys applied in place
    std::uint32_t runs = 0;  // written
  };
  [[nodiscard]] Result<void> write(redb::WriteTransaction& txn, std::string_view name, Table& table,
                                   std::span<const redb::Change> batch);
  void choose(const model::Collection& collection);
  void add_new(std::size_t n, TableSum& sum);  // the n-th of after_
  void add(std::size_t table, std::string_view key, bool present);

  std::map<std::string, Table> tables_;
  std::string chosen_;             // the collection that changed last
  std::vector<Table*> of_chosen_;  // its tables, as index_tables() has them
  IndexKeys before_;               // scratch of replace()
  IndexKeys after_;
  std::size_t bytes_ = 0;
  bool removes_ = false;
  std::optional<std::size_t> in_place_bytes_;
};

}  // namespace tidemark::cache
