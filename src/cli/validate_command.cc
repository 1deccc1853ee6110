#include <cstdio>

#include "cli/output.h"
#include "daemon/json_forms.h"

namespace tidemark::cli {

int run_validate(const Context& context, const ValidateArguments& arguments) {
  const bool deep = arguments.deep;
  if (arguments.against_source && !deep) return run_audit(context);
  const auto result = check(cache_path(context.settings), deep, reader_options(context));
  if (!result) return report_cache_error(context, "validate", result.error());
  if (arguments.against_source && result->problems.empty()) return run_audit(context);
  const int exit = result->problems.empty() ? kDone : kCorrupt;
  if (context.json) {
    std::string problems;
    for (const auto& problem : result->problems) {
      problems += (problems.empty() ? "" : ",") + daemon::json_string(problem);
    }
    const CacheStatus status = inspect(cache_path(context.settings), reader_options(context));
    print_envelope("validate", exit, nullptr, status.readable ? &status.freshness : nullptr,
                   "{\"rows\":" + std::to_string(result->rows) +
                       ",\"index_entries\":" + std::to_string(result->index_entries) +
                       ",\"deep\":" + (deep ? "true" : "false") + ",\"problems\":[" + problems +
                       "]}");
    return exit;
  }
  if (!context.quiet) {
    const std::string read =
        grouped(result->rows) + " rows and " + grouped(result->index_entries) + " index entries";
    write_out(result->problems.empty() ? read + ": intact\n" : "damaged; " + read + " were read\n");
  }
  for (const auto& problem : result->problems)
    std::fprintf(stderr, "tidemark: %s\n", problem.c_str());
  if (exit != kDone) std::fprintf(stderr, "hint: run `tidemark repair`\n");
  return exit;
}

}  // namespace tidemark::cli
