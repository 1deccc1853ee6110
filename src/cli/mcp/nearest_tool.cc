// nearest: the cached embeddings that are most like a vector, or like a memory's own.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/arguments.h"
#include "cli/mcp/rows.h"
#include "cli/mcp/tuning.h"
#include "cli/output.h"
#include "daemon/json_forms.h"
#include "daemon/like.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;
using daemon::Like;

struct Wanted {
  std::optional<std::string> like;  // a key; or:
  std::vector<float> vector;
  NearestQuery query;
  MaxAge max_age;
};

// Errors: invalid. `names`: of which `given` has to be one, where it is given at all.
Result<void> check_one_of(const char* name, const std::optional<std::string>& given,
                          std::initializer_list<std::string_view> names) {
  if (!given || std::ranges::find(names, *given) != names.end()) return {};
  std::string text;
  for (const std::string_view one : names) text += (text.empty() ? "" : ", ") + std::string(one);
  return fail(ErrorCode::invalid, std::string(name) + " is one of " + text + ", not " + *given,
              kSchemaHint);
}

Result<Wanted> read_arguments(const Json& given) {
  Arguments<Json> arguments(
      given, {"like", "vector", "k", "collection", "similarity", "model", "of", "max_age_ms"});
  Wanted wanted;
  wanted.like = arguments.text("like");
  wanted.vector = arguments.floats("vector", kDimensionMax);
  wanted.query.k = arguments.number("k", 1, kNearestMax).value_or(wanted.query.k);
  wanted.query.collection = arguments.text("collection").value_or(wanted.query.collection);
  wanted.query.model = arguments.text("model");
  const auto similarity = arguments.text("similarity");
  const auto of = arguments.text("of");
  wanted.max_age = max_age_of(arguments);
  TIDEMARK_TRY(arguments.check());
  TIDEMARK_TRY(check_one_of("similarity", similarity, {"cosine", "dot", "l2"}));
  TIDEMARK_TRY(check_one_of("of", of, {"episodes", "patterns", "heuristics"}));
  if (wanted.like.has_value() == !wanted.vector.empty()) {
    return fail(ErrorCode::invalid, "nearest wants either like or vector", kSchemaHint);
  }
  if (similarity) wanted.query.similarity = *similarity_from_string(*similarity);
  wanted.query.of_collection = of.value_or("");
  return wanted;
}

// `presence`: of the embedding that `like` means, JSON; null for a vector.
Result<ToolAnswer> answer_of(const std::string& result, const std::string& presence,
                             const Freshness& freshness) {
  if (result.size() > kRowsBytesMax) {
    return fail(ErrorCode::unsupported, "the rows are larger than an answer may be",
                "ask for a smaller k");
  }
  return ToolAnswer{result.substr(0, result.size() - 1) + R"(,"presence":)" + presence +
                    R"(,"freshness":)" + daemon::freshness_json(freshness) + R"(,"error":null})"};
}

Result<ToolAnswer> nearest(CacheReader& cache, const std::string& text) {
  TIDEMARK_ASSIGN(asked, read_arguments(Json::parse(text)));
  TIDEMARK_ASSIGN(seen, see(cache, asked.max_age));
  std::optional<Like> like;
  NearestQuery query = std::move(asked.query);
  query.vector = asked.vector;
  if (asked.like) {
    TIDEMARK_ASSIGN(found,
                    daemon::find_like(seen.snapshot, *asked.like, query.collection, query.model));
    if (!found) {
      return answer_of(R"({"neighbours":[],"coverage":null})", R"("unknown")", seen.freshness);
    }
    like = std::move(found);
    query = daemon::query_like(*like, std::move(query));
  }
  TIDEMARK_ASSIGN(found, seen.snapshot.nearest(query));
  return answer_of(daemon::nearest_json(found), like ? R"("hit")" : "null", found.freshness);
}

}  // namespace

Tool nearest_tool(const std::shared_ptr<CacheReader>& cache) {
  Tool tool;
  tool.name = "nearest";
  tool.title = "Recall memories by likeness";
  tool.description =
      "Finds the cached embeddings most like another memory's (`like`: its key) or like a vector "
      "that you computed with the same model; no network. Nearest first: score, the embedding's "
      "row, and parent, the memory that it is of: get that by its key. cosine and dot: more is "
      "nearer; l2: less is. coverage says over how much the search went; its `complete` is false "
      "when the database may have others. presence unknown: no embedding of `like` is cached.";
  Json schema = Json::parse(R"json({
    "type": "object",
    "properties": {
      "like": {"type": "string", "description": "key of an embedding, or of what it is of"},
      "vector": {"type": "array", "items": {"type": "number"}, "minItems": 1},
      "k": {"type": "integer", "minimum": 1, "default": 10, "description": "how many"},
      "collection": {"type": "string", "description": "one embedding table; all of them without"},
      "similarity": {"enum": ["cosine", "dot", "l2"], "default": "cosine"},
      "model": {"type": "string", "description": "needed where vectors are of several models"},
      "of": {"enum": ["episodes", "patterns", "heuristics"], "description": "only of these"}
    },
    "additionalProperties": false
  })json");
  schema["properties"]["vector"]["maxItems"] = kDimensionMax;
  schema["properties"]["k"]["maximum"] = kNearestMax;
  tool.input_schema = with_max_age(schema.dump());
  tool.output_schema = answer_schema(R"json({
    "neighbours": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "score": {"type": "number"},
          "collection": {"type": "string"},
          "key": {"type": "string"},
          "parent": {"type": ["object", "null"]},
          "row": {"type": "object"}
        },
        "required": ["score", "collection", "key", "row"]
      }
    },
    "coverage": {"type": ["object", "null"]},
    "presence": {"enum": ["hit", "unknown", null]}
  })json");
  return reading_tool(cache, nearest, std::move(tool));
}

}  // namespace tidemark::cli::mcp
