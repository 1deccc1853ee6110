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

Result<void> Scan::run(Stored stored) {
  stored_ = std::move(stored);
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings) continue;  // they come with their parents
    if (collection.kind != Kind::episodes && !scope_.sync_patterns) continue;
    TIDEMARK_TRY(collection.kind == Kind::episodes
                     ? episodes(collection, {}, scope_.max_episodes_cache)
                     : by_key(collection));
  }
  return scope_.sync_embeddings ? odd_embeddings() : Result<void>{};
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
    std::vector<turso::Statement> statements = {source::list_statement(collection, request)};
    if (first) statements.push_back(source::odd_keys_statement(collection, kOddKeysMax));
    auto results = fetcher_.ask_each(std::move(statements));
    if (!results && turso::is_too_large(results.error()) && request.limit > 1) {
      list_rows_ = request.limit / 2;
      continue;
    }
    if (!results) return std::unexpected(std::move(results).error());
    if (first) TIDEMARK_TRY(tell_odd_keys(collection, (*results)[1]));
    return source::read_list(collection, (*results)[0]);
  }
}

Result<void> Scan::episodes(const Collection& collection, source::ListRequest request,
                            std::uint64_t wanted) {
  bool last = false;
  while (!last) {
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
    TIDEMARK_TRY(chunk(collection, std::move(listed), std::move(event)));
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
    TIDEMARK_TRY(rows(*collection, sorted));
  }
  if (!scope_.sync_embeddings) return {};
  for (const auto& [collection, touched] : keys) {
    if (collection->kind == Kind::embeddings) continue;
    TIDEMARK_TRY(children(*collection, touched));
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
    TIDEMARK_ASSIGN(listed, source::read_list(episodes, rows));
    for (const auto& place : listed.places) places.push_back(place_text(episodes, place));
  }
  return places;
}

Result<void> Scan::by_key(const Collection& collection) {
  source::ListRequest request;
  bool last = false;
  while (!last) {
    TIDEMARK_ASSIGN(listed, list(collection, request, kListChunkRows));
    ListedPlaces event;
    event.last = event.exhausted = last = listed.rows < request.limit;
    if (!last) request.after = listed.last;
    TIDEMARK_TRY(chunk(collection, std::move(listed), std::move(event)));
  }
  return {};
}

// Tells what was listed, then fetches its rows and their embeddings. What is not needed any more is
// freed before: a chunk's list is larger than a page.
Result<void> Scan::chunk(const Collection& collection, source::Listed listed, ListedPlaces event) {
  event.collection = &collection;
  event.skipped = std::move(listed.skipped);
  event.places.reserve(listed.places.size());
  std::vector<Value> keys;
  keys.reserve(listed.places.size());
  for (model::Place& place : listed.places) {
    event.places.push_back(place_text(collection, place));
    keys.push_back(std::move(place.key));
  }
  listed = {};
  TIDEMARK_TRY(send(std::move(event)));
  sort_by_key(keys);
  TIDEMARK_TRY(rows(collection, keys));
  return scope_.sync_embeddings ? children(collection, keys) : Result<void>{};
}

Result<void> Scan::children(const Collection& parent, std::span<const Value> keys) {
  for (const Collection& embeddings : catalog_.collections) {
    const bool may_belong = embeddings.kind == Kind::embeddings && embeddings.parent_column &&
                            embeddings.parent_kind.value_or(parent.kind) == parent.kind;
    if (!may_belong) continue;
    const std::size_t most = embeddings.parent_indexed ? kParentsPerList : kParentsPerWholeRead;
    for (std::size_t at = 0; at < keys.size(); at += most) {
      const std::size_t n = std::min(most, keys.size() - at);
      TIDEMARK_TRY(children(embeddings, parent, keys.subspan(at, n)));
    }
  }
  return {};
}

Result<void> Scan::children(const Collection& embeddings, const Collection& parent,
                            std::span<const Value> keys) {
  TIDEMARK_TRY(fetcher_.afford(keys.size()));
  auto listed = fetcher_.ask(source::list_children_statements(embeddings, keys));
  if (!listed && turso::is_too_large(listed.error()) && keys.size() > 1) {
    TIDEMARK_TRY(children(embeddings, parent, keys.first(keys.size() / 2)));
    return children(embeddings, parent, keys.subspan(keys.size() / 2));
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
  return rows(embeddings, child_keys);
}

// Tells of those that are there.
Result<std::vector<Value>> Scan::not_stored(const Collection& collection,
                                            std::span<const Value> keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const Value& key : keys) texts.push_back(model::key_text(key));
  TIDEMARK_ASSIGN(there, stored_(collection, texts));
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

Result<void> Scan::rows(const Collection& collection, std::span<const Value> keys) {
  std::vector<Value> lacking;
  if (stored_) {
    TIDEMARK_ASSIGN(found, not_stored(collection, keys));
    lacking = std::move(found);
    keys = lacking;
    if (keys.empty()) return {};
  }
  return fetcher_.rows(collection, keys,
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
    TIDEMARK_TRY(rows(*collection, values));
    const bool parents = collection->kind != Kind::embeddings && scope_.sync_embeddings;
    if (with_children && parents) TIDEMARK_TRY(children(*collection, values));
  }
  return {};
}

}  // namespace tidemark::sync
