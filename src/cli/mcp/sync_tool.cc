// sync: one pass, by the cache's daemon where one lives, else here.
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/mcp/arguments.h"
#include "cli/mcp/tools.h"
#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/syncing.h"

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
  const daemon::OnProgress progress = [&call](const Progress& p) {
    call.progress(progress_text(p));
  };
  TIDEMARK_ASSIGN(done, perform(context, ask, call.stop, progress));
  return std::get<SyncReport>(std::move(done));
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
      "the database, not before each read. complete is false when rows were skipped or the "
      "validation differs; report says which. When it fails, the cache stays as it was and can be "
      "read: error.code unavailable means try later, rejected that a person must look at the "
      "credentials, busy that another process syncs just now.";
  tool.input_schema = R"({"type":"object","properties":{"full":{"type":"boolean","description":)"
                      R"("read everything and fill the cache anew: slow, and seldom needed (false)"
}
},)"
      R"("additionalProperties":false})";
tool.output_schema = answer_schema(R"("complete":{"type":"boolean"},"report":{"type":"object"})");
tool.reads_only = false;
tool.run = [&context](const ToolCall& call) -> ToolAnswer {
  const auto report = sync(context, call);
  if (!report) return error_answer(context, report.error());
  return {std::string(R"({"complete":)") + (is_complete(*report) ? "true" : "false") +
          R"(,"report":)" + report->to_json() + R"(,"freshness":)" +
          freshness_json(report->freshness) + R"(,"error":null})"};
};
return tool;
}

}  // namespace tidemark::cli::mcp
