// What the fetch thread tells the writer: encoded rows and proofs of what the source has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cache/writer.h"
#include "model/record.h"
#include "tidemark/error.h"

namespace tidemark::sync {

// One chunk of a collection's list, in list order.
struct ListedPlaces {
  const model::Collection* collection = nullptr;
  std::vector<std::string> places;  // episodes: encoded places, newest first; else key texts
  std::vector<model::Skipped> skipped;
  bool by_key = false;     // episodes: like the others
  std::string newest;      // the key of the newest episode, where they are listed by key
  bool last = false;       // the list ends here
  bool exhausted = false;  // episodes: the source has no older row
};

// All embeddings of these parents in one embeddings collection.
struct ListedChildren {
  const model::Collection* collection = nullptr;
  model::Kind parent_kind = model::Kind::episodes;
  std::vector<std::string> parents;
  std::vector<std::string> children;  // their keys
};

struct FetchedRows {
  const model::Collection* collection = nullptr;
  std::vector<cache::EncodedRow> rows;
  std::vector<std::optional<model::Parent>> parents;  // embeddings: of each row
  std::vector<std::string> places;                    // episodes: of each row
  std::vector<std::string> missing;                   // asked for, not there any more
  std::vector<model::Skipped> skipped;
  // Where each skipped row belongs, as its own row tells; nothing where that did not come.
  struct Whereabouts {
    std::optional<model::Parent> parent;  // embeddings
    std::string place;                    // episodes
  };
  std::vector<std::optional<Whereabouts>> skipped_where;
  std::uint64_t vectors_kept_raw = 0;
  std::uint64_t stored = 0;  // by the fill that this one resumes: not fetched
};

struct FetchDone {
  Result<void> outcome;
};

using Event = std::variant<ListedPlaces, ListedChildren, FetchedRows, FetchDone>;

// What an event holds, for back pressure.
[[nodiscard]] std::size_t bytes_of(const Event& event);

}  // namespace tidemark::sync
