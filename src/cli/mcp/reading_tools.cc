// get, list and status: what the cache says, without a network.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/rows.h"
#include "cli/mcp/tuning.h"
#include "cli/output.h"
#include "cli/status.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;
using Cache = std::shared_ptr<CacheReader>;

// One item for each row, or for the miss.
bool add_found(Items& items, const std::string& collection, const std::string& key,
               const std::vector<Lookup>& found, const RowOptions& options) {
  return std::ranges::all_of(found, [&](const Lookup& lookup) {
    // A row names its own table: `embeddings` may be several.
    return items.add(lookup ? daemon::item_json(lookup.row().collection(), key, lookup.presence(),
                                                row_json(lookup.row(), options))
                            : daemon::item_json(collection, key, lookup.presence(), "null"));
  });
}

Result<ToolAnswer> get(CacheReader& cache, const std::string& text) {
  const Json given = Json::parse(text);
  Arguments<Json> arguments(given, {"collection", "keys", "max_age_ms", "vectors"});
  const std::string collection = arguments.needed_text("collection");
  const auto keys = arguments.needed_texts("keys", kKeysMax);
  const RowOptions options = row_options(arguments);
  TIDEMARK_TRY(arguments.check());
  TIDEMARK_ASSIGN(seen, see(cache, options.max_age));
  Items items;
  for (const std::string& key : keys) {
    TIDEMARK_ASSIGN(found, seen.snapshot.get_all(collection, key));
    if (!add_found(items, collection, key, found, options)) break;
  }
  return items.answer(seen.freshness);
}

Result<Query> query_of(Arguments<Json>& arguments, const Json& given) {
  Query query;
  query.collection = arguments.needed_text("collection");
  query.limit = arguments.number("limit", 1, kListMax).value_or(kListDefault);
  query.of_key = arguments.text("of");
  const auto where = given.find("where");
  if (where == given.end() || where->is_null()) return query;
  if (!where->is_object()) {
    return fail(ErrorCode::invalid, "where wants an object with index and value", kSchemaHint);
  }
  Arguments<Json> parts(*where, {"index", "value"});
  query.where_index = parts.needed_text("index");
  query.where_value = parts.needed_text("value");
  TIDEMARK_TRY(parts.check());
  return query;
}

std::string listed_json(const Row& row, const RowOptions& options) {
  return R"({"collection":)" + daemon::json_string(row.collection()) + R"(,"key":)" +
         daemon::json_string(row.key()) + R"(,"row":)" + row_json(row, options) + "}";
}

Result<ToolAnswer> list(CacheReader& cache, const std::string& text) {
  const Json given = Json::parse(text);
  Arguments<Json> arguments(given, {"collection", "limit", "of", "where", "max_age_ms", "vectors"});
  TIDEMARK_ASSIGN(query, query_of(arguments, given));
  const RowOptions options = row_options(arguments);
  TIDEMARK_TRY(arguments.check());
  TIDEMARK_ASSIGN(seen, see(cache, options.max_age));
  Items items;
  std::size_t left = *query.limit;
  ++*query.limit;  // to see whether there are more
  TIDEMARK_TRY(seen.snapshot.scan(query, [&](const Row& row) {
    if (left-- > 0) return items.add(listed_json(row, options));
    items.leave_out_the_rest();
    return false;
  }));
  return items.answer(seen.freshness);
}

// Not an error where there is no cache: what is wrong is what was asked for.
Result<ToolAnswer> status(CacheReader& cache, const std::string& text) {
  const Json given = Json::parse(text);
  TIDEMARK_TRY(Arguments<Json>(given, {}).check());
  const Context& context = cache.context();
  ReaderOptions options = reader_options(context);
  options.open_deadline = kOpenDeadline;
  const StatusSeen seen = see_status(context, options);
  Json json = Json::parse(status_json(seen));
  json["problem"] =
      seen.cache.problem ? Json::parse(daemon::error_json(*seen.cache.problem)) : Json();
  json["freshness"] = Json::parse(known_freshness_json(seen.cache));
  json["error"] = nullptr;
  return ToolAnswer{json.dump()};
}

Tool get_tool(const Cache& cache) {
  Tool tool;
  tool.name = "get";
  tool.title = "Get memories by key";
  tool.description =
      "Looks up rows by key in the local cache; no network. Each key has its presence: hit (row is "
      "the memory), absent (the database has no such row, as of freshness.checked_at_ms: do not "
      "look further) or unknown (not cached; the database may have it, so do not say that it does "
      "not exist). truncated: ask again for the keys that items lacks.";
  Json schema = Json::parse(R"json({
    "type": "object",
    "properties": {
      "keys": {"type": "array", "items": {"type": "string"}, "minItems": 1}
    },
    "required": ["collection", "keys"],
    "additionalProperties": false
  })json");
  schema["properties"]["keys"]["maxItems"] = kKeysMax;
  tool.input_schema = with_row_options(schema.dump());
  tool.output_schema = items_schema(R"({"presence":{"enum":["hit","absent","unknown"]}})");
  return reading_tool(cache, get, std::move(tool));
}

Tool list_tool(const Cache& cache) {
  Tool tool;
  tool.name = "list";
  tool.title = "List memories";
  tool.description =
      "Lists cached rows; no network. Episodes come newest first, others by key. `where` chooses "
      "patterns by an indexed column, `of` the embeddings of one item. The cache holds only the "
      "newest episodes, so one that is not listed may still be in the database. truncated: there "
      "are more; ask for a larger limit or a narrower choice.";
  Json schema = Json::parse(R"json({
    "type": "object",
    "properties": {
      "limit": {"type": "integer", "minimum": 1, "description": "rows at the most"},
      "where": {
        "type": "object",
        "properties": {
          "index": {"type": "string", "description": "such as pattern_type"},
          "value": {"type": "string"}
        },
        "required": ["index", "value"],
        "additionalProperties": false
      },
      "of": {"type": "string", "description": "a key: the embeddings of this item"}
    },
    "required": ["collection"],
    "additionalProperties": false
  })json");
  schema["properties"]["limit"]["maximum"] = kListMax;
  schema["properties"]["limit"]["default"] = kListDefault;
  tool.input_schema = with_row_options(schema.dump());
  tool.output_schema = items_schema("{}");
  return reading_tool(cache, list, std::move(tool));
}

Tool status_tool(const Cache& cache) {
  Tool tool;
  tool.name = "status";
  tool.title = "How fresh and complete the cache is";
  tool.description =
      "How old the cache is, which collections it has and how many rows of each, its scope, its "
      "last pass, and whether a daemon keeps it in step. Where there is no cache, or it cannot be "
      "read, `problem` says why and what to do.";
  tool.input_schema = R"({"type":"object","properties":{},"additionalProperties":false})";
  tool.output_schema = answer_schema(R"json({
    "exists": {"type": "boolean"},
    "readable": {"type": "boolean"},
    "source": {"type": "string"},
    "collections": {
      "type": "object",
      "additionalProperties": {"type": "object", "properties": {"count": {"type": "integer"}}}
    },
    "problem": {"type": ["object", "null"]}
  })json");
  return reading_tool(cache, status, std::move(tool));
}

}  // namespace

std::vector<Tool> reading_tools(const std::shared_ptr<CacheReader>& cache) {
  return {get_tool(cache), list_tool(cache), status_tool(cache)};
}

}  // namespace tidemark::cli::mcp
