// get, list and status: what the cache says, without a network.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/arguments.h"
#include "cli/mcp/tools.h"
#include "cli/mcp/tuning.h"
#include "cli/output.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;
using Cache = std::shared_ptr<CacheReader>;

// What get and list share.
constexpr const char* kCommonArguments =
    R"("max_age_ms":{"type":"integer","minimum":0,"description":"refuse (error code stale) when )"
    R"(the cache is older; then sync and call again"},"vectors":{"type":"boolean","description":)"
    R"("give embedding vectors as arrays of numbers, not only their dimension (false)"
})";

// A vector is thousands of tokens that no model reads: {"dimension":N} stands for it.
std::string row_json(const Row& row, bool vectors) {
  std::vector<std::size_t> columns;
  for (std::size_t at = 0; !vectors && at < row.column_count(); ++at) {
    if (row.at(at).type() == ValueType::vector) columns.push_back(at);
  }
  if (columns.empty()) return row.to_json();
  Json json = Json::parse(row.to_json());
  for (const std::size_t at : columns) {
    json[std::string(row.column_name(at))] = {{"dimension", row.at(at).dimension()}};
  }
  return json.dump();
}

// The items of an answer, up to kRowsBytesMax.
class Items {
 public:
  // False: this one and what comes after it is left out.
  bool add(const std::string& item) {
    truncated_ = truncated_ || json_.size() + item.size() > kRowsBytesMax;
    if (!truncated_) json_ += (json_.empty() ? "" : ",") + item;
    return !truncated_;
  }
  void leave_out_the_rest() { truncated_ = true; }
  // Errors: unsupported, when not even the first one has room.
  [[nodiscard]] Result<ToolAnswer> answer(const Freshness& freshness) const {
    if (truncated_ && json_.empty()) {
      return fail(ErrorCode::unsupported, "the row is larger than an answer may be",
                  "read it with `tidemark get`");
    }
    return ToolAnswer{R"({"items":[)" + json_ + R"(],"truncated":)" +
                      (truncated_ ? "true" : "false") + R"(,"freshness":)" +
                      freshness_json(freshness) + R"(,"error":null})"};
  }

 private:
  std::string json_;
  bool truncated_ = false;
};

std::optional<std::chrono::milliseconds> max_age_of(Arguments<Json>& arguments) {
  constexpr std::uint64_t kMax = 366ULL * 86'400'000;
  const auto ms = arguments.number("max_age_ms", 0, kMax);
  return ms ? std::optional(std::chrono::milliseconds(*ms)) : std::nullopt;
}

Result<void> check_age(const Freshness& freshness,
                       const std::optional<std::chrono::milliseconds>& max_age) {
  if (!too_old(freshness, max_age)) return {};
  return fail(ErrorCode::stale, "the cache is older than max_age_ms: " + freshness_text(freshness),
              "call sync, or allow a larger max_age_ms");
}

std::string item_json(std::string_view collection, std::string_view key, const std::string& rest) {
  return R"({"collection":)" + json_string(collection) + R"(,"key":)" + json_string(key) + rest +
         "}";
}

// One item for each row, or for the miss.
bool add_found(Items& items, const std::string& collection, const std::string& key,
               const std::vector<Lookup>& found, bool vectors) {
  return std::ranges::all_of(found, [&](const Lookup& lookup) {
    const std::string presence =
        R"(,"presence":)" + json_string(to_string(lookup.presence())) + R"(,"row":)";
    if (!lookup) return items.add(item_json(collection, key, presence + "null"));
    const Row& row = lookup.row();
    return items.add(item_json(row.collection(), key, presence + row_json(row, vectors)));
  });
}

Result<ToolAnswer> get(CacheReader& cache, const Json& given) {
  Arguments<Json> arguments(given, {"collection", "keys", "max_age_ms", "vectors"});
  const std::string collection = arguments.needed_text("collection");
  const auto keys = arguments.needed_texts("keys", kKeysMax);
  const auto max_age = max_age_of(arguments);
  const bool vectors = arguments.flag("vectors");
  TIDEMARK_TRY(arguments.check());
  TIDEMARK_ASSIGN(reader, cache.open());
  TIDEMARK_ASSIGN(snapshot, reader->snapshot());
  const Freshness freshness = snapshot.freshness();
  TIDEMARK_TRY(check_age(freshness, max_age));
  Items items;
  for (const std::string& key : keys) {
    TIDEMARK_ASSIGN(found, snapshot.get_all(collection, key));
    if (!add_found(items, collection, key, found, vectors)) break;
  }
  return items.answer(freshness);
}

Result<Query> query_of(Arguments<Json>& arguments, const Json& given) {
  Query query;
  query.collection = arguments.needed_text("collection");
  query.limit = arguments.number("limit", 1, kListMax).value_or(kListDefault);
  query.of_key = arguments.text("of");
  const auto where = given.find("where");
  if (where == given.end() || where->is_null()) return query;
  if (!where->is_object()) return fail(ErrorCode::invalid, "where wants an object", "");
  Arguments<Json> parts(*where, {"index", "value"});
  query.where_index = parts.needed_text("index");
  query.where_value = parts.needed_text("value");
  TIDEMARK_TRY(parts.check());
  return query;
}

Result<ToolAnswer> list(CacheReader& cache, const Json& given) {
  Arguments<Json> arguments(given, {"collection", "limit", "of", "where", "max_age_ms", "vectors"});
  TIDEMARK_ASSIGN(query, query_of(arguments, given));
  const auto max_age = max_age_of(arguments);
  const bool vectors = arguments.flag("vectors");
  TIDEMARK_TRY(arguments.check());
  TIDEMARK_ASSIGN(reader, cache.open());
  TIDEMARK_ASSIGN(freshness, reader->freshness());
  TIDEMARK_TRY(check_age(freshness, max_age));
  Items items;
  std::size_t left = *query.limit;
  ++*query.limit;  // to see whether there are more
  TIDEMARK_TRY(reader->scan(query, [&](const Row& row) {
    if (left-- > 0) {
      return items.add(
          item_json(row.collection(), row.key(), R"(,"row":)" + row_json(row, vectors)));
    }
    items.leave_out_the_rest();
    return false;
  }));
  return items.answer(freshness);
}

// Not an error where there is no cache: what is wrong is what was asked for.
Result<ToolAnswer> status(CacheReader& cache, const Json& given) {
  TIDEMARK_TRY(Arguments<Json>(given, {}).check());
  const Context& context = cache.context();
  ReaderOptions options = reader_options(context);
  options.open_deadline = kOpenDeadline;
  const CacheStatus found = inspect(cache_path(context.settings), options);
  Json json = Json::parse(status_json(found));
  json["problem"] = nullptr;
  if (found.problem) {
    json["problem"] = {{"code", std::string(to_string(found.problem->code))},
                       {"message", found.problem->message},
                       {"hint", found.problem->hint}};
  }
  const bool known = found.readable || found.freshness.state == FreshnessState::needs_repair;
  json["freshness"] = known ? Json::parse(freshness_json(found.freshness)) : Json();
  json["error"] = nullptr;
  return ToolAnswer{json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

using Read = Result<ToolAnswer> (*)(CacheReader&, const Json&);

Tool reading_tool(const Cache& cache, Read read, Tool tool) {
  tool.run = [cache, read](const ToolCall& call) {
    auto answer = read(*cache, Json::parse(call.arguments));
    if (answer) return std::move(*answer);
    cache->close();  // the file may be another one by now
    return error_answer(cache->context(), answer.error());
  };
  return tool;
}

std::string items_schema(const std::string& members) {
  return answer_schema(R"("items":{"type":"array","items":{"type":"object","properties":{)"
                       R"("collection":{"type":"string"},"key":{"type":"string"},)"
                       R"("row":{"type":["object","null"]})" +
                       members +
                       R"(},"required":["collection","key","row"]}},"truncated":{"type":"boolean",)"
                       R"("description":"there is more than what items has"})");
}

Tool get_tool(const Cache& cache) {
  Tool tool;
  tool.name = "get";
  tool.title = "Get memories by key";
  tool.description =
      "Looks up rows by key in the local cache; no network. Each key has its presence: hit (row is "
      "the memory), absent (the database has no such row, as of freshness.checked_at_ms: do not "
      "look further) or unknown (not cached; the database may have it, so do not say it does not "
      "exist). Vectors are left out unless asked for. truncated: ask again for the keys that "
      "items lacks.";
  tool.input_schema =
      std::string(R"({"type":"object","properties":{"collection":{"type":"string",)"
                  R"("description":"episodes, patterns, heuristics, embeddings or another )"
                  R"(collection that status names"},"keys":{"type":"array","items":{"type":)"
                  R"("string"},"minItems":1,"maxItems":)") +
      std::to_string(kKeysMax) + "}," + kCommonArguments +
      R"(},"required":["collection","keys"],"additionalProperties":false})";
  tool.output_schema = items_schema(R"(,"presence":{"enum":["hit","absent","unknown"]})");
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
  tool.input_schema =
      std::string(R"({"type":"object","properties":{"collection":{"type":"string",)"
                  R"("description":"episodes, patterns, heuristics, embeddings or another )"
                  R"(collection that status names"},"limit":{"type":"integer","minimum":1,)"
                  R"("maximum":)") +
      std::to_string(kListMax) + R"(,"description":"rows at the most ()" +
      std::to_string(kListDefault) + R"()"
}
, "where" : {
  "type" : "object", "properties" : {
    "index" : {"type":"string","description":)"
      R"("such as pattern_type"},"value":{"type":"string"}},"required":["index","value"],)"
      R"("additionalProperties":false},"of":{"type":"string","description":)"
      R"("a key: the embeddings of this item"},)" +
      kCommonArguments + R"(},"required":["collection"],"additionalProperties":false})";
      tool.output_schema = items_schema("");
      return reading_tool(cache, list, std::move(tool));
    }

    Tool status_tool(const Cache& cache) {
      Tool tool;
      tool.name = "status";
      tool.title = "How fresh and complete the cache is";
      tool.description =
          "How old the cache is, which collections it has and how many rows of each, its scope, "
          "its "
          "last pass, and whether a daemon keeps it in step. Where there is no cache, or it cannot "
          "be "
          "read, `problem` says why and what to do.";
      tool.input_schema = R"({"type":"object","properties":{},"additionalProperties":false})";
      tool.output_schema = answer_schema(
          R"("exists":{"type":"boolean"},"readable":{"type":"boolean"},"source":{"type":"string"},)"
          R"("collections":{"type":"object","additionalProperties":{"type":"object","properties":)"
          R"({"count":{"type":"integer"}}}},"problem":{"type":["object","null"]})");
      return reading_tool(cache, status, std::move(tool));
    }

  }  // namespace

  std::vector<Tool> reading_tools(const std::shared_ptr<CacheReader>& cache) {
    return {get_tool(cache), list_tool(cache), status_tool(cache)};
  }

}  // namespace tidemark::cli::mcp
