#include "sync/scan.h"

#include <algorithm>

#include "cache/order_key.h"
#include "sync/pages.h"
#include "sync/source_reader.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using model::Collection;
using model::Kind;

std::string place_text(const Collection& collection, const model::Place& place) {
  return collection.kind == Kind::episodes ? cache::encode_place(place)
                                           : model::key_text(place.key);
}

}  // namespace

std::size_t bytes_of(const Event& event) {
  struct Visitor {
    std::size_t operator()(const ListedPlaces& e) const { return of(e.places); }
    std::size_t operator()(const ListedChildren& e) const { return of(e.children) + of(e.parents); }
    std::size_t operator()(const FetchedRows& e) const {
      std::size_t bytes = of(e.missing);
      for (const auto& row : e.rows) bytes += row.key.size() + row.bytes.size() + sizeof row;
      return bytes;
    }
    std::size_t operator()(const FetchDone&) const { return 0; }
    static std::size_t of(const std::vector<std::string>& texts) {
      std::size_t bytes = 0;
      for (const auto& text : texts) bytes += text.size() + sizeof(std::string);
      return bytes;
    }
  };
  return std::visit(Visitor{}, event);
}

Scan::Scan(Fetcher& fetcher, const model::Catalog& catalog, const Scope& scope, Emit emit)
    : fetcher_(fetcher),
      catalog_(catalog),
      scope_(scope),
      emit_(std::move(emit)),
      list_rows_(kListChunkRows) {}

Result<void> Scan::send(Event event) {
  if (emit_(std::move(event))) return {};
  return fail(ErrorCode::cancelled, "the writer stopped");
}

Result<void> Scan::run(Cached cached) {
  cached_ = std::move(cached);
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings) continue;  // they come with their parents
    if (collection.kind != Kind::episodes && !scope_.sync_patterns) continue;
    TIDEMARK_TRY(collection.kind == Kind::episodes ? window(collection) : by_key(collection));
  }
  return scope_.sync_embeddings ? odd_embeddings() : Result<void>{};
}

Result<void> Scan::window(const Collection& collection) {
  if (cached_.nothing) {
    TIDEMARK_ASSIGN(all, all_episodes(collection));
    if (all) return {};
  }
  source::ListRequest request;
  request.overflows = cached_.window_full;
  return episodes(collection, std::move(request), scope_.max_episodes_cache);
}

Result<void> Scan::odd_embeddings() {
  std::vector<const Collection*> tables;
  std::vector<turso::Statement> statements;
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind != Kind::embeddings) continue;
    tables.push_back(&collection);
    statements.push_back(source::odd_keys_statement(collection, kOddKeysMax));
  }
  if (tables.empty()) return {};
  TIDEMARK_ASSIGN(results, fetcher_.ask_each(std::move(statements)));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    TIDEMARK_TRY(tell_odd_keys(*tables[i], results[i]));
  }
  return {};
}

Result<void> Scan::tell_odd_keys(const Collection& collection, const model::RowSet& rows) {
  FetchedRows event;
  event.collection = &collection;
  event.skipped = source::read_odd_keys(collection, rows);
  return event.skipped.empty() ? Result<void>{} : send(std::move(event));
}

// The next chunk of a list, of at most `rows_max` rows; smaller ones where the source says that the
// reply was too large, since keys may be long. The first brings the keys that cannot be cached,
// too.
Result<source::Listed> Scan::list(const Collection& collection, source::ListRequest& request,
                                  std::uint64_t rows_max) {
  const bool first = !request.after && !request.nulls_only;
  while (true) {
    request.limit = static_cast<std::size_t>(std::min<std::uint64_t>(list_rows_, rows_max));
    if (const auto left = fetcher_.rows_left(); left && *left < request.limit) {
      request.limit = static_cast<std::size_t>(std::max<std::uint64_t>(1, *left));
    }
    auto statements = source::list_statements(collection, request);
    if (first) statements.push_back(source::odd_keys_statement(collection, kOddKeysMax));
    auto results = fetcher_.ask_each(std::move(statements));
    if (!results && turso::is_too_large(results.error()) && request.limit > 1) {
      list_rows_ = request.limit / 2;
      continue;
    }
    if (!results) return std::unexpected(std::move(results).error());
    if (first) {
      TIDEMARK_TRY(tell_odd_keys(collection, results->back()));
      results->pop_back();
    }
    TIDEMARK_ASSIGN(rows, joined(std::move(*results)));
    return source::read_list(collection, request, rows);
  }
}

Result<void> Scan::episodes(const Collection& collection, source::ListRequest request,
                            std::uint64_t wanted) {
  bool last = false;
  while (!last) {
    const bool first = !request.after && !request.nulls_only;
    // One more than the window: whether the source has older rows.
    TIDEMARK_ASSIGN(listed, list(collection, request, wanted + 1));
    const bool walk_ended = listed.rows < request.limit;
    // The first request walks NULL order values too; after it they have a walk of their own.
    const bool exhausted = walk_ended && (!request.after || request.nulls_only);
    if (walk_ended) {
      request.nulls_only = true;
      request.after.reset();
    } else if (listed.last) {
      request.after = *listed.last;
      request.nulls_only = std::holds_alternative<std::monostate>(request.after->order);
    }

    const bool window_full = listed.places.size() > wanted;
    if (window_full) listed.places.resize(static_cast<std::size_t>(wanted));
    wanted -= listed.places.size();
    ListedPlaces event;
    event.exhausted = exhausted && !window_full;
    event.last = last = event.exhausted || window_full;
    const Keys lie = first && event.exhausted ? Keys::adjacent : Keys::scattered;
    TIDEMARK_TRY(chunk(collection, std::move(listed), lie, std::move(event)));
  }
  return {};
}

Result<void> Scan::below(const Collection& episodes, const model::Place& after,
                         std::uint64_t wanted) {
  source::ListRequest request;
  request.after = after;
  request.nulls_only = std::holds_alternative<std::monostate>(after.order);
  return this->episodes(episodes, std::move(request), wanted);
}

Result<void> Scan::touched(const std::map<const Collection*, std::vector<Value>>& keys) {
  for (const auto& [collection, touched] : keys) {
    std::vector<Value> sorted = touched;
    sort_by_key(sorted);
    TIDEMARK_TRY(rows(*collection, sorted, Keys::scattered));
  }
  if (!scope_.sync_embeddings) return {};
  for (const auto& [collection, touched] : keys) {
    if (collection->kind == Kind::embeddings) continue;
    TIDEMARK_TRY(children(*collection, touched, Keys::scattered));
  }
  return {};
}

Result<std::vector<std::string>> Scan::places(const Collection& episodes,
                                              const std::vector<std::string>& keys) {
  std::vector<Value> values;
  values.reserve(keys.size());
  for (const std::string& key : keys) values.push_back(key_value(episodes, key));
  std::vector<std::string> places;
  for (std::size_t at = 0; at < values.size(); at += kParentsPerList) {
    const std::size_t n = std::min(kParentsPerList, values.size() - at);
    TIDEMARK_ASSIGN(
        rows, fetcher_.ask(source::places_statements(episodes, std::span(values).subspan(at, n))));
    source::ListRequest all;
    all.limit = rows.size();
    TIDEMARK_ASSIGN(listed, source::read_list(episodes, all, rows));
    for (const auto& place : listed.places) places.push_back(place_text(episodes, place));
  }
  return places;
}

// False: nothing was told, since the window has no room for all, their keys are too long for one
// reply, or no index has them in order.
Result<bool> Scan::all_episodes(const Collection& collection) {
  if (!collection.access.key_index) return false;  // each chunk of keys would be sorted
  const std::uint64_t room = scope_.max_episodes_cache;
  source::ListRequest keys;
  keys.by_key = true;
  keys.limit = static_cast<std::size_t>(std::min<std::uint64_t>(list_rows_, room + 1));
  if (fetcher_.rows_left()) return false;  // they are counted by the list of the window
  source::ListRequest newest;
  newest.overflows = true;
  newest.limit = 1;
  auto statements = source::list_statements(collection, newest);
  const bool list_tells = keys.limit > room;
  if (!list_tells) statements.push_back(source::more_than_statement(collection, room));
  statements.push_back(source::odd_keys_statement(collection, kOddKeysMax));
  std::ranges::move(source::list_statements(collection, keys), std::back_inserter(statements));
  auto results = fetcher_.ask_each(std::move(statements));
  if (!results && turso::is_too_large(results.error())) return false;
  if (!results) return std::unexpected(std::move(results).error());

  const auto take_last = [&] {
    model::RowSet rows = std::move(results->back());
    results->pop_back();
    return rows;
  };
  TIDEMARK_ASSIGN(listed, source::read_list(collection, keys, take_last()));
  const model::RowSet odd = take_last();
  if (list_tells ? listed.rows > room : take_last().size() > 0) return false;
  TIDEMARK_ASSIGN(rows, joined(std::move(*results)));
  TIDEMARK_ASSIGN(first, source::read_list(collection, newest, rows));
  TIDEMARK_TRY(tell_odd_keys(collection, odd));
  const std::string key =
      first.places.empty() ? std::string() : model::key_text(first.places[0].key);
  TIDEMARK_TRY(walk_keys(collection, std::move(keys), std::move(listed), key));
  return true;
}

Result<void> Scan::by_key(const Collection& collection) {
  source::ListRequest request;
  TIDEMARK_ASSIGN(listed, list(collection, request, kListChunkRows));
  return walk_keys(collection, std::move(request), std::move(listed), {});
}

Result<void> Scan::walk_keys(const Collection& collection, source::ListRequest request,
                             source::Listed listed, const std::string& newest) {
  while (true) {
    ListedPlaces event;
    event.by_key = true;
    event.newest = newest;
    const bool last = listed.rows < request.limit;
    event.last = event.exhausted = last;
    if (!last) request.after = listed.last;
    TIDEMARK_TRY(chunk(collection, std::move(listed), Keys::adjacent, std::move(event)));
    if (last) return {};
    TIDEMARK_ASSIGN(next, list(collection, request, kListChunkRows));
    listed = std::move(next);
  }
}

// Tells what was listed, then fetches its rows and their embeddings. What is not needed any more is
// freed before: a chunk's list is larger than a page.
Result<void> Scan::chunk(const Collection& collection, source::Listed listed, Keys lie,
                         ListedPlaces event) {
  event.collection = &collection;
  event.skipped = std::move(listed.skipped);
  event.places.reserve(listed.places.size());
  std::vector<Value> keys;
  keys.reserve(listed.places.size());
  for (model::Place& place : listed.places) {
    event.places.push_back(event.by_key ? model::key_text(place.key)
                                        : place_text(collection, place));
    keys.push_back(std::move(place.key));
  }
  listed = {};
  TIDEMARK_TRY(send(std::move(event)));
  sort_by_key(keys);
  TIDEMARK_TRY(rows(collection, keys, lie));
  return scope_.sync_embeddings ? children(collection, keys, lie) : Result<void>{};
}

Result<void> Scan::children(const Collection& parent, std::span<const Value> keys, Keys lie) {
  for (const Collection& embeddings : catalog_.collections) {
    const bool may_belong = embeddings.kind == Kind::embeddings && embeddings.parent_column &&
                            embeddings.parent_kind.value_or(parent.kind) == parent.kind;
    if (!may_belong) continue;
    const std::size_t most =
        embeddings.access.parent_index ? kParentsPerList : kParentsPerWholeRead;
    for (std::size_t at = 0; at < keys.size(); at += most) {
      const std::size_t n = std::min(most, keys.size() - at);
      TIDEMARK_TRY(children(embeddings, parent, keys.subspan(at, n),
                            n == keys.size() ? lie : Keys::scattered));
    }
  }
  return {};
}

Result<void> Scan::children(const Collection& embeddings, const Collection& parent,
                            std::span<const Value> keys, Keys lie) {
  TIDEMARK_TRY(fetcher_.afford(keys.size()));
  auto listed = fetcher_.ask(source::list_children_statements(embeddings, keys));
  if (!listed && turso::is_too_large(listed.error()) && keys.size() > 1) {
    TIDEMARK_TRY(children(embeddings, parent, keys.first(keys.size() / 2), Keys::scattered));
    return children(embeddings, parent, keys.subspan(keys.size() / 2), Keys::scattered);
  }
  if (!listed) return std::unexpected(std::move(listed).error());
  TIDEMARK_ASSIGN(found, source::read_children(embeddings, *listed));
  ListedChildren event;
  event.collection = &embeddings;
  event.parent_kind = parent.kind;
  for (const Value& key : keys) event.parents.push_back(model::key_text(key));
  std::vector<Value> child_keys;
  for (source::Child& child : found) {
    if (child.parent.kind.value_or(parent.kind) != parent.kind) continue;
    event.children.push_back(model::key_text(child.key));
    child_keys.push_back(std::move(child.key));
  }
  TIDEMARK_TRY(send(std::move(event)));
  sort_by_key(child_keys);
  return rows(embeddings, child_keys, lie);
}

// Tells of those that are there.
Result<std::vector<Value>> Scan::not_stored(const Collection& collection,
                                            std::span<const Value> keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const Value& key : keys) texts.push_back(model::key_text(key));
  TIDEMARK_ASSIGN(there, cached_.stored(collection, texts));
  std::vector<Value> lacking;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!there[i]) lacking.push_back(keys[i]);
  }
  FetchedRows event;
  event.collection = &collection;
  event.stored = keys.size() - lacking.size();
  if (event.stored > 0) TIDEMARK_TRY(send(std::move(event)));
  return lacking;
}

Result<void> Scan::rows(const Collection& collection, std::span<const Value> keys, Keys lie) {
  std::vector<Value> lacking;
  if (cached_.stored) {
    TIDEMARK_ASSIGN(found, not_stored(collection, keys));
    lacking = std::move(found);
    lie = lacking.size() == keys.size() ? lie : Keys::scattered;
    keys = lacking;
    if (keys.empty()) return {};
  }
  return fetcher_.rows(collection, keys, lie,
                       [&](const std::vector<Value>& asked, model::RecordPage page) {
                         return send(encode_page(collection, asked, std::move(page)));
                       });
}

Result<void> Scan::confirm(const std::map<const Collection*, std::vector<std::string>>& keys,
                           bool with_children) {
  for (const auto& [collection, texts] : keys) {
    std::vector<Value> values;
    values.reserve(texts.size());
    for (const std::string& text : texts) values.push_back(key_value(*collection, text));
    TIDEMARK_TRY(rows(*collection, values, Keys::scattered));
    const bool parents = collection->kind != Kind::embeddings && scope_.sync_embeddings;
    if (with_children && parents) {
      TIDEMARK_TRY(children(*collection, values, Keys::scattered));
    }
  }
  return {};
}

}  // namespace tidemark::sync
