#include "cache/nearest.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <set>

#include "cache/meta_store.h"
#include "cache/ranking.h"
#include "cache/tuning.h"
#include "model/record.h"

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

// nullopt: it names none, or has other columns than the table has now.
std::optional<model::Parent> parent_in(const model::Collection& table, const Row& row) {
  if (row.column_count() != table.columns.size()) return std::nullopt;
  std::vector<ValueView> cells(row.column_count());
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = row.at(i);
  return model::parent_of(table, cells);
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
    const bool refuses = query_.filter || parent_;
    for (std::size_t wanted = refuses ? query_.k * kFilterGrowth : query_.k;;
         wanted *= kFilterGrowth) {
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
    for (const std::string& name : models | std::views::take(kModelsNamedMax)) {
      names += (names.empty() ? "" : ", ") + (name.empty() ? "none" : name);
    }
    if (models.size() > kModelsNamedMax) names += ", ...";
    return bad_query("vectors of " + std::to_string(query_.vector.size()) +
                         " floats are of several models, which cannot be compared",
                     "name one of: " + names);
  }

  Result<void> take(const Found& found, Nearest& answer) const {
    TIDEMARK_ASSIGN(
        row, find_row(*view_.generation, view_.txn, view_.catalog, found.table->name, found.key));
    if (!row) return lost_row(found.table->name, found.key);
    auto parent = parent_in(*found.table, *row);
    TIDEMARK_ASSIGN(belongs, belongs_to_parent(parent));
    if (!belongs || (query_.filter && !query_.filter(*row))) {
      ++answer.coverage.filtered;
      return {};
    }
    const double score =
        query_.similarity == Similarity::l2 ? std::sqrt(-found.nearness) : found.nearness;
    Neighbour& neighbour = answer.neighbours.emplace_back(score, std::move(*row));
    if (!parent) return {};
    neighbour.parent_key = std::move(parent->key);
    if (parent->kind) neighbour.parent_collection = model::to_string(*parent->kind);
    return {};
  }

  // A row that does not say of which collection its parent is belongs to those that have its id.
  [[nodiscard]] Result<bool> belongs_to_parent(const std::optional<model::Parent>& parent) const {
    if (!parent_) return true;
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
