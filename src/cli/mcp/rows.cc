#include "cli/mcp/rows.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/tuning.h"
#include "cli/output.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string with_max_age(const std::string& input_schema) {
  Json schema = Json::parse(input_schema);
  Json& max_age = schema["properties"]["max_age_ms"];
  max_age = Json::parse(R"json({
    "type": "integer",
    "minimum": 0,
    "description": "refuse (error.code stale) when the cache is older; then sync and ask again"
  })json");
  max_age["maximum"] = kMaxAgeMsMax;
  return schema.dump();
}

std::string with_row_options(const std::string& input_schema) {
  Json schema = Json::parse(with_max_age(input_schema));
  schema["properties"]["collection"] = Json::parse(R"json({
    "type": "string",
    "description": "episodes, patterns, heuristics, embeddings or another one that status names"
  })json");
  schema["properties"]["vectors"] = Json::parse(R"json({
    "type": "boolean",
    "default": false,
    "description": "give embedding vectors as arrays of numbers, not only their dimension"
  })json");
  return schema.dump();
}

Result<Seen> see(CacheReader& cache, const MaxAge& max_age) {
  TIDEMARK_ASSIGN(snapshot, cache.snapshot());
  Freshness freshness = snapshot.freshness();
  if (!too_old(freshness, max_age)) return Seen{std::move(snapshot), std::move(freshness)};
  return fail(ErrorCode::stale, "the cache is older than max_age_ms: " + freshness_text(freshness),
              "call sync, or allow a larger max_age_ms");
}

std::string row_json(const Row& row, const RowOptions& options) {
  return row.to_json(options.vectors ? VectorJson::numbers : VectorJson::dimension);
}

bool Items::add(const std::string& item) {
  truncated_ = truncated_ || json_.size() + item.size() > kRowsBytesMax;
  if (!truncated_) json_ += (json_.empty() ? "" : ",") + item;
  return !truncated_;
}

Result<ToolAnswer> Items::answer(const Freshness& freshness) const {
  if (truncated_ && json_.empty()) {
    return fail(ErrorCode::unsupported, "the row is larger than an answer may be",
                "read it with `tidemark get`");
  }
  return ToolAnswer{R"({"items":[)" + json_ + R"(],"truncated":)" +
                    (truncated_ ? "true" : "false") + R"(,"freshness":)" +
                    daemon::freshness_json(freshness) + R"(,"error":null})"};
}

std::string items_schema(const std::string& members) {
  Json item = Json::parse(R"json({
    "type": "object",
    "properties": {
      "collection": {"type": "string"},
      "key": {"type": "string"},
      "row": {"type": ["object", "null"]}
    },
    "required": ["collection", "key", "row"]
  })json");
  item["properties"].update(Json::parse(members));
  Json all = Json::parse(R"json({
    "items": {"type": "array"},
    "truncated": {"type": "boolean", "description": "there is more than what items has"}
  })json");
  all["items"]["items"] = std::move(item);
  return answer_schema(all.dump());
}

}  // namespace tidemark::cli::mcp
