// tidemark_nearest.h over the C++ reader.
#include <vector>

#include "abi/handles.h"
#include "abi/translate.h"
#include "tidemark_nearest.h"

using namespace tidemark;       // NOLINT: this file is the boundary between the two
using namespace tidemark::abi;  // NOLINT: as well

namespace {

static_assert(static_cast<int>(Similarity::cosine) == TIDEMARK_COSINE);
static_assert(static_cast<int>(Similarity::dot) == TIDEMARK_DOT);
static_assert(static_cast<int>(Similarity::l2) == TIDEMARK_L2);

Result<std::vector<float>> floats_of(std::string_view bytes) {
  if (bytes.size() % sizeof(float) != 0) {
    return fail(ErrorCode::invalid,
                "vector has " + std::to_string(bytes.size()) + " bytes, which are no whole floats");
  }
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

Result<NearestQuery> query_of(const tidemark_nearest_query& q, const std::vector<float>& vector) {
  NearestQuery query;
  query.vector = vector;
  if (q.k > 0) query.k = q.k;
  if (q.collection.size > 0) query.collection = view_of(q.collection);
  if (q.similarity < TIDEMARK_COSINE || q.similarity > TIDEMARK_L2) {
    return fail(ErrorCode::invalid, "similarity is none of cosine, dot and l2");
  }
  query.similarity = static_cast<Similarity>(q.similarity);
  if (q.model.data != nullptr) query.model = view_of(q.model);
  query.of_collection = view_of(q.of_collection);
  if (q.filter == nullptr) return query;
  query.filter = [filter = q.filter, context = q.filter_context](const Row& row) {
    const tidemark_row borrowed(&row);
    return filter(&borrowed, context) != 0;
  };
  return query;
}

}  // namespace

tidemark_code tidemark_nearest(const tidemark_cache* cache, const tidemark_nearest_query* query,
                               tidemark_neighbours** found, tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr || query == nullptr || found == nullptr) {
      return missing("cache, query or found");
    }
    const tidemark_nearest_query given = known_part(query);
    TIDEMARK_ASSIGN(vector, floats_of(view_of(given.vector)));
    TIDEMARK_ASSIGN(asked, query_of(given, vector));
    TIDEMARK_ASSIGN(
        nearest, std::visit([&](const auto& reads) { return reads.nearest(asked); }, cache->reads));
    auto made = std::make_unique<tidemark_neighbours>();
    made->found = std::move(nearest);
    for (const Neighbour& neighbour : made->found.neighbours) {
      made->rows.emplace_back(&neighbour.row);
    }
    *found = made.release();
    return {};
  });
}

size_t tidemark_nearest_count(const tidemark_neighbours* found) { return found->rows.size(); }

void tidemark_nearest_at(const tidemark_neighbours* found, size_t number,
                         tidemark_neighbour* neighbour) {
  tidemark_neighbour known{};
  if (number < found->rows.size()) {
    const Neighbour& one = found->found.neighbours[number];
    known.score = one.score;
    known.row = &found->rows[number];
    known.parent_collection = bytes_of(one.parent_collection);
    known.parent_key = bytes_of(one.parent_key);
  }
  give(known, neighbour);
}

void tidemark_nearest_coverage(const tidemark_neighbours* found, tidemark_coverage* coverage) {
  const Coverage& c = found->found.coverage;
  tidemark_coverage known{};
  known.searched = c.searched;
  known.no_vector = c.no_vector;
  known.other_parent = c.other_parent;
  known.other_model = c.other_model;
  known.other_dimension = c.other_dimension;
  known.not_finite = c.not_finite;
  known.zero = c.zero;
  known.filtered = c.filtered;
  known.window_complete = c.window_complete ? 1 : 0;
  known.in_scope = c.in_scope ? 1 : 0;
  known.complete = c.complete ? 1 : 0;
  give(known, coverage);
}

void tidemark_nearest_freshness(const tidemark_neighbours* found, tidemark_freshness* freshness) {
  give(c_freshness(found->found.freshness), freshness);
}

void tidemark_nearest_free(tidemark_neighbours* found) { delete found; }
