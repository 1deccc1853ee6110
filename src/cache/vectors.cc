#include "cache/vectors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cache/meta_store.h"
#include "cache/row_format.h"
#include "cache/tuning.h"

namespace tidemark::cache {
namespace {

double norm_of(const float* floats, std::size_t dimension) {
  double sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    sum += static_cast<double>(floats[i]) * static_cast<double>(floats[i]);
  }
  return std::sqrt(sum);
}

std::unexpected<Error> not_as_recorded(const model::Collection& table) {
  return fail(ErrorCode::corrupt, "the rows of " + table.name + " are not those that were recorded",
              kRepairHint);
}

// Sorts rows into groups and blocks.
class VectorReader {
 public:
  VectorReader(const View& view, const model::Collection& table, std::size_t dimension,
               const TakeBlock& take)
      : view_(view), table_(table), dimension_(dimension), take_(take) {}

  Result<void> add(std::string_view key, std::string_view bytes) {
    if (!last_key_.empty() && key <= last_key_) return not_as_recorded(table_);
    last_key_ = key;
    TIDEMARK_ASSIGN(row, RowView::open(table_.name, key, bytes));
    TIDEMARK_TRY(find_columns(row, key));
    ++sum_.count;
    sum_.xor_of_hashes ^= row.hash();
    const std::string_view vector = read_cells(row);
    GroupCount& count = groups_[group_];
    ++count.rows;
    if (group_.dimension == dimension_) add_vector(key, vector, count);
    return {};
  }

  Result<GroupCounts> finish() && {
    TIDEMARK_ASSIGN(recorded, load_sum(view_.txn, view_.state, table_.name));
    if (sum_.count != recorded.count || sum_.xor_of_hashes != recorded.xor_of_hashes) {
      return not_as_recorded(table_);
    }
    give_blocks();
    return std::move(groups_);
  }

 private:
  // Rows of one table have the same schema, but for moments.
  Result<void> find_columns(const RowView& row, std::string_view key) {
    if (schema_ == row.schema_id()) return {};
    const auto names = view_.catalog->schemas.find(row.schema_id());
    if (names == view_.catalog->schemas.end() || names->second.size() != row.size()) {
      return fail(ErrorCode::corrupt,
                  "the cached row " + std::string(key) + " has an unknown schema", kRepairHint);
    }
    schema_ = row.schema_id();
    const auto model = std::ranges::find(names->second, "model");
    model_column_.reset();
    if (model != names->second.end()) model_column_ = model - names->second.begin();
    has_roles_ = row.size() == table_.columns.size();
    return {};
  }

  // Sets group_, and returns the bytes of the vector.
  std::string_view read_cells(const RowView& row) {
    cells_.clear();
    std::string_view vector;
    group_.dimension = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells_.push_back(row.at(i));
      if (group_.dimension > 0 || cells_.back().type() != ValueType::vector) continue;
      vector = cells_.back().bytes();
      group_.dimension = cells_.back().dimension();
    }
    group_.model_name.clear();
    if (model_column_) {
      const ValueView model = cells_[*model_column_];
      if (model.type() == ValueType::text) group_.model_name = model.bytes();
    }
    const auto parent = has_roles_ ? model::parent_of(table_, cells_) : std::nullopt;
    group_.parent = parent ? parent->kind : std::nullopt;
    return vector;
  }

  void add_vector(std::string_view key, std::string_view bytes, GroupCount& count) {
    VectorBlock& block = open_[group_];
    if (block.floats.empty()) block.group = group_;
    const std::size_t start = block.floats.size();
    block.floats.resize(start + dimension_);
    std::memcpy(block.floats.data() + start, bytes.data(), bytes.size());
    const double norm = norm_of(block.floats.data() + start, dimension_);
    if (!std::isfinite(norm)) {  // squares of floats do not overflow in double
      ++count.not_finite;
      block.floats.resize(start);
      return;
    }
    if (norm == 0) ++count.zero;
    block.norms.push_back(norm);
    block.keys += key;
    block.key_ends.push_back(static_cast<std::uint32_t>(block.keys.size()));
    open_bytes_ += bytes.size() + key.size();
    if (open_bytes_ >= kVectorBlockBytes) give_blocks();
  }

  void give_blocks() {
    for (auto& [group, block] : open_) {
      if (block.size() > 0) take_(std::move(block));
    }
    open_.clear();
    open_bytes_ = 0;
  }

  const View& view_;
  const model::Collection& table_;
  const std::size_t dimension_;
  const TakeBlock& take_;
  GroupCounts groups_;
  std::map<VectorGroup, VectorBlock> open_;
  std::size_t open_bytes_ = 0;
  TableSum sum_;
  std::string last_key_;
  std::vector<ValueView> cells_;  // of the row that is being read
  VectorGroup group_;             // its
  std::optional<std::uint32_t> schema_;
  std::optional<std::size_t> model_column_;
  bool has_roles_ = false;
};

}  // namespace

std::string_view VectorBlock::key(std::size_t row) const {
  const std::size_t start = row == 0 ? 0 : key_ends[row - 1];
  return std::string_view(keys).substr(start, key_ends[row] - start);
}

std::size_t VectorBlock::bytes() const {
  return sizeof(VectorBlock) + floats.capacity() * sizeof(float) +
         norms.capacity() * sizeof(double) + keys.capacity() +
         key_ends.capacity() * sizeof(std::uint32_t);
}

void VectorBlock::shrink() {
  floats.shrink_to_fit();
  norms.shrink_to_fit();
  keys.shrink_to_fit();
  key_ends.shrink_to_fit();
}

Result<GroupCounts> read_vectors(const View& view, const model::Collection& table,
                                 std::size_t dimension, const TakeBlock& take) {
  VectorReader reader(view, table, dimension, take);
  redb::Range range;
  range.entries_max = kVectorSliceRows;
  range.bytes_max = kVectorSliceBytes;
  std::string last;
  while (true) {
    TIDEMARK_ASSIGN(slice, view.txn.scan(data_table(table.name), range));
    for (const redb::Entry& entry : slice.entries()) {
      TIDEMARK_TRY(reader.add(entry.key, entry.value));
    }
    if (!slice.more()) return std::move(reader).finish();
    last = slice.entries().back().key;
    range.from = last;
    range.from_exclusive = true;
  }
}

Result<std::shared_ptr<const TableVectors>> VectorStore::get(const View& view,
                                                             const model::Collection& table,
                                                             std::size_t dimension) {
  // Before the mutex: in a forked child this fails, and the mutex may be locked for ever.
  TIDEMARK_ASSIGN(sum, load_sum(view.txn, view.state, table.name));
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(kept_, [&](const Kept& kept) {
    return kept.table == table.name && kept.dimension == dimension;
  });
  if (found != kept_.end()) {
    if (found->catalog == view.catalog && found->sum == sum) {
      std::rotate(found, found + 1, kept_.end());
      return kept_.back().vectors;
    }
    const bool older = found->catalog == view.catalog && view.state.commit_id < found->commit_id;
    if (older) return nullptr;
    kept_.erase(found);  // first, so that both are not in memory at once
  }
  // At most what the rows take in the file, and what they would if all had this dimension.
  const std::uint64_t row_bytes = dimension * sizeof(float) + kVectorRowBytes;
  if (!make_room(std::min(sum.bytes, sum.count * row_bytes))) return nullptr;
  auto read = std::make_shared<TableVectors>();
  Kept kept{table.name, dimension, view.catalog, view.state.commit_id, sum, 0, nullptr};
  TIDEMARK_ASSIGN(groups, read_vectors(view, table, dimension, [&](VectorBlock&& block) {
                    block.shrink();
                    kept.bytes += block.bytes();
                    read->blocks.push_back(std::move(block));
                  }));
  read->groups = std::move(groups);
  kept.vectors = read;
  if (make_room(kept.bytes)) kept_.push_back(std::move(kept));
  return read;
}

bool VectorStore::make_room(std::uint64_t bytes) {
  if (bytes > bytes_max_) return false;
  std::uint64_t total = bytes;
  for (const Kept& kept : kept_) total += kept.bytes;
  while (total > bytes_max_) {
    total -= kept_.front().bytes;
    kept_.erase(kept_.begin());
  }
  return true;
}

}  // namespace tidemark::cache
