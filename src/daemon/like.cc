#include "daemon/like.h"

#include <algorithm>

namespace tidemark::daemon {
namespace {

constexpr std::size_t kNamedMax = 10;  // embeddings that an error names

Like like_of(const Row& row) {
  Like like{std::string(row.collection()), std::string(row.key()), {}, {}};
  if (const auto model = row.at("model"); model && model->type() == ValueType::text) {
    like.model_name = model->bytes();
  }
  for (std::size_t i = 0; i < row.column_count() && like.vector.empty(); ++i) {
    like.vector.resize(row.at(i).dimension());
    row.at(i).copy_vector(like.vector);
  }
  return like;
}

bool same_row(const Like& a, const Like& b) {
  return a.collection == b.collection && a.key == b.key;
}

// Those of the item that has this key, and those that have it themselves.
Result<std::vector<Like>> candidates(const Snapshot& snapshot, std::string_view key,
                                     const std::string& collection) {
  std::vector<Like> found;
  Query of_item;
  of_item.collection = collection;
  of_item.of_key = key;
  TIDEMARK_TRY(snapshot.scan(of_item, [&](const Row& row) {
    found.push_back(like_of(row));
    return true;
  }));
  TIDEMARK_ASSIGN(own, snapshot.get_all(collection, key));
  for (const Lookup& lookup : own) {
    if (!lookup) continue;
    const Like like = like_of(lookup.row());
    const auto same = [&](const Like& other) { return same_row(like, other); };
    if (std::ranges::none_of(found, same)) found.push_back(like);
  }
  return found;
}

std::unexpected<Error> several(std::string_view key, const std::vector<Like>& found) {
  std::string names;
  for (std::size_t i = 0; i < std::min(found.size(), kNamedMax); ++i) {
    const Like& like = found[i];
    names += (i == 0 ? "" : ", ") + like.collection + " " + like.key + " (" +
             (like.model_name.empty() ? "no model" : "model " + like.model_name) + ", " +
             std::to_string(like.vector.size()) + " floats)";
  }
  if (found.size() > kNamedMax) names += ", ...";
  return fail(ErrorCode::invalid,
              std::string(key) + " means " + std::to_string(found.size()) + " embeddings: " + names,
              "name the key of one of them, its collection or its model");
}

}  // namespace

Result<std::optional<Like>> find_like(const Snapshot& snapshot, std::string_view key,
                                      const std::string& collection,
                                      const std::optional<std::string>& model) {
  TIDEMARK_ASSIGN(found, candidates(snapshot, key, collection));
  std::erase_if(found, [&](const Like& like) { return model && like.model_name != *model; });
  if (found.empty()) return std::nullopt;
  std::erase_if(found, [](const Like& like) { return like.vector.empty(); });
  if (found.empty()) {
    return fail(ErrorCode::unsupported,
                "the embedding of " + std::string(key) + " has no vector that can be compared",
                "it has none, or one in an encoding that is kept as it is");
  }
  if (found.size() > 1) return several(key, found);
  return std::move(found.front());
}

NearestQuery query_like(const Like& like, NearestQuery query) {
  query.vector = like.vector;
  query.model = like.model_name;
  query.filter = [&like](const Row& row) {
    return row.key() != like.key || row.collection() != like.collection;
  };
  return query;
}

}  // namespace tidemark::daemon
