#include <cstdio>

#include "cli/output.h"

namespace tidemark::cli {

int run_validate(const Context& context, bool deep) {
  const auto result = check(cache_path(context.settings), deep, reader_options(context));
  if (!result) return report_error(context, "validate", result.error());
  const int exit = result->problems.empty() ? kDone : kCorrupt;
  if (context.json) {
    std::string problems;
    for (const auto& problem : result->problems) {
      problems += (problems.empty() ? "" : ",") + json_string(problem);
    }
    print_envelope("validate", exit, nullptr, nullptr,
                   "{\"rows\":" + std::to_string(result->rows) + ",\"index_entries\":" +
                       std::to_string(result->index_entries) + ",\"problems\":[" + problems + "]}");
    return exit;
  }
  std::printf("%llu rows and %llu index entries: %s\n",
              static_cast<unsigned long long>(result->rows),
              static_cast<unsigned long long>(result->index_entries),
              result->problems.empty() ? "intact" : "damaged");
  for (const auto& problem : result->problems)
    std::fprintf(stderr, "tidemark: %s\n", problem.c_str());
  if (exit != kDone)
    std::fprintf(stderr, "hint: run `tidemark sync --full` to fill the cache anew\n");
  return exit;
}

}  // namespace tidemark::cli
