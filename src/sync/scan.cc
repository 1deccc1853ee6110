#include "sync/scan.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "cache/order_key.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using model::Collection;
using model::Kind;

std::string place_text(const Collection& collection, const model::Place& place) {
  return collection.kind == Kind::episodes ? cache::encode_place(place)
                                           : model::key_text(place.key);
}

std::vector<Value> keys_of(std::span<const model::Place> places) {
  std::vector<Value> keys;
  keys.reserve(places.size());
  for (const auto& place : places) keys.push_back(place.key);
  return keys;
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
  std::unordered_set<std::string_view> seen;
  for (const auto& record : page.records) {
    seen.insert(record.key);
    out.rows.push_back(cache::encode_record(collection, record));
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
    TIDEMARK_TRY(odd_keys(collection));
    TIDEMARK_TRY(collection.kind == Kind::episodes ? episodes(collection) : by_key(collection));
  }
  if (!scope_.sync_embeddings) return {};
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings) TIDEMARK_TRY(odd_keys(collection));
  }
  return {};
}

Result<void> Scan::odd_keys(const Collection& collection) {
  TIDEMARK_ASSIGN(rows, fetcher_.ask(source::odd_keys_statement(collection, kOddKeysMax)));
  FetchedRows event;
  event.collection = &collection;
  event.skipped = source::read_odd_keys(collection, rows);
  return event.skipped.empty() ? Result<void>{} : send(std::move(event));
}

// The next chunk of a list, of at most `rows_max` rows; smaller ones where the source says that the
// reply was too large, since keys may be long.
Result<model::RowSet> Scan::list(const Collection& collection, source::ListRequest& request,
                                 std::uint64_t rows_max) {
  while (true) {
    request.limit = static_cast<std::size_t>(std::min<std::uint64_t>(list_rows_, rows_max));
    auto rows = fetcher_.ask(source::list_statement(collection, request));
    if (rows || !turso::is_too_large(rows.error()) || request.limit == 1) return rows;
    list_rows_ = request.limit / 2;
  }
}

Result<void> Scan::episodes(const Collection& collection) {
  std::uint64_t wanted = scope_.max_episodes_cache;
  source::ListRequest request;
  while (true) {
    // One more than the window: whether the source has older rows.
    TIDEMARK_ASSIGN(rows, list(collection, request, wanted + 1));
    TIDEMARK_ASSIGN(listed, source::read_list(collection, rows));
    const bool walk_ended = listed.rows < request.limit;
    // The first request walks NULL order values too; after it they have a walk of their own.
    const bool exhausted = walk_ended && (!request.after || request.nulls_only);
    if (walk_ended) {
      request.nulls_only = true;
      request.after.reset();
    } else if (!listed.places.empty()) {
      request.after = listed.places.back();
      request.nulls_only = std::holds_alternative<std::monostate>(request.after->order);
    }

    const std::size_t kept =
        static_cast<std::size_t>(std::min<std::uint64_t>(wanted, listed.places.size()));
    const bool window_full = listed.places.size() > kept;
    wanted -= kept;
    const std::span<const model::Place> places(listed.places.data(), kept);
    ListedPlaces event;
    event.collection = &collection;
    event.skipped = std::move(listed.skipped);
    for (const auto& place : places) event.places.push_back(place_text(collection, place));
    event.exhausted = exhausted && !window_full;
    event.last = event.exhausted || window_full;
    const bool last = event.last;
    TIDEMARK_TRY(send(std::move(event)));
    TIDEMARK_TRY(chunk(collection, places));
    if (last) return {};
  }
}

Result<void> Scan::by_key(const Collection& collection) {
  source::ListRequest request;
  while (true) {
    TIDEMARK_ASSIGN(rows, list(collection, request, kListChunkRows));
    TIDEMARK_ASSIGN(listed, source::read_list(collection, rows));
    ListedPlaces event;
    event.collection = &collection;
    event.skipped = std::move(listed.skipped);
    event.last = listed.rows < request.limit;
    event.exhausted = event.last;
    for (const auto& place : listed.places) event.places.push_back(place_text(collection, place));
    const bool last = event.last;
    TIDEMARK_TRY(send(std::move(event)));
    TIDEMARK_TRY(chunk(collection, listed.places));
    if (last) return {};
    request.after = std::move(listed.places.back());
  }
}

Result<void> Scan::chunk(const Collection& collection, std::span<const model::Place> places) {
  const std::vector<Value> keys = keys_of(places);
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
  return rows(embeddings, child_keys);
}

Result<void> Scan::rows(const Collection& collection, std::span<const Value> keys) {
  return fetcher_.rows(collection, keys,
                       [&](const std::vector<Value>& asked, model::RecordPage page) {
                         return send(encode_page(collection, asked, std::move(page)));
                       });
}

Result<void> Scan::confirm(const std::map<const Collection*, std::vector<std::string>>& keys) {
  for (const auto& [collection, texts] : keys) {
    std::vector<Value> values;
    values.reserve(texts.size());
    for (const std::string& text : texts) values.push_back(key_value(*collection, text));
    TIDEMARK_TRY(rows(*collection, values));
  }
  return {};
}

}  // namespace tidemark::sync
