// Exact and the same on every machine: kernels in single precision only rule out rows that cannot
// be among the nearest, by their error's bound; the others are scored in double precision.
#include "cache/nearest.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <set>

#include "cache/kernels.h"
#include "cache/meta_store.h"
#include "cache/tuning.h"

namespace tidemark {

std::string_view to_string(Similarity similarity) {
  switch (similarity) {
    case Similarity::cosine:
      return "cosine";
    case Similarity::dot:
      return "dot";
    case Similarity::l2:
      return "l2";
  }
  return "cosine";
}

std::optional<Similarity> similarity_from_string(std::string_view name) {
  for (const Similarity known : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
    if (name == to_string(known)) return known;
  }
  return std::nullopt;
}

namespace cache {
namespace {

struct Found {
  double nearness = 0;  // greater is nearer: the score or, of l2, minus the square of the distance
  std::string key;
  const model::Collection* table = nullptr;
};

bool nearer(const Found& a, const Found& b) {
  if (a.nearness != b.nearness) return a.nearness > b.nearness;
  return a.key != b.key ? a.key < b.key : a.table->name < b.table->name;
}

// The `wanted` nearest of the blocks that it is shown.
class Ranking {
 public:
  Ranking(const NearestQuery& query, std::size_t wanted)
      : query_(query), wanted_(wanted), norm_(std::sqrt(dot(query.vector.data()))) {}

  void compare(const model::Collection& table, const VectorBlock& block) {
    const DotProducts dot_products = kernels().front().dot_products;
    const std::size_t dimension = query_.vector.size();
    std::array<float, kScoresAtOnce> dots{};
    for (std::size_t from = 0; from < block.size(); from += dots.size()) {
      const std::size_t count = std::min(dots.size(), block.size() - from);
      const float* const rows = block.floats.data() + from * dimension;
      dot_products(rows, count, query_.vector.data(), dimension, dots.data());
      for (std::size_t i = 0; i < count; ++i) {
        const double norm = block.norms[from + i];
        if (query_.similarity == Similarity::cosine && norm == 0) continue;
        if (cannot_enter(dots[i], norm)) continue;
        enter({nearness(rows + i * dimension, norm), std::string(block.key(from + i)), &table});
      }
    }
  }

  // Nearest first.
  std::vector<Found> finish() && {
    std::ranges::sort_heap(best_, nearer);
    return std::move(best_);
  }

 private:
  [[nodiscard]] double dot(const float* row) const {
    double sum = 0;
    for (std::size_t i = 0; i < query_.vector.size(); ++i) {
      sum += static_cast<double>(row[i]) * static_cast<double>(query_.vector[i]);
    }
    return sum;
  }

  [[nodiscard]] double nearness(const float* row, double norm) const {
    switch (query_.similarity) {
      case Similarity::cosine:
        return dot(row) / (norm * norm_);
      case Similarity::dot:
        return dot(row);
      case Similarity::l2:
        break;
    }
    double sum = 0;
    for (std::size_t i = 0; i < query_.vector.size(); ++i) {
      const double difference = static_cast<double>(row[i]) - static_cast<double>(query_.vector[i]);
      sum += difference * difference;
    }
    return -sum;
  }

  // `computed`: the row's dot product by a kernel. A row as near as the farthest may enter by its
  // key.
  [[nodiscard]] bool cannot_enter(float computed, double norm) const {
    if (best_.size() < wanted_) return false;
    const auto dimension = static_cast<double>(query_.vector.size());
    // The second term: what underflow, and a processor that is told to flush it to 0, may lose.
    const double error = rounding_bound(query_.vector.size()) * norm * norm_ +
                         dimension * static_cast<double>(FLT_MIN) * (1 + norm + norm_);
    const double dot_max = static_cast<double>(computed) + error;
    double nearness_max = dot_max;
    if (query_.similarity == Similarity::cosine) nearness_max = dot_max / (norm * norm_);
    if (query_.similarity == Similarity::l2) {
      const double squares = norm * norm + norm_ * norm_;
      nearness_max = 2 * dot_max - squares * (1 - 4 * dimension * DBL_EPSILON);
    }
    // Not the other way round: a kernel that overflowed says NaN or infinity, and rules nothing
    // out.
    return std::isfinite(computed) && nearness_max < best_.front().nearness;
  }

  void enter(Found&& found) {
    if (best_.size() == wanted_) {
      if (!nearer(found, best_.front())) return;
      std::ranges::pop_heap(best_, nearer);
      best_.pop_back();
    }
    best_.push_back(std::move(found));
    std::ranges::push_heap(best_, nearer);
  }

  const NearestQuery& query_;
  const std::size_t wanted_;
  const double norm_;
  std::vector<Found> best_;  // a heap, the farthest in front
};

std::unexpected<Error> bad_query(std::string message, std::string hint) {
  return fail(ErrorCode::invalid, std::move(message), std::move(hint));
}

Result<void> check_vector(const NearestQuery& query) {
  if (query.vector.empty())
    return bad_query("the vector to search for is empty", "give its floats");
  bool zero = true;
  for (const float number : query.vector) {
    if (!std::isfinite(number)) {
      return bad_query("the vector to search for holds NaN or infinity", "give finite floats");
    }
    zero = zero && number == 0;
  }
  if (zero && query.similarity == Similarity::cosine) {
    return bad_query("a vector of zeros has no direction to compare", "search by dot or l2");
  }
  if (query.k == 0 || query.k > kNeighboursMax) {
    return bad_query(
        "k is " + std::to_string(query.k) + ", not 1 to " + std::to_string(kNeighboursMax),
        "ask for fewer neighbours, or for one at least");
  }
  return {};
}

class Search {
 public:
  static Result<Search> prepare(const View& view, VectorStore& store, const NearestQuery& query) {
    TIDEMARK_TRY(check_vector(query));
    Search search(view, store, query);
    search.tables_ = tables_of(view, query.collection);
    const auto kind = model::kind_from_string(query.collection);
    if (search.tables_.empty() && !kind) return no_collection(view, query.collection);
    if ((kind ? *kind : search.tables_.front()->kind) != model::Kind::embeddings) {
      return bad_query(query.collection + " have no vectors",
                       "search \"embeddings\", or one embedding table");
    }
    if (query.of_collection.empty()) return search;
    search.parent_ = model::kind_from_string(query.of_collection);
    if (search.parent_ && *search.parent_ != model::Kind::embeddings) return search;
    return bad_query("no embedding belongs to a row of " + query.of_collection,
                     "their parents are in episodes, patterns or heuristics");
  }

  Result<Nearest> run() {
    Nearest answer;
    std::size_t looked_at = 0;
    for (std::size_t wanted = query_.k;; wanted *= kFilterGrowth) {
      TIDEMARK_ASSIGN(found, rank(wanted));
      for (; looked_at < found.size() && answer.neighbours.size() < query_.k; ++looked_at) {
        TIDEMARK_TRY(take(found[looked_at], answer));
      }
      if (answer.neighbours.size() == query_.k || found.size() < wanted) break;
    }
    count(answer.coverage);
    return answer;
  }

 private:
  Search(const View& view, VectorStore& store, const NearestQuery& query)
      : view_(view), store_(store), query_(query) {}

  [[nodiscard]] bool of_parent(const VectorGroup& group) const {
    return !parent_ || !group.parent || *group.parent == *parent_;
  }
  [[nodiscard]] bool of_model(const VectorGroup& group) const {
    return !query_.model || *query_.model == group.model_name;
  }
  [[nodiscard]] bool comparable(const VectorGroup& group) const {
    return of_parent(group) && of_model(group) && group.dimension == query_.vector.size();
  }

  Result<std::vector<Found>> rank(std::size_t wanted) {
    Ranking ranking(query_, wanted);
    groups_.clear();
    for (const model::Collection* const table : tables_) {
      const auto compare = [&](const VectorBlock& block) {
        if (comparable(block.group)) ranking.compare(*table, block);
      };
      TIDEMARK_ASSIGN(kept, store_.get(view_, *table, query_.vector.size()));
      if (kept) {
        std::ranges::for_each(kept->blocks, compare);
        add(kept->groups);
        continue;
      }
      TIDEMARK_ASSIGN(groups, read_vectors(view_, *table, query_.vector.size(), compare));
      add(groups);
    }
    TIDEMARK_TRY(check_models());
    return std::move(ranking).finish();
  }

  void add(const GroupCounts& groups) {
    for (const auto& [group, count] : groups) {
      groups_[group].rows += count.rows;
      groups_[group].not_finite += count.not_finite;
      groups_[group].zero += count.zero;
    }
  }

  [[nodiscard]] Result<void> check_models() const {
    std::set<std::string> models;
    for (const auto& [group, count] : groups_) {
      if (comparable(group)) models.insert(group.model_name);
    }
    if (models.size() < 2) return {};
    std::string names;
    for (const std::string& name : models) {
      names += (names.empty() ? "" : ", ") + (name.empty() ? "none" : name);
    }
    return bad_query("vectors of " + std::to_string(query_.vector.size()) +
                         " floats are of several models, which cannot be compared",
                     "name one of: " + names);
  }

  Result<void> take(const Found& found, Nearest& answer) const {
    TIDEMARK_ASSIGN(row, find_row(view_.txn, view_.catalog, found.table->name, found.key));
    if (!row) {
      return fail(ErrorCode::corrupt,
                  "the cached row " + found.table->name + " " + found.key + " is lost",
                  kRepairHint);
    }
    TIDEMARK_ASSIGN(belongs, belongs_to_parent(*found.table, *row));
    if (!belongs || (query_.filter && !query_.filter(*row))) {
      ++answer.coverage.filtered;
      return {};
    }
    const double score =
        query_.similarity == Similarity::l2 ? std::sqrt(-found.nearness) : found.nearness;
    answer.neighbours.push_back({score, std::move(*row)});
    return {};
  }

  // A row that does not say of which collection its parent is belongs to those that have its id.
  [[nodiscard]] Result<bool> belongs_to_parent(const model::Collection& table,
                                               const Row& row) const {
    if (!parent_ || row.column_count() != table.columns.size()) return !parent_;
    std::vector<ValueView> cells;
    for (std::size_t i = 0; i < row.column_count(); ++i) cells.push_back(row.at(i));
    const auto parent = model::parent_of(table, cells);
    if (!parent) return false;
    if (parent->kind) return *parent->kind == *parent_;
    for (const auto* const items : tables_of(view_, query_.of_collection)) {
      TIDEMARK_ASSIGN(item, view_.txn.get(data_table(items->name), parent->key));
      if (item) return true;
    }
    return false;
  }

  void count(Coverage& coverage) const {
    for (const auto& [group, count] : groups_) {
      if (group.dimension == 0) {
        coverage.no_vector += count.rows;
      } else if (!of_parent(group)) {
        coverage.other_parent += count.rows;
      } else if (!of_model(group)) {
        coverage.other_model += count.rows;
      } else if (group.dimension != query_.vector.size()) {
        coverage.other_dimension += count.rows;
      } else {
        const std::uint64_t zero = query_.similarity == Similarity::cosine ? count.zero : 0;
        coverage.not_finite += count.not_finite;
        coverage.zero += zero;
        coverage.searched += count.rows - count.not_finite - zero;
      }
    }
    const State& state = view_.state;
    const bool patterns = !parent_ || *parent_ != model::Kind::episodes;
    const bool episodes = !parent_ || *parent_ == model::Kind::episodes;
    coverage.window_complete = state.window_complete;
    coverage.in_scope = state.sync_embeddings && (state.sync_patterns || !patterns);
    const bool unsure = state.in_doubt || state.needs_repair || state.catching_up;
    coverage.complete = coverage.in_scope && (state.window_complete || !episodes) && !unsure &&
                        state.checked_at_us != 0 && state.skipped == 0;
  }

  const View& view_;
  VectorStore& store_;
  const NearestQuery& query_;
  std::vector<const model::Collection*> tables_;
  std::optional<model::Kind> parent_;
  GroupCounts groups_;  // of all rows of the tables
};

}  // namespace

Result<Nearest> nearest(const View& view, VectorStore& store, const NearestQuery& query) {
  TIDEMARK_ASSIGN(search, Search::prepare(view, store, query));
  return search.run();
}

}  // namespace cache
}  // namespace tidemark
