// sync: one pass, by the cache's daemon where one lives, else here.
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/arguments.h"
#include "cli/mcp/tools.h"
#include "cli/progress_line.h"
#include "cli/syncing.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;

Result<SyncReport> sync(const Context& context, const ToolCall& call) {
  const Json given = Json::parse(call.arguments);
  Arguments<Json> arguments(given, {"full"});
  const bool full = arguments.flag("full");
  TIDEMARK_TRY(arguments.check());
  if (context.settings.source) TIDEMARK_TRY(make_default_folder(context.settings));
  daemon::Ask ask = ask_of(context.settings, daemon::Work::sync);
  ask.full = full;
  TIDEMARK_ASSIGN(done, perform(context, ask, call.stop, [&call](const Progress& progress) {
                    call.progress(progress_text(progress));
                  }));
  return std::get<SyncReport>(std::move(done));
}

ToolAnswer report_answer(const SyncReport& report) {
  return {std::string(R"({"complete":)") + (is_complete(report) ? "true" : "false") +
          R"(,"report":)" + report.to_json() + R"(,"freshness":)" +
          daemon::freshness_json(report.freshness) + R"(,"error":null})"};
}

}  // namespace

Tool sync_tool(const Context& context) {
  Tool tool;
  tool.name = "sync";
  tool.title = "Bring the cache in step with the database";
  tool.description =
      "Runs one pass that reads what changed in the database and waits for its end: seconds as a "
      "rule, longer for the first one. What was written to the database before the call is in the "
      "cache after it. Call it when freshness is older than the task allows or after you wrote to "
      "the database, not before each read. complete is false when rows were skipped, the "
      "validation differs or changes were missed; report says which. When it fails, the cache "
      "stays "
      "as it was and can be read: error.code unavailable means try later, rejected that a person "
      "must look at the credentials, busy that another process syncs just now.";
  tool.input_schema = Json::parse(R"json({
    "type": "object",
    "properties": {
      "full": {
        "type": "boolean",
        "default": false,
        "description": "read everything and fill the cache anew: slow, and seldom needed"
      }
    },
    "additionalProperties": false
  })json")
                          .dump();
  tool.output_schema =
      answer_schema(R"({"complete":{"type":"boolean"},"report":{"type":"object"}})");
  tool.reads_only = false;
  tool.run = [&context](const ToolCall& call) {
    const auto report = sync(context, call);
    return report ? report_answer(*report) : error_answer(context, report.error());
  };
  return tool;
}

}  // namespace tidemark::cli::mcp
