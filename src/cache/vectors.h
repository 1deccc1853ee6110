// The vectors of an embedding table, laid out to be compared, and those that a Reader keeps so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/meta.h"
#include "cache/read_handle.h"
#include "model/collection.h"

namespace tidemark::cache {

// What a search may ask for; rows that agree in all of it are taken or left out together.
struct VectorGroup {
  std::string model_name;             // empty: the row names none
  std::optional<model::Kind> parent;  // nullopt: it does not say of which collection it is
  std::size_t dimension = 0;          // 0: there is no vector, or none that can be read
  auto operator<=>(const VectorGroup&) const = default;
};

struct GroupCount {
  std::uint64_t rows = 0;
  std::uint64_t not_finite = 0;  // of these
  std::uint64_t zero = 0;        // of these: all floats are 0
};
using GroupCounts = std::map<VectorGroup, GroupCount>;

// Some finite vectors of one group, in the order of their keys.
struct VectorBlock {
  VectorGroup group;
  std::vector<float> floats;  // of each row group.dimension, one row after the other
  std::vector<double> norms;  // Euclidean
  std::string keys;           // one after the other
  std::vector<std::uint32_t> key_ends;

  [[nodiscard]] std::size_t size() const { return norms.size(); }
  [[nodiscard]] std::string_view key(std::size_t row) const;
  [[nodiscard]] std::size_t bytes() const;
  void shrink();  // to what it holds, before it is kept
};
using TakeBlock = std::function<void(VectorBlock&&)>;

// Reads every row of `table`, whose hash is checked, and gives those with `dimension` floats in
// blocks; at most kVectorBlockBytes are held back. Counts all rows. Errors: corrupt, for a damaged
// row and where the rows are not those that the cache has recorded.
[[nodiscard]] Result<GroupCounts> read_vectors(const View& view, const model::Collection& table,
                                               std::size_t dimension, const TakeBlock& take);

struct TableVectors {
  GroupCounts groups;
  std::vector<VectorBlock> blocks;
};

// The vectors of the tables and dimensions that were searched last, as long as their rows stay what
// they are; those of a search that runs are beside the bound when others took their place.
// Thread-safe; a thread waits while another reads a table.
class VectorStore {
 public:
  explicit VectorStore(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  // As of the view's commit, read where they are not kept. Null: they are not kept, since there is
  // no room, or because newer ones are.
  [[nodiscard]] Result<std::shared_ptr<const TableVectors>> get(const View& view,
                                                                const model::Collection& table,
                                                                std::size_t dimension);

 private:
  struct Kept {
    std::string table;
    std::size_t dimension = 0;
    std::shared_ptr<const CatalogRecord> catalog;
    std::uint64_t commit_id = 0;
    // Of every row's hash: the same sum, the same rows, whatever else was committed.
    TableSum sum;
    std::uint64_t bytes = 0;
    std::shared_ptr<const TableVectors> vectors;
  };
  [[nodiscard]] bool make_room(std::uint64_t bytes);

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::vector<Kept> kept_;  // the one that was used last comes last
};

}  // namespace tidemark::cache
