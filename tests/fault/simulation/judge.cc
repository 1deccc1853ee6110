#include "tests/fault/simulation/judge.h"

#include <algorithm>

namespace tidemark::simulation {
namespace {

const std::vector<std::string>& collections() {
  static const std::vector<std::string> all = {"episodes",   "patterns",       "heuristics",
                                               "embeddings", "embeddings_384", "embeddings_other"};
  return all;
}

std::string name_of(const std::string& collection, const std::string& key) {
  return collection + " '" + key + "'";
}

bool is_listed(const std::map<std::string, Listing>& rows, const std::string& collection,
               const std::string& key, RowHash hash) {
  const auto found = rows.find(collection);
  return found != rows.end() &&
         std::ranges::find(found->second, std::pair(key, hash)) != found->second.end();
}

// The first place where two listings part, in words.
std::string difference(const std::map<std::string, Listing>& wanted,
                       const std::map<std::string, Listing>& found) {
  for (const std::string& collection : collections()) {
    const auto of = [&](const auto& rows) {
      const auto at = rows.find(collection);
      return at == rows.end() ? Listing{} : at->second;
    };
    const Listing want = of(wanted);
    const Listing have = of(found);
    for (std::size_t i = 0; i < std::max(want.size(), have.size()); ++i) {
      if (i < want.size() && i < have.size() && want[i] == have[i]) continue;
      const std::string place = collection + " at place " + std::to_string(i) + ": ";
      if (i >= have.size()) return place + "lacks '" + want[i].first + "'";
      if (i >= want.size()) return place + "has '" + have[i].first + "' too many";
      if (want[i].first != have[i].first)
        return place + "has '" + have[i].first + "', not '" + want[i].first + "'";
      return place + "has another '" + have[i].first + "' than the source";
    }
  }
  return {};
}

class Looker {
 public:
  Looker(const Snapshot& snapshot, const History& history)
      : snapshot_(snapshot), history_(history) {}

  Result<Seen> look() {
    seen_.freshness = snapshot_.freshness();
    for (const std::string& collection : collections()) {
      TIDEMARK_TRY(list(collection));
      TIDEMARK_TRY(probe(collection));
    }
    for (const char* const parents : {"episodes", "patterns", "heuristics"}) {
      for (const std::string& id : history_.keys_ever(parents)) TIDEMARK_TRY(children(id));
    }
    return std::move(seen_);
  }

 private:
  // A table that the cache does not know is `invalid`: it has nothing of it.
  static Result<void> known(Result<void> outcome) {
    if (!outcome && outcome.error().code == ErrorCode::invalid) return {};
    return outcome;
  }

  Result<void> list(const std::string& collection) {
    Listing rows;
    auto listed = snapshot_.scan({.collection = collection}, [&](const Row& row) {
      if (row.collection() == collection) rows.emplace_back(row.key(), hash_of(row));
      return true;
    });
    if (!rows.empty()) seen_.rows[collection] = std::move(rows);
    return known(std::move(listed));
  }

  Result<void> probe(const std::string& collection) {
    for (const std::string& key : history_.keys_ever(collection)) {
      auto found = snapshot_.get(collection, key);
      if (!found && found.error().code == ErrorCode::invalid) found = Lookup(Presence::unknown);
      if (!found) return std::unexpected(std::move(found).error());
      // "embeddings" stands for every table of embeddings: another one's row is not this one's.
      if (*found && found->row().collection() != collection) found = Lookup(Presence::unknown);
      if (*found && !is_listed(seen_.rows, collection, key, hash_of(found->row()))) {
        return fail(ErrorCode::internal, "get and scan differ in " + name_of(collection, key));
      }
      seen_.presence[{collection, key}] = found->presence();
    }
    return {};
  }

  Result<void> children(const std::string& id) {
    Query query;
    query.collection = "embeddings";
    query.of_key = id;
    return known(snapshot_.scan(query, [&](const Row& row) {
      seen_.children[id].insert(std::string(row.collection()) + "/" + std::string(row.key()));
      return true;
    }));
  }

  const Snapshot& snapshot_;
  const History& history_;
  Seen seen_;
};

Presence presence_in(const ScopeView& scope, const CacheUnderTest& cache,
                     const std::pair<std::string, std::string>& item) {
  const auto& [collection, key] = item;
  const auto rows = scope.rows.find(collection);
  if (rows != scope.rows.end() &&
      std::ranges::any_of(rows->second, [&](const auto& row) { return row.first == key; })) {
    return Presence::hit;
  }
  if (scope.skipped.contains(item)) return Presence::unknown;
  const bool complete = collection == "episodes"
                            ? scope.window_complete
                            : kind_of(collection) != "embeddings" && cache.scope.sync_patterns;
  return complete ? Presence::absent : Presence::unknown;
}

}  // namespace

std::string difference(const Seen& before, const Seen& after) {
  if (before.rows != after.rows) return difference(before.rows, after.rows);
  if (before.presence != after.presence) return "says something else of a key";
  if (before.children != after.children) return "lists other embeddings of some parent";
  if (before.freshness.checked_at != after.freshness.checked_at) return "has another checked_at";
  if (before.freshness.consistent != after.freshness.consistent) return "is otherwise consistent";
  if (before.freshness.incomplete == after.freshness.incomplete) return {};
  return "skips " + std::to_string(after.freshness.incomplete) + " rows, not " +
         std::to_string(before.freshness.incomplete);
}

std::optional<Seen> Judge::see(CacheUnderTest& cache, std::string& wrong) const {
  const auto pass_over = [&](const Error& error) -> std::optional<Seen> {
    const bool none_yet = error.code == ErrorCode::invalid && cache.passes.empty();
    if (!none_yet && error.code != ErrorCode::busy) wrong = "cannot be read: " + error.message;
    return std::nullopt;
  };
  if (!cache.reader) {
    ReaderOptions options;
    options.open_deadline = std::chrono::milliseconds(50);
    auto reader = Reader::open(cache.path, options);
    if (!reader && reader.error().message.starts_with("no cache at")) return std::nullopt;
    if (!reader) return pass_over(reader.error());
    cache.reader = std::move(*reader);
  }
  const auto snapshot = cache.reader->snapshot();
  if (!snapshot) return pass_over(snapshot.error());
  auto seen = Looker(*snapshot, history_).look();
  if (!seen) return pass_over(seen.error());
  return std::move(*seen);
}

std::string Judge::always(const CacheUnderTest& cache, const Seen& seen) const {
  if (!seen.freshness.checked_at) {
    return seen.rows.empty() ? "" : "has rows although it was never synced";
  }
  const auto checked = std::chrono::duration_cast<std::chrono::microseconds>(
                           seen.freshness.checked_at->time_since_epoch())
                           .count();
  const auto pass = cache.passes.find(checked);
  if (pass == cache.passes.end()) return "claims a check at a moment when no pass began";
  Interval during = pass->second;
  // It has gone on since, and says that it has not arrived.
  if (seen.freshness.catching_up) during.to = history_.last();
  for (const std::string& wrong :
       {rows_were_there(seen, during), absence_is_true(seen, during),
        nothing_lacks(cache, seen, during), is_one_state(cache, seen, during)}) {
    if (!wrong.empty()) return wrong;
  }
  return {};
}

// A cache in doubt says that its rows may be of any time.
std::string Judge::rows_were_there(const Seen& seen, Interval during) const {
  if (!seen.freshness.doubt.empty()) during.from = 0;
  for (const auto& [collection, rows] : seen.rows) {
    for (const auto& [key, hash] : rows) {
      if (history_.had(collection, key, hash, during.from, during.to)) continue;
      const bool ever = history_.had(collection, key, hash, 0, history_.last());
      return "has a " + name_of(collection, key) + " that the source " +
             (ever ? "did not have when it was checked" : "never had");
    }
  }
  return {};
}

std::string Judge::absence_is_true(const Seen& seen, Interval during) const {
  for (const auto& [item, presence] : seen.presence) {
    if (presence != Presence::absent) continue;
    if (!history_.lacked(item.first, item.second, during.from, history_.last())) {
      return "calls " + name_of(item.first, item.second) +
             " absent, which the source had all the time";
    }
  }
  return {};
}

// What was in scope and the same in every state that the pass can have met must be cached.
// A scan that met several states may hold episodes of each: more than there is room for, so that
// the lowest leave, though they are in the window of every single state.
bool left_for_room(const CacheUnderTest& cache, const Seen& seen, const Listing& lasting,
                   const std::string& key) {
  const auto cached = seen.rows.find("episodes");
  const std::size_t rows = cached == seen.rows.end() ? 0 : cached->second.size();
  const bool full = rows + seen.freshness.incomplete >= cache.scope.max_episodes_cache;
  if (!full || seen.freshness.consistent) return false;
  const auto from = std::ranges::find(lasting, key, [](const auto& row) { return row.first; });
  return std::none_of(from, lasting.end(), [&](const auto& row) {
    return is_listed(seen.rows, "episodes", row.first, row.second);
  });
}

// An episode that left for room, or that was given another date while the list was read, takes its
// embeddings with it, though they stayed the same. `parents`: in any state of the pass.
bool left_with_parent(const Seen& seen, const ScopeView& parents, const std::string& collection,
                      const std::string& key) {
  if (kind_of(collection) != "embeddings" || seen.freshness.consistent) return false;
  const auto is_cached = [&](const std::string& parent) {
    return std::ranges::any_of(seen.rows, [&](const auto& rows) {
      const bool may_be = kind_of(rows.first) != "embeddings";
      return may_be && std::ranges::count(rows.second, parent, [](auto& row) { return row.first; });
    });
  };
  return std::ranges::none_of(parents.children, [&](const auto& parent) {
    return parent.second.contains(collection + "/" + key) && is_cached(parent.first);
  });
}

std::string Judge::nothing_lacks(const CacheUnderTest& cache, const Seen& seen,
                                 Interval during) const {
  if (!seen.freshness.doubt.empty() || seen.freshness.catching_up) return {};
  const ScopeView before = scope_of(history_.at(during.from), cache.scope);
  std::map<std::string, Listing> lasting = before.rows;
  for (std::size_t i = during.from + 1; i <= during.to; ++i) {
    const auto rows = scope_of(history_.at(i), cache.scope).rows;
    for (auto& [collection, listing] : lasting) {
      std::erase_if(listing, [&, &name = collection](const auto& row) {
        return !is_listed(rows, name, row.first, row.second);
      });
    }
  }
  for (const auto& [collection, listing] : lasting) {
    for (const auto& [key, hash] : listing) {
      if (!is_listed(seen.rows, collection, key, hash) &&
          !(collection == "episodes" && left_for_room(cache, seen, listing, key)) &&
          !left_with_parent(seen, before, collection, key)) {
        return "lacks " + name_of(collection, key) + ", in scope during the whole pass";
      }
    }
  }
  return {};
}

std::string Judge::is_one_state(const CacheUnderTest& cache, const Seen& seen,
                                Interval during) const {
  if (!seen.freshness.consistent) return {};
  for (std::size_t i = during.from; i <= during.to; ++i) {
    if (scope_of(history_.at(i), cache.scope).rows == seen.rows) return {};
  }
  return "calls itself consistent, and is no state of the source";
}

// A log does not tell of a full window that nothing older is left; and a list that came in several
// replies proves nothing to a cache that follows no log.
bool Judge::is_unproven(const CacheUnderTest& cache, const Seen& seen,
                        const std::string& collection, Presence presence) const {
  if (collection != "episodes" || presence != Presence::unknown) return false;
  if (!logged_) return !seen.freshness.consistent;
  const auto rows = seen.rows.find(collection);
  return rows != seen.rows.end() &&
         rows->second.size() + seen.freshness.incomplete >= cache.scope.max_episodes_cache;
}

std::string Judge::when_quiet(const CacheUnderTest& cache, const Seen& seen) const {
  const ScopeView scope = scope_of(history_.now(), cache.scope);
  if (scope.rows != seen.rows) return difference(scope.rows, seen.rows);
  for (const auto& [item, presence] : seen.presence) {
    // Of a table that the source does not have, a cache proves nothing.
    const bool there = history_.now().contains(item.first);
    const Presence wanted = there ? presence_in(scope, cache, item) : Presence::unknown;
    if (presence == wanted || is_unproven(cache, seen, item.first, presence)) continue;
    return "says " + std::string(to_string(presence)) + " of " + name_of(item.first, item.second) +
           ", not " + std::string(to_string(wanted));
  }
  if (scope.children != seen.children) return "lists other embeddings of some parent";
  if (seen.freshness.source_unavailable_since) return "says that the source is unavailable";
  const std::size_t skipped = scope.skipped.size() + (logged_ ? 0 : scope.odd.size());
  const std::size_t told = seen.freshness.incomplete;
  // Odd keys that are gone stay told of until then, too: a log says nothing of them either way.
  if (told >= skipped && (logged_ || told <= skipped + scope.not_utf8)) return {};
  std::string items;
  for (const auto& [collection, key] : scope.skipped) items += " " + name_of(collection, key);
  return "tells of " + std::to_string(told) + " skipped rows, not " + std::to_string(skipped) +
         ":" + items;
}

}  // namespace tidemark::simulation
