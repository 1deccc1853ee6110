// Reads of one commit: look-ups with their presence, and slices of scans.
#include <algorithm>

#include "cache/index.h"
#include "cache/meta_store.h"
#include "cache/order_key.h"
#include "cache/read_handle.h"
#include "cache/row_impl.h"

namespace tidemark {

std::string_view to_string(Presence presence) {
  switch (presence) {
    case Presence::hit:
      return "hit";
    case Presence::absent:
      return "absent";
    case Presence::unknown:
      return "unknown";
  }
  return "unknown";
}

namespace cache {
namespace {

constexpr std::size_t kSliceRows = 256;  // a slice lasts milliseconds
constexpr std::size_t kCacheLineBytes = 64;
constexpr std::size_t kPrefetchBytesMax = 2'048;  // what a core keeps in flight, and no more

std::unexpected<Error> unknown_schema(std::string_view key) {
  return fail(ErrorCode::corrupt, "the cached row " + std::string(key) + " has an unknown schema",
              kRepairHint);
}

// The whole row is hashed in a moment: its lines are asked for at once, not one after the other.
void prefetch(std::string_view bytes) {
  const std::size_t end = std::min(bytes.size(), kPrefetchBytesMax);
  for (std::size_t at = 0; at < end; at += kCacheLineBytes) __builtin_prefetch(bytes.data() + at);
}

using RowPointer = std::unique_ptr<Row::Impl>;

// What a row is made from, beside its bytes.
struct Origin {
  Generation& generation;
  std::uint64_t commit;  // redb::ReadTransaction::commit()
  const std::shared_ptr<const CatalogRecord>& catalog;
};

Origin origin_of(const View& view) { return {*view.generation, view.txn.commit(), view.catalog}; }

// A row where it lies in its page.
Result<RowView> row_in_page(const Origin& origin, std::string_view collection, std::string_view key,
                            std::string_view bytes) {
  const auto hash = RowView::stated_hash(bytes);
  RowChecks& checks = origin.generation.row_checks;
  if (hash && checks.knows(origin.commit, bytes.data(), *hash)) return RowView::reopen(bytes);
  prefetch(bytes);
  TIDEMARK_ASSIGN(row, RowView::open(collection, key, bytes));
  checks.add(origin.commit, bytes.data(), row.hash());
  return row;
}

// `collection` is the catalog's own text. Null: the catalog does not know the row's schema.
Result<RowPointer> make_row(const Origin& origin, std::string_view collection, std::string_view key,
                            std::variant<redb::Guard, std::string> bytes) {
  auto impl = std::make_unique<Row::Impl>();
  impl->collection = collection;
  impl->key = key;
  impl->bytes = std::move(bytes);
  const auto* const guard = std::get_if<redb::Guard>(&impl->bytes);
  TIDEMARK_ASSIGN(row, guard != nullptr
                           ? row_in_page(origin, collection, key, guard->bytes())
                           : RowView::open(collection, key, std::get<std::string>(impl->bytes)));
  const auto names = origin.catalog->schemas.find(row.schema_id());
  if (names == origin.catalog->schemas.end() || names->second.size() != row.size()) return nullptr;
  // Shares the catalog's ownership: no copy of the names.
  impl->names = {origin.catalog, &names->second};
  impl->view = row;
  return impl;
}

// May a miss be called absent?
Result<Presence> presence_of_miss(const View& view, const model::Collection& collection,
                                  std::string_view key) {
  const State& state = view.state;
  // While changes are known to be waiting, an item may be one of them.
  const bool unsure = state.in_doubt || state.needs_repair || state.catching_up;
  if (state.checked_at_us == 0 || unsure) return Presence::unknown;
  const bool complete = collection.kind == model::Kind::episodes
                            ? state.window_complete
                            : collection.kind != model::Kind::embeddings && state.sync_patterns;
  if (!complete) return Presence::unknown;
  if (state.hashed) {
    TIDEMARK_ASSIGN(known, view.txn.get(index_table(keys_table(collection.name)), key));
    if (known) return lost_row(collection.name, key);
  }
  TIDEMARK_ASSIGN(skipped, is_skipped(view.txn, state, collection.name, key));
  return skipped ? Presence::unknown : Presence::absent;
}

// What one scan walks: a data table or an index table, and how an entry names its row.
struct Walk {
  std::string table;
  redb::KeyType key_type = redb::KeyType::text;
  std::string prefix;
  bool backward = false;
};

Result<Walk> walk_of(const model::Collection& collection, const Query& query) {
  Walk walk;
  walk.key_type = redb::KeyType::bytes;
  if (query.of_key) {
    walk.table = children_table(collection.name);
    walk.prefix = children_prefix(*query.of_key);
  } else if (!query.where_index.empty()) {
    const auto column = collection.column_index(query.where_index);
    if (!column || !std::ranges::count(collection.index_columns, *column)) {
      std::string known;
      for (const std::size_t c : collection.index_columns) {
        known += (known.empty() ? "" : ", ") + collection.columns[c].name;
      }
      return fail(ErrorCode::invalid, collection.name + " has no index " + query.where_index,
                  known.empty() ? "it has none" : "it has: " + known);
    }
    walk.table = by_table(collection.name, query.where_index);
    append_order_key(walk.prefix, view(query.where_value));
  } else if (collection.kind == model::Kind::episodes) {
    walk.table = newest_table(collection.name);
    walk.backward = true;
  } else {
    walk.table = collection.name;
    walk.key_type = redb::KeyType::text;
  }
  return walk;
}

// The key of the row that an index entry points at.
std::string row_key(const Walk& walk, const Query& query, std::string_view entry) {
  if (walk.backward) return key_of_place(entry);
  if (!query.of_key) return key_after(walk.prefix, entry);
  return key_after(entry.substr(0, walk.prefix.size() + 1), entry);  // skips the kind's tag
}

bool names_other_parent(const Walk& walk, const Query& query, std::string_view entry) {
  if (!query.of_key || query.of_collection.empty() || entry.size() <= walk.prefix.size())
    return false;
  const char tag = entry[walk.prefix.size()];
  const auto kind = model::kind_from_string(query.of_collection);
  return kind && tag != '\0' && tag != static_cast<char>(static_cast<int>(*kind) + 1);
}

std::unexpected<Error> bad_query(std::string message, std::string hint) {
  return fail(ErrorCode::invalid, std::move(message), std::move(hint));
}

// A query that cannot choose anything is a mistake of the caller's, not an empty answer.
Result<void> check_query(const Query& query, model::Kind kind) {
  const bool where = !query.where_index.empty();
  if (where && query.of_key) {
    return bad_query("rows are chosen by an index or by their parent, not by both",
                     "leave out the one or the other");
  }
  if (query.of_key && kind != model::Kind::embeddings) {
    return bad_query(query.collection + " have no parent",
                     "only embeddings are listed by the key "
                     "of what they belong to: `tidemark list embeddings --of KEY`");
  }
  if (where && kind != model::Kind::patterns) {
    return bad_query(query.collection + " has no indexes",
                     "only patterns are listed by a column: "
                     "`tidemark list patterns --where INDEX=VALUE`");
  }
  if (query.of_collection.empty()) return {};
  if (!query.of_key) return bad_query("a parent's collection without its key", "give of_key, too");
  const auto parent = model::kind_from_string(query.of_collection);
  if (parent && *parent != model::Kind::embeddings) return {};
  return bad_query("no embedding belongs to a row of " + query.of_collection,
                   "their parents are in episodes, patterns or heuristics");
}

redb::Range range_of(const Walk& walk, const ScanCursor& cursor, std::string& end) {
  redb::Range range;
  range.entries_max = kSliceRows;
  range.backward = walk.backward;
  if (walk.backward) {
    if (cursor.last) range.to = *cursor.last;
    return range;
  }
  if (!walk.prefix.empty()) {
    end = prefix_end(walk.prefix);
    range.from = walk.prefix;
    range.to = end;
  }
  if (cursor.last) {
    range.from = *cursor.last;
    range.from_exclusive = true;
  }
  return range;
}

std::unexpected<Error> bad_entry(const Walk& walk) {
  return fail(ErrorCode::corrupt, walk.table + " has a damaged entry", kRepairHint);
}

// Keys of a damaged page may come in any order, and a walk that resumes by key must end.
bool out_of_order(const Walk& walk, std::string_view previous, std::string_view key) {
  return walk.backward ? key >= previous : key <= previous;
}

// The row that an entry of a data or index table stands for.
Result<Row> row_of(const View& view, const model::Collection& collection, const Walk& walk,
                   const Query& query, const redb::Entry& entry) {
  const bool data = walk.key_type == redb::KeyType::text;
  const std::string key = data ? std::string(entry.key) : row_key(walk, query, entry.key);
  std::string bytes;
  if (data) {
    bytes = entry.value;
  } else {
    TIDEMARK_ASSIGN(found, view.txn.get(data_table(collection.name), key));
    if (!found) {
      return fail(ErrorCode::corrupt, "an index of " + collection.name + " names a missing row",
                  kRepairHint);
    }
    bytes = found->bytes();
  }
  TIDEMARK_ASSIGN(row, make_row(origin_of(view), collection.name, key, std::move(bytes)));
  if (!row) return unknown_schema(key);
  if (!data && !has_entry(collection, row->view, walk.table, entry.key)) return bad_entry(walk);
  return Row(std::move(row));
}

}  // namespace

std::unexpected<Error> lost_row(std::string_view collection, std::string_view key) {
  return fail(ErrorCode::corrupt,
              "the cached row " + std::string(collection) + " " + std::string(key) + " is lost",
              kRepairHint);
}

std::unexpected<Error> no_collection(const View& view, std::string_view name) {
  std::string known;
  for (const auto& collection : view.catalog->catalog.collections) {
    known += (known.empty() ? "" : ", ") + collection.name;
  }
  return fail(ErrorCode::invalid, "no collection " + std::string(name) + " in the cache",
              "it has: " + known);
}

std::vector<const model::Collection*> tables_of(const View& view, std::string_view name) {
  const auto kind = model::kind_from_string(name);
  std::vector<const model::Collection*> tables;
  for (const auto& collection : view.catalog->catalog.collections) {
    if (kind ? collection.kind == *kind : collection.name == name) tables.push_back(&collection);
  }
  return tables;
}

Result<std::optional<Row>> find_row(Generation& generation, const redb::ReadTransaction& txn,
                                    const std::shared_ptr<const CatalogRecord>& catalog,
                                    std::string_view collection, std::string_view key) {
  const model::Collection* const found = catalog->catalog.find(collection);
  if (found == nullptr) return std::nullopt;
  auto guard = txn.get(data_table(found->name), key);
  if (!guard) return std::unexpected(std::move(guard).error());
  if (!*guard) return std::nullopt;
  const Origin origin{generation, txn.commit(), catalog};
  TIDEMARK_ASSIGN(row, make_row(origin, found->name, key, std::move(**guard)));
  return row ? std::optional(Row(std::move(row))) : std::nullopt;
}

namespace {

// The one table that a name means, without a list of them; null: there is none, or several.
const model::Collection* only_table(const View& view, std::string_view name) {
  const auto kind = model::kind_from_string(name);
  const model::Collection* only = nullptr;
  for (const auto& collection : view.catalog->catalog.collections) {
    if (kind ? collection.kind != *kind : collection.name != name) continue;
    if (only != nullptr) return nullptr;
    only = &collection;
  }
  return only;
}

Result<std::optional<Row>> row_in(const View& view, const model::Collection& table,
                                  std::string_view key) {
  TIDEMARK_ASSIGN(guard, view.txn.get(data_table(table.name), key));
  if (!guard) return std::nullopt;
  TIDEMARK_ASSIGN(row, make_row(origin_of(view), table.name, key, std::move(*guard)));
  if (!row) return unknown_schema(key);
  return Row(std::move(row));
}

}  // namespace

Result<std::vector<Lookup>> lookup_all(const View& view, std::string_view collection,
                                       std::string_view key) {
  const auto tables = tables_of(view, collection);
  if (tables.empty() && !model::kind_from_string(collection)) {
    return no_collection(view, collection);
  }
  std::vector<Lookup> found;
  for (const model::Collection* const table : tables) {
    TIDEMARK_ASSIGN(row, row_in(view, *table, key));
    if (row) found.emplace_back(std::move(*row));
  }
  if (!found.empty()) return found;
  Presence presence = tables.empty() ? Presence::unknown : Presence::absent;
  for (const model::Collection* const table : tables) {
    TIDEMARK_ASSIGN(miss, presence_of_miss(view, *table, key));
    if (miss == Presence::unknown) presence = miss;
  }
  found.emplace_back(presence);
  return found;
}

Result<Lookup> lookup(const View& view, std::string_view collection, std::string_view key) {
  const model::Collection* const table = only_table(view, collection);
  if (table == nullptr) {
    TIDEMARK_ASSIGN(found, lookup_all(view, collection, key));
    return std::move(found.front());
  }
  TIDEMARK_ASSIGN(row, row_in(view, *table, key));
  if (row) return Lookup(std::move(*row));
  TIDEMARK_ASSIGN(miss, presence_of_miss(view, *table, key));
  return Lookup(miss);
}

Result<bool> scan_slice(const View& view, const Query& query, ScanCursor& cursor,
                        const std::function<bool(const Row&)>& visit) {
  const auto tables = tables_of(view, query.collection);
  const auto kind = model::kind_from_string(query.collection);
  if (tables.empty() && !kind) return no_collection(view, query.collection);
  TIDEMARK_TRY(check_query(query, kind ? *kind : tables.front()->kind));
  if (tables.empty()) return false;
  auto table = std::ranges::find_if(tables, [&](const auto* c) {
    return cursor.collection.empty() || c->name >= cursor.collection;
  });
  if (table == tables.end()) return false;
  if ((*table)->name != cursor.collection) cursor = {(*table)->name, {}, cursor.visited};

  TIDEMARK_ASSIGN(walk, walk_of(**table, query));
  std::string end;
  const redb::Range range = range_of(walk, cursor, end);
  TIDEMARK_ASSIGN(slice, view.txn.scan({walk.table, walk.key_type}, range));
  bool first = !cursor.last;
  std::string_view previous = first ? std::string_view() : *cursor.last;
  for (const redb::Entry& entry : slice.entries()) {
    if (!first && out_of_order(walk, previous, entry.key)) return bad_entry(walk);
    previous = entry.key;
    first = false;
    if (names_other_parent(walk, query, entry.key)) continue;
    if (query.limit && cursor.visited >= *query.limit) return false;
    TIDEMARK_ASSIGN(row, row_of(view, **table, walk, query, entry));
    ++cursor.visited;
    if (!visit(row)) return false;
  }
  if (slice.more()) {
    cursor.last = slice.entries().back().key;
    return true;
  }
  if (std::next(table) == tables.end()) return false;
  cursor = {(*std::next(table))->name, {}, cursor.visited};
  return true;
}

}  // namespace cache
}  // namespace tidemark
