// tidemark.h over the C++ reader: translates, and lets no exception out.
#include <chrono>
#include <utility>

#include "abi/handles.h"
#include "abi/translate.h"

using namespace tidemark;       // NOLINT: this file is the boundary between the two
using namespace tidemark::abi;  // NOLINT: as well

namespace {

// The enumerations of tidemark.h are those of the C++ headers, in their order.
static_assert(static_cast<int>(ErrorCode::unavailable) + 1 == TIDEMARK_UNAVAILABLE);
static_assert(static_cast<int>(ErrorCode::internal) + 1 == TIDEMARK_INTERNAL);
static_assert(static_cast<int>(Presence::hit) == TIDEMARK_HIT);
static_assert(static_cast<int>(Presence::unknown) == TIDEMARK_UNKNOWN);
static_assert(static_cast<int>(ValueType::null) == TIDEMARK_NULL);
static_assert(static_cast<int>(ValueType::repeated) == TIDEMARK_REPEATED);
static_assert(static_cast<int>(FreshnessState::fresh) == TIDEMARK_IS_FRESH);
static_assert(static_cast<int>(FreshnessState::needs_repair) == TIDEMARK_TO_REPAIR);

ReaderOptions reader_options(const tidemark_options* given) {
  const tidemark_options o = known_part(given);
  ReaderOptions options;
  if (o.page_cache_bytes > 0) options.page_cache_bytes = o.page_cache_bytes;
  if (o.open_deadline_ms > 0) options.open_deadline = std::chrono::milliseconds(o.open_deadline_ms);
  if (o.max_staleness_ms > 0) options.max_staleness = std::chrono::milliseconds(o.max_staleness_ms);
  if (o.fail_when_stale != 0) options.when_stale = StalePolicy::fail;
  options.repair = o.never_repair == 0;
  if (o.vector_cache_bytes > 0) options.vector_cache_bytes = o.vector_cache_bytes;
  return options;
}

Result<Value> value_of(const tidemark_value& value) {
  switch (value.type) {
    case TIDEMARK_NULL:
      return Value();
    case TIDEMARK_INT64:
      return Value(value.int64);
    case TIDEMARK_REAL:
      return Value(value.real);
    case TIDEMARK_TEXT:
      return Value(std::string(view_of(value.bytes)));
    case TIDEMARK_BLOB:
      return Value(Blob{std::string(view_of(value.bytes))});
    default:
      return fail(ErrorCode::invalid, "where_value has no type that an index holds");
  }
}

Result<Query> query_of(const tidemark_query* given) {
  const tidemark_query q = known_part(given);
  Query query;
  query.collection = view_of(q.collection);
  if (q.limit > 0) query.limit = q.limit;
  if (q.of_key.data != nullptr) query.of_key = view_of(q.of_key);
  query.of_collection = view_of(q.of_collection);
  query.where_index = view_of(q.where_index);
  TIDEMARK_ASSIGN(value, value_of(q.where_value));
  query.where_value = std::move(value);
  return query;
}

}  // namespace

const char* tidemark_version(void) { return TIDEMARK_VERSION; }

tidemark_code tidemark_open(tidemark_bytes path, const tidemark_options* options,
                            tidemark_cache** cache, tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr) return missing("cache");
    TIDEMARK_ASSIGN(reader, Reader::open(std::string(view_of(path)), reader_options(options)));
    *cache = new tidemark_cache{std::move(reader)};
    return {};
  });
}

tidemark_code tidemark_snapshot(const tidemark_cache* cache, tidemark_cache** snapshot,
                                tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr || snapshot == nullptr) return missing("cache or snapshot");
    const auto* const reader = std::get_if<Reader>(&cache->reads);
    if (reader == nullptr) return fail(ErrorCode::invalid, "a snapshot has no snapshots");
    TIDEMARK_ASSIGN(made, reader->snapshot());
    *snapshot = new tidemark_cache{std::move(made)};
    return {};
  });
}

void tidemark_close(tidemark_cache* cache) { delete cache; }

tidemark_code tidemark_get(const tidemark_cache* cache, tidemark_bytes collection,
                           tidemark_bytes key, tidemark_presence* presence, tidemark_row** row,
                           tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr || presence == nullptr || row == nullptr) {
      return missing("cache, presence or row");
    }
    TIDEMARK_ASSIGN(
        found,
        std::visit([&](const auto& reads) { return reads.get(view_of(collection), view_of(key)); },
                   cache->reads));
    const Presence said = found.presence();
    *row = found ? new tidemark_row(std::move(found).row()) : nullptr;
    *presence = static_cast<tidemark_presence>(said);
    return {};
  });
}

tidemark_code tidemark_list(const tidemark_cache* cache, const tidemark_query* query,
                            tidemark_visit visit, void* context, tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr || query == nullptr || visit == nullptr) {
      return missing("cache, query or visit");
    }
    TIDEMARK_ASSIGN(asked, query_of(query));
    return std::visit(
        [&](const auto& reads) {
          return reads.scan(asked, [&](const Row& row) {
            const tidemark_row borrowed(&row);
            return visit(&borrowed, context) != 0;
          });
        },
        cache->reads);
  });
}

tidemark_code tidemark_freshness_of(const tidemark_cache* cache, tidemark_freshness* freshness,
                                    tidemark_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (cache == nullptr || freshness == nullptr) return missing("cache or freshness");
    TIDEMARK_ASSIGN(
        found, std::visit([](const auto& reads) { return Result<Freshness>(reads.freshness()); },
                          cache->reads));
    give(c_freshness(found), freshness);
    return {};
  });
}

tidemark_row* tidemark_row_keep(const tidemark_row* row) {
  try {
    return new tidemark_row(row->row->copy());
  } catch (...) {
    return nullptr;
  }
}

tidemark_bytes tidemark_row_collection(const tidemark_row* row) {
  return bytes_of(row->row->collection());
}
tidemark_bytes tidemark_row_key(const tidemark_row* row) { return bytes_of(row->row->key()); }
size_t tidemark_row_columns(const tidemark_row* row) { return row->row->column_count(); }

tidemark_bytes tidemark_row_column(const tidemark_row* row, size_t column) {
  if (column >= row->row->column_count()) return {nullptr, 0};
  return bytes_of(row->row->column_name(column));
}

tidemark_value tidemark_row_value(const tidemark_row* row, size_t column) {
  if (column >= row->row->column_count()) return {};
  const ValueView value = row->row->at(column);
  return {static_cast<tidemark_type>(value.type()), value.as_int64(), value.as_real(),
          bytes_of(value.bytes())};
}

tidemark_bytes tidemark_row_json(const tidemark_row* row) {
  try {
    std::call_once(row->json_made, [row] { row->json = row->row->to_json(); });
    return bytes_of(row->json);
  } catch (...) {
    return {nullptr, 0};
  }
}

void tidemark_row_free(tidemark_row* row) { delete row; }

tidemark_code tidemark_error_code(const tidemark_error* error) {
  return code_of(error->error.code);
}
tidemark_bytes tidemark_error_message(const tidemark_error* error) {
  return bytes_of(error->error.message);
}
tidemark_bytes tidemark_error_hint(const tidemark_error* error) {
  return bytes_of(error->error.hint);
}
void tidemark_error_free(tidemark_error* error) { delete error; }
