// The cached embeddings that are most like a vector: exact, over every vector that is comparable.
// Which instructions the processor has does not change the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidemark/export.h"
#include "tidemark/freshness.h"
#include "tidemark/row.h"

namespace tidemark {

// cosine: of the angle, -1 to 1, greater is nearer. dot: the inner product, greater is nearer. l2:
// the Euclidean distance, smaller is nearer.
enum class Similarity : std::uint8_t { cosine, dot, l2 };

[[nodiscard]] TIDEMARK_API std::string_view to_string(Similarity similarity);
[[nodiscard]] TIDEMARK_API std::optional<Similarity> similarity_from_string(std::string_view name);

inline constexpr std::size_t kNeighboursMax = 10'000;

struct NearestQuery {
  // Borrowed for the call. Its dimension chooses which cached vectors are comparable.
  std::span<const float> vector{};
  std::size_t k = 10;                     // 1 to kNeighboursMax
  std::string collection = "embeddings";  // one embedding table, or "embeddings": all of them
  Similarity similarity = Similarity::cosine;
  // Vectors of different models say nothing of each other. Unset: all comparable rows must name
  // the same one; empty: the rows that name none.
  std::optional<std::string> model{};
  std::string of_collection{};  // only embeddings of episodes, patterns or heuristics; empty: any
  // Which rows count, asked from the nearest on until k do; empty: all. The commit that is searched
  // is held meanwhile, as a Snapshot holds it.
  std::function<bool(const Row&)> filter{};
};

struct Neighbour {
  double score = 0;  // in double precision; see Similarity
  Row row;           // the embedding's
  // What it is an embedding of: the key, and "episodes", "patterns" or "heuristics". No collection:
  // the row does not say of which, and any that has the key is meant. No key: it has no parent.
  std::string parent_collection{};
  std::string parent_key{};
};

// Over how much the search went. Each cached row of the collection is either searched or left out
// for the first of these reasons.
struct Coverage {
  std::uint64_t searched = 0;
  std::uint64_t no_vector = 0;  // none, or in an encoding that is kept as it is
  std::uint64_t other_parent = 0;
  std::uint64_t other_model = 0;
  std::uint64_t other_dimension = 0;
  std::uint64_t not_finite = 0;  // NaN or infinity among its floats
  std::uint64_t zero = 0;        // cosine: all floats are 0, which has no direction
  std::uint64_t filtered = 0;    // of those searched: near, and refused by the filter
  bool window_complete = false;  // every episode of the source is cached
  bool in_scope = false;         // the cache keeps what was searched for: embeddings, patterns
  // The source had no embedding of what was searched for that is not cached, at some moment between
  // checked_at and the read: both of the above, no doubt, not catching up, nothing skipped.
  bool complete = false;
};

struct Nearest {
  // Nearest first, equal scores by key, then by table; fewer than k when no more count.
  std::vector<Neighbour> neighbours;
  Coverage coverage;
  Freshness freshness;  // of the one commit that was searched
};

}  // namespace tidemark
