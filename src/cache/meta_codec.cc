#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cache/meta.h"
#include "cache/record_hash.h"

namespace tidemark::cache {
namespace {

using Json = nlohmann::json;

// commit, checked_at, skipped, unavailable_since, position, ahead (8 bytes each), catalog version
// (4), flags (2), record version (1), spare (1)
constexpr std::size_t kStateBytes = 56;
// Two bits apart, so that no flipped bit makes a hashed record one of the format without hashes.
constexpr std::uint8_t kStateUnhashed = 1;
constexpr std::uint8_t kStateHashed = 2;
constexpr unsigned kStateFlags = 7;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, "the cache's " + std::string(what) + " record is damaged",
              kRepairHint);
}

class Bytes {
 public:
  template <typename T>
  void put(T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string out;
};

template <typename T>
T take(std::string_view& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// get<> would convert a float or a negative number; this throws on them.
std::uint64_t whole_number(const Json& json) {
  return json.get_ref<const Json::number_unsigned_t&>();
}

std::optional<std::size_t> optional_index(const Json& json, const char* name) {
  const Json& value = json.at(name);
  return value.is_null() ? std::nullopt : std::optional(whole_number(value));
}

Json to_json(const model::Collection& c) {
  Json columns = Json::array();
  for (const auto& column : c.columns) columns.push_back({column.name, column.declared_type});
  Json json = {
      {"name", c.name},
      {"kind", std::string(model::to_string(c.kind))},
      {"columns", columns},
      {"key", c.key_column},
      {"integer_key", c.integer_key},
      {"order", optional_json(c.order_column)},
      {"parent", optional_json(c.parent_column)},
      {"parent_type", optional_json(c.parent_type_column)},
      {"parent_kind", c.parent_kind ? Json(std::string(model::to_string(*c.parent_kind))) : Json()},
      {"vector", optional_json(c.vector_column)},
      {"vector_text", optional_json(c.vector_text_column)},
      {"dimension", optional_json(c.dimension_column)},
      {"indexes", c.index_columns}};
  if (c.access.key_index) json["key_indexed"] = true;
  if (c.access.order_index) json["order_indexed"] = true;
  if (!c.access.parent_index) json["parent_indexed"] = false;
  return json;
}

bool in_range(const model::Collection& c) {
  const std::size_t n = c.columns.size();
  const auto fits = [n](const std::optional<std::size_t>& column) {
    return !column || *column < n;
  };
  bool fine = c.key_column < n && fits(c.order_column) && fits(c.parent_column) &&
              fits(c.parent_type_column) && fits(c.vector_column) && fits(c.vector_text_column) &&
              fits(c.dimension_column);
  for (const std::size_t column : c.index_columns) fine = fine && column < n;
  return fine;
}

model::Collection collection_from(const Json& json) {
  model::Collection c;
  c.name = json.at("name").get<std::string>();
  c.kind = model::kind_from_string(json.at("kind").get<std::string>()).value();
  for (const Json& column : json.at("columns")) {
    c.columns.push_back({column.at(0).get<std::string>(), column.at(1).get<std::string>()});
  }
  c.key_column = whole_number(json.at("key"));
  c.integer_key = json.at("integer_key").get<bool>();
  c.order_column = optional_index(json, "order");
  c.parent_column = optional_index(json, "parent");
  c.parent_type_column = optional_index(json, "parent_type");
  if (const Json& kind = json.at("parent_kind"); !kind.is_null()) {
    c.parent_kind = model::kind_from_string(kind.get<std::string>());
    if (!c.parent_kind) throw std::bad_optional_access();
  }
  c.vector_column = optional_index(json, "vector");
  c.vector_text_column = optional_index(json, "vector_text");
  c.dimension_column = optional_index(json, "dimension");
  c.access.key_index = json.value("key_indexed", false);
  c.access.order_index = json.value("order_indexed", false);
  c.access.parent_index = json.value("parent_indexed", true);
  for (const Json& column : json.at("indexes")) c.index_columns.push_back(whole_number(column));
  return c;
}

// A 32-bit number in its one form.
std::optional<std::uint32_t> schema_id_from(const std::string& text) {
  std::uint32_t id = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), id).ec != std::errc{} ||
      std::to_string(id) != text) {
    return std::nullopt;
  }
  return id;
}

// nlohmann throws on a wrong type, value() on a word that is none of ours; here both become
// `corrupt`.
template <typename Decode>
auto decoded(std::string_view bytes, const char* what, Decode decode)
    -> Result<decltype(decode(Json()))> {
  try {
    return decode(Json::parse(bytes));
  } catch (const Json::exception&) {
    return damaged(what);
  } catch (const std::bad_optional_access&) {
    return damaged(what);
  }
}

}  // namespace

std::string encode_state(const State& state) {
  Bytes bytes;
  bytes.put(state.commit_id);
  bytes.put(state.checked_at_us);
  bytes.put(state.skipped);
  bytes.put(state.source_unavailable_since_us);
  bytes.put(state.position);
  bytes.put(state.ahead);
  bytes.put(state.catalog_version);
  std::uint16_t flags = 0;
  unsigned bit = 0;
  for (const bool flag :
       {state.window_complete, state.sync_patterns, state.sync_embeddings, state.in_doubt,
        state.needs_repair, state.catching_up, state.consistent}) {
    flags = static_cast<std::uint16_t>(flags | (flag ? 1U << bit : 0U));
    ++bit;
  }
  bytes.put(flags);
  bytes.put(state.hashed ? kStateHashed : kStateUnhashed);
  bytes.put(std::uint8_t{0});
  return std::move(bytes.out);
}

Result<State> decode_state(std::string_view bytes) {
  if (bytes.size() != kStateBytes) return damaged("state");
  const auto version = static_cast<std::uint8_t>(bytes[54]);
  if (version != kStateHashed && version != kStateUnhashed) return damaged("state");
  State state;
  state.hashed = version == kStateHashed;
  state.commit_id = take<std::uint64_t>(bytes);
  state.checked_at_us = take<std::int64_t>(bytes);
  state.skipped = take<std::uint64_t>(bytes);
  state.source_unavailable_since_us = take<std::int64_t>(bytes);
  state.position = take<std::uint64_t>(bytes);
  state.ahead = take<std::uint64_t>(bytes);
  state.catalog_version = take<std::uint32_t>(bytes);
  const auto flags = take<std::uint16_t>(bytes);
  unsigned bit = 0;
  for (bool* const flag :
       {&state.window_complete, &state.sync_patterns, &state.sync_embeddings, &state.in_doubt,
        &state.needs_repair, &state.catching_up, &state.consistent}) {
    *flag = (flags >> bit & 1U) != 0;
    ++bit;
  }
  const bool known_only = flags >> kStateFlags == 0 && bytes[1] == 0;
  if (!known_only) return damaged("state");
  return state;
}

std::string encode_catalog(const CatalogRecord& record) {
  Json collections = Json::array();
  for (const auto& collection : record.catalog.collections)
    collections.push_back(to_json(collection));
  Json schemas = Json::object();
  for (const auto& [id, names] : record.schemas) schemas[std::to_string(id)] = names;
  const Json json = {{"collections", collections},
                     {"notes", record.catalog.notes},
                     {"fingerprint", record.catalog.fingerprint},
                     {"schemas", schemas}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CatalogRecord> decode_catalog(std::string_view bytes) {
  auto record = decoded(bytes, "catalog", [](const Json& json) {
    CatalogRecord out;
    for (const Json& collection : json.at("collections")) {
      out.catalog.collections.push_back(collection_from(collection));
    }
    out.catalog.notes = json.at("notes").get<std::vector<std::string>>();
    out.catalog.fingerprint = json.at("fingerprint").get<std::string>();
    for (const auto& [id, names] : json.at("schemas").items()) {
      out.schemas[schema_id_from(id).value()] = names.get<std::vector<std::string>>();
    }
    return out;
  });
  if (!record) return record;
  for (const auto& collection : record->catalog.collections) {
    if (!in_range(collection)) return damaged("catalog");
  }
  return record;
}

std::string encode_identity(const Identity& identity) {
  const Json json = {{"format_version", identity.format_version},
                     {"generation", identity.generation},
                     {"source", identity.source},
                     {"max_episodes_cache", identity.scope.max_episodes_cache},
                     {"sync_patterns", identity.scope.sync_patterns},
                     {"sync_embeddings", identity.scope.sync_embeddings},
                     {"server_traits", identity.server_traits}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Identity> decode_identity(std::string_view bytes) {
  auto identity = decoded(bytes, "identity", [](const Json& json) {
    Identity out;
    out.format_version = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(whole_number(json.at("format_version")), UINT32_MAX));
    if (out.format_version > kFormatVersion) return out;
    out.generation = json.at("generation").get<std::string>();
    out.source = json.at("source").get<std::string>();
    out.scope.max_episodes_cache = whole_number(json.at("max_episodes_cache"));
    out.scope.sync_patterns = json.at("sync_patterns").get<bool>();
    out.scope.sync_embeddings = json.at("sync_embeddings").get<bool>();
    out.server_traits = json.at("server_traits").get<std::string>();
    return out;
  });
  if (identity && identity->format_version > kFormatVersion) {
    return fail(ErrorCode::unsupported,
                "the cache has format " + std::to_string(identity->format_version) +
                    ", newer than this tidemark's " + std::to_string(kFormatVersion),
                "update tidemark, or give another --cache path");
  }
  return identity;
}

std::string encode_capture(const CaptureRecord& record) {
  const Json json = {{"database_id", record.database_id},
                     {"epochs", record.epochs},
                     {"position_nonce", optional_json(record.position_nonce)},
                     {"ahead_nonce", optional_json(record.ahead_nonce)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CaptureRecord> decode_capture(std::string_view bytes) {
  return decoded(bytes, "capture", [](const Json& json) {
    const auto nonce = [&json](const char* name) -> std::optional<std::int64_t> {
      const Json& value = json.at(name);
      if (value.is_null()) return std::nullopt;
      return value.get<std::int64_t>();
    };
    CaptureRecord out;
    out.database_id = json.at("database_id").get<std::string>();
    out.epochs = json.at("epochs").get<std::map<std::string, std::string>>();
    out.position_nonce = nonce("position_nonce");
    out.ahead_nonce = nonce("ahead_nonce");
    return out;
  });
}

std::string encode_audit(const AuditRecord& record) {
  Json missed = Json::object();
  for (const auto& [table, found] : record.missed) {
    missed[table] = {{"changes", found.changes}, {"epoch", found.epoch}};
  }
  const Json json = {{"ended_at_us", record.ended_at_us},
                     {"missed_at_us", record.missed_at_us},
                     {"missed", missed}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<AuditRecord> decode_audit(std::string_view bytes) {
  return decoded(bytes, "audit", [](const Json& json) {
    AuditRecord out;
    out.ended_at_us = json.at("ended_at_us").get_ref<const Json::number_integer_t&>();
    out.missed_at_us = json.at("missed_at_us").get_ref<const Json::number_integer_t&>();
    for (const auto& [table, found] : json.at("missed").items()) {
      out.missed[table] = {whole_number(found.at("changes")), found.at("epoch").get<std::string>()};
    }
    return out;
  });
}

std::string seal_record(std::string_view name, std::string_view bytes) {
  const std::uint64_t hash = record_hash(name, bytes);
  std::string out(reinterpret_cast<const char*>(&hash), sizeof hash);
  out += bytes;
  return out;
}

Result<std::string_view> unseal_record(std::string_view name, std::string_view stored) {
  std::uint64_t hash = 0;
  if (stored.size() < sizeof hash) return damaged(name);
  std::memcpy(&hash, stored.data(), sizeof hash);
  stored.remove_prefix(sizeof hash);
  if (hash != record_hash(name, stored)) return damaged(name);
  return stored;
}

Result<Identity> decode_stored_identity(std::string_view stored) {
  if (const auto bytes = unseal_record("identity", stored)) {
    auto identity = decode_identity(*bytes);
    if (identity && identity->format_version < kFormatVersion) return damaged("identity");
    return identity;
  }
  auto identity = decode_identity(stored);
  const bool older = identity && identity->format_version < kFormatVersion;
  return older ? std::move(identity) : damaged("identity");
}

std::string skip_key(std::string_view collection, std::string_view key) {
  std::string out(collection);
  out += '\0';
  out += key;
  return out;
}

std::string encode_skip_hashes(const std::vector<model::Skipped>& skips) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(skips.size());
  for (const auto& skip : skips) hashes.push_back(record_hash(skip.collection, skip.key));
  std::ranges::sort(hashes);
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof hashes[0]};
}

Result<bool> is_among_skips(std::string_view bytes, std::string_view collection,
                            std::string_view key) {
  const std::uint64_t wanted = record_hash(collection, key);
  if (bytes.size() % sizeof wanted != 0) return damaged("skipped");
  std::vector<std::uint64_t> hashes(bytes.size() / sizeof wanted);
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return std::ranges::binary_search(hashes, wanted);
}

}  // namespace tidemark::cache
