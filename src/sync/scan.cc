#include "sync/scan.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "cache/order_key.h"
#include "cache/row_format.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using model::Collection;
using model::Kind;

std::string place_text(const Collection& collection, const model::Place& place) {
  return collection.kind == Kind::episodes ? cache::encode_place(place)
                                           : model::key_text(place.key);
}

// In the order of the cache's keys: rows that come so are stored at half the cost, and the file is
// half as large.
void sort_by_key(std::vector<Value>& keys) {
  std::ranges::sort(keys, [](const Value& a, const Value& b) {
    const auto* const a_text = std::get_if<std::string>(&a);
    const auto* const b_text = std::get_if<std::string>(&b);
    if (a_text != nullptr && b_text != nullptr) return *a_text < *b_text;
    return model::key_text(a) < model::key_text(b);
  });
}

// The SQL key of a redb key.
Value key_value(const Collection& collection, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (collection.integer_key && whole) return number;
  return text;
}

FetchedRows encode_page(const Collection& collection, const std::vector<Value>& keys,
                        model::RecordPage page) {
  FetchedRows out;
  out.collection = &collection;
  const std::uint32_t schema_id = collection.schema_id();
  std::unordered_set<std::string_view> seen;
  for (const auto& record : page.records) {
    seen.insert(record.key);
    out.rows.push_back(
        {record.key, cache::encode_row(collection.name, record.key, schema_id, record.cells)});
    if (collection.kind == Kind::embeddings) {
      out.parents.push_back(model::parent_of(collection, record.cells).value_or(model::Parent{}));
    }
    if (collection.kind == Kind::episodes) {
      std::string place;
      cache::append_order_key(place, collection.order_column
                                         ? record.cells[*collection.order_column]
                                         : ValueView::null());
      cache::append_order_key(place, record.cells[collection.key_column]);
      out.places.push_back(std::move(place));
    }
  }
  for (const auto& skip : page.skipped) seen.insert(skip.key);
  for (const Value& key : keys) {
    std::string text = model::key_text(key);
    if (!seen.contains(text)) out.missing.push_back(std::move(text));
  }
  out.skipped = std::move(page.skipped);
  out.vectors_kept_raw = page.vectors_kept_raw;
  return out;
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

Result<void> Scan::run() {
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings) continue;  // they come with their parents
    if (collection.kind != Kind::episodes && !scope_.sync_patterns) continue;
    TIDEMARK_TRY(collection.kind == Kind::episodes ? episodes(collection) : by_key(collection));
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

Result<void> Scan::episodes(const Collection& collection) {
  std::uint64_t wanted = scope_.max_episodes_cache;
  source::ListRequest request;
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
  if (!scope_.sync_embeddings) return {};
  for (std::size_t at = 0; at < keys.size(); at += kParentsPerList) {
    const std::size_t n = std::min(kParentsPerList, keys.size() - at);
    TIDEMARK_TRY(children(collection, std::span(keys).subspan(at, n)));
  }
  return {};
}

Result<void> Scan::children(const Collection& parent, std::span<const Value> keys) {
  for (const Collection& embeddings : catalog_.collections) {
    const bool may_belong = embeddings.kind == Kind::embeddings && embeddings.parent_column &&
                            embeddings.parent_kind.value_or(parent.kind) == parent.kind;
    if (may_belong) TIDEMARK_TRY(children(embeddings, parent, keys));
  }
  return {};
}

Result<void> Scan::children(const Collection& embeddings, const Collection& parent,
                            std::span<const Value> keys) {
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

Result<void> Scan::rows(const Collection& collection, std::span<const Value> keys) {
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
