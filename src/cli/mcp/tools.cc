#include "cli/mcp/tools.h"

#include <exception>
#include <utility>

#include "cli/mcp/tuning.h"
#include "cli/output.h"

namespace tidemark::cli::mcp {
namespace {

std::string error_json(const Error& error) {
  return R"({"code":)" + json_string(to_string(error.code)) + R"(,"message":)" +
         json_string(error.message) + R"(,"hint":)" + json_string(error.hint) + "}";
}

ReaderOptions options_of(const Context& context) {
  ReaderOptions options = reader_options(context);
  options.open_deadline = kOpenDeadline;
  return options;
}

}  // namespace

Result<const Reader*> CacheReader::open() {
  if (!reader_) {
    TIDEMARK_ASSIGN(reader, Reader::open(cache_path(context_.settings), options_of(context_)));
    reader_ = std::move(reader);
  }
  return &*reader_;
}

ToolAnswer error_answer(const Context& context, const Error& error) {
  ReaderOptions options = reader_options(context);
  options.repair = false;
  options.open_deadline = kLookDeadline;
  const CacheStatus status = inspect(cache_path(context.settings), options);
  const bool known = status.readable || status.freshness.state == FreshnessState::needs_repair;
  return {R"({"freshness":)" + (known ? freshness_json(status.freshness) : "null") +
              R"(,"error":)" + error_json(error) + "}",
          true};
}

std::string answer_schema(const std::string& members) {
  return R"({"type":"object","properties":{"freshness":{"type":["object","null"],)"
         R"("description":"of the cache; null: there is none that can be read",)"
         R"("properties":{)"
         R"("state":{"enum":["fresh","stale","never_synced","needs_repair"]},)"
         R"("checked_at_ms":{"type":["integer","null"],"description":)"
         R"("Unix time when the database was last asked for everything"},)"
         R"("age_ms":{"type":["integer","null"]},)"
         R"("doubt":{"type":"string","description":"why the database may be another one"},)"
         R"("incomplete":{"type":"integer","description":"rows that could not be cached"},)"
         R"("consistent":{"type":"boolean","description":"all rows are one state of it"}},)"
         R"("required":["state","checked_at_ms","age_ms"]},)"
         R"("error":{"type":["object","null"],"properties":{"code":{"type":"string"},)"
         R"("message":{"type":"string"},"hint":{"type":"string","description":"what to do"}},)"
         R"("required":["code","message","hint"]})" +
         (members.empty() ? "" : "," + members) + R"(},"required":["freshness","error"]})";
}

ToolAnswer error_alone(const Error& error) {
  return {R"({"freshness":null,"error":)" + error_json(error) + "}", true};
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
  std::vector<Tool> tools = reading_tools(std::make_shared<CacheReader>(context));
  if (!read_only) tools.push_back(sync_tool(context));
  return tools;
}

}  // namespace tidemark::cli::mcp
