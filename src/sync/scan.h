// The fetch side of a reconcile: walks the scope at the source and emits events. Runs on the fetch
// thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/collection.h"
#include "sync/events.h"
#include "sync/fetcher.h"
#include "tidemark/reader.h"

namespace tidemark::sync {

// False: the receiver is gone, stop.
using Emit = std::function<bool(Event)>;
// Which of these keys need not be fetched. Called on the fetch thread.
using Stored = std::function<Result<std::vector<bool>>(const model::Collection& collection,
                                                       std::span<const std::string> keys)>;

// What the cache has.
struct Cached {
  bool nothing = false;      // a generation is begun
  bool window_full = false;  // the source had more episodes than fit
  Stored stored;             // may be empty: then every row is fetched
};

// One thread.
//
// 1. The newest N + 1 episodes as (order, key) places, in chunks: the window and whether the source
//    has more than N.
// 2. After each chunk its rows by key, then the embeddings of these episodes: their keys, their
// rows.
// 3. Patterns and heuristics likewise, by key. So are the episodes where the cache has nothing and
// the window has room for all: rows come in the order of the cache, and no request has to sort
// them. A row that changes between its list and its fetch comes as it then is; one that is gone is
// told.
class Scan {
 public:
  Scan(Fetcher& fetcher, const model::Catalog& catalog, const Scope& scope, Emit emit);

  [[nodiscard]] Result<void> run(Cached cached);
  // Episodes strictly below `after` in the window's order, at most `wanted` of them, likewise.
  [[nodiscard]] Result<void> below(const model::Collection& episodes, const model::Place& after,
                                   std::uint64_t wanted);
  // The rows of exactly these keys and the embeddings of those that are parents.
  [[nodiscard]] Result<void> touched(
      const std::map<const model::Collection*, std::vector<Value>>& keys);
  // Where these episodes are in the window's order; those that are gone are left out.
  [[nodiscard]] Result<std::vector<std::string>> places(const model::Collection& episodes,
                                                        const std::vector<std::string>& keys);
  // The rows of exactly these keys, for each collection: what the writer has and the lists lack.
  [[nodiscard]] Result<void> confirm(
      const std::map<const model::Collection*, std::vector<std::string>>& keys, bool with_children);

 private:
  [[nodiscard]] Result<void> odd_embeddings();
  [[nodiscard]] Result<void> tell_odd_keys(const model::Collection& collection,
                                           const model::RowSet& rows);
  [[nodiscard]] Result<void> episodes(const model::Collection& collection,
                                      source::ListRequest request, std::uint64_t wanted);
  [[nodiscard]] Result<void> window(const model::Collection& collection);
  [[nodiscard]] Result<bool> all_episodes(const model::Collection& collection);
  [[nodiscard]] Result<void> by_key(const model::Collection& collection);
  [[nodiscard]] Result<void> walk_keys(const model::Collection& collection,
                                       source::ListRequest request, source::Listed listed,
                                       const std::string& newest);
  [[nodiscard]] Result<void> chunk(const model::Collection& collection, source::Listed listed,
                                   Keys lie, ListedPlaces event);
  // Keys that lie adjacent are likely to have embeddings whose keys do as well.
  [[nodiscard]] Result<void> children(const model::Collection& parent, std::span<const Value> keys,
                                      Keys lie);
  [[nodiscard]] Result<void> children(const model::Collection& embeddings,
                                      const model::Collection& parent, std::span<const Value> keys,
                                      Keys lie);
  [[nodiscard]] Result<source::Listed> list(const model::Collection& collection,
                                            source::ListRequest& request, std::uint64_t rows_max);
  [[nodiscard]] Result<void> rows(const model::Collection& collection, std::span<const Value> keys,
                                  Keys lie);
  [[nodiscard]] Result<std::vector<Value>> not_stored(const model::Collection& collection,
                                                      std::span<const Value> keys);
  [[nodiscard]] Result<void> send(Event event);

  Fetcher& fetcher_;
  const model::Catalog& catalog_;
  const Scope& scope_;
  const Emit emit_;
  Cached cached_;
  std::size_t list_rows_;  // of one list request
};

}  // namespace tidemark::sync
