#include "cli/mcp/tools.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/tuning.h"
#include "cli/output.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;

ToolAnswer failed(const std::string& freshness, const Error& error) {
  return {R"({"freshness":)" + freshness + R"(,"error":)" + daemon::error_json(error) + "}", true};
}

}  // namespace

Result<Snapshot> CacheReader::snapshot() {
  if (!reader_) {
    ReaderOptions options = reader_options(context_);
    options.open_deadline = kOpenDeadline;
    TIDEMARK_ASSIGN(reader, Reader::open(cache_path(context_.settings), options));
    reader_ = std::move(reader);
  }
  return reader_->snapshot();
}

std::string known_freshness_json(const CacheStatus& cache) {
  const bool known = cache.readable || cache.freshness.state == FreshnessState::needs_repair;
  return known ? daemon::freshness_json(cache.freshness) : "null";
}

ToolAnswer error_answer(const Context& context, const Error& error) {
  ReaderOptions options = reader_options(context);
  options.repair = false;
  options.open_deadline = kLookDeadline;
  return failed(known_freshness_json(inspect(cache_path(context.settings), options)), error);
}

Tool reading_tool(const std::shared_ptr<CacheReader>& cache, Read read, Tool tool) {
  tool.run = [cache, read](const ToolCall& call) {
    auto answer = read(*cache, call.arguments);
    if (answer) return std::move(*answer);
    cache->close();  // the file may be another one by now
    return error_answer(cache->context(), answer.error());
  };
  return tool;
}

ToolAnswer error_alone(const Error& error) { return failed("null", error); }

std::string answer_schema(const std::string& members) {
  Json schema = Json::parse(R"json({
    "type": "object",
    "properties": {
      "freshness": {
        "type": ["object", "null"],
        "description": "of the cache; null: there is none that can be read",
        "properties": {
          "state": {"enum": ["fresh", "stale", "never_synced", "needs_repair"]},
          "checked_at_ms": {
            "type": ["integer", "null"],
            "description": "Unix time when the database was last asked for everything"
          },
          "age_ms": {"type": ["integer", "null"]},
          "source_unavailable_since_ms": {"type": ["integer", "null"]},
          "source_unavailable_reason": {"type": "string"},
          "source_refused_since_ms": {"type": ["integer", "null"]},
          "source_refused_reason": {"type": "string"},
          "doubt": {"type": "string", "description": "why the database may be another one"},
          "catching_up": {"type": "boolean", "description": "more changes are waiting"},
          "incomplete": {"type": "integer", "description": "rows that could not be cached"},
          "consistent": {"type": "boolean", "description": "all rows are one state of it"}
        },
        "required": ["state", "checked_at_ms", "age_ms"]
      },
      "error": {
        "type": ["object", "null"],
        "properties": {
          "code": {"type": "string"},
          "message": {"type": "string"},
          "hint": {"type": "string", "description": "what to do"}
        },
        "required": ["code", "message", "hint"]
      }
    },
    "required": ["freshness", "error"]
  })json");
  schema["properties"].update(Json::parse(members));
  return schema.dump();
}

ToolAnswer run_tool(const Tool& tool, const ToolCall& call) {
  const auto broken = [](const char* what) {
    return error_alone({ErrorCode::internal, what, "report it", {}});
  };
  try {
    return tool.run(call);
  } catch (const std::exception& exception) {
    return broken(exception.what());
  } catch (...) {
    return broken("an unknown exception");
  }
}

std::vector<Tool> all_tools(const Context& context, bool read_only) {
  const auto cache = std::make_shared<CacheReader>(context);
  std::vector<Tool> tools = reading_tools(cache);
  tools.push_back(nearest_tool(cache));
  if (!read_only) tools.push_back(sync_tool(context));
  return tools;
}

}  // namespace tidemark::cli::mcp
