// Which cached embedding a key means to a search for what is like it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidemark/reader.h"

namespace tidemark::daemon {

struct Like {
  std::string collection;  // of the embedding
  std::string key;
  std::string model_name;  // empty: the row names none
  std::vector<float> vector;
};

// The one embedding in `collection` (as NearestQuery has it) and of `model` (unset: of any) that
// has this key or is of the item that has it; nullopt: none is cached. Errors: invalid, for
// several; unsupported, where it has no vector that can be compared.
[[nodiscard]] Result<std::optional<Like>> find_like(const Snapshot& snapshot, std::string_view key,
                                                    const std::string& collection,
                                                    const std::optional<std::string>& model);
// The same search for what is like `like`, which must outlive it: its vector, of its model, itself
// left out.
[[nodiscard]] NearestQuery query_like(const Like& like, NearestQuery query);

}  // namespace tidemark::daemon
