#include <unistd.h>

#include <cstdio>

#include "cli/flags.h"
#include "cli/mcp/server.h"
#include "cli/mcp/tools.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace tidemark::cli {

int run_mcp(const Context& context, bool read_only) {
  const StopOnSignal stop;
  const auto tools = mcp::all_tools(context, read_only);
  if (::isatty(STDIN_FILENO) == 1 && !context.quiet) {
    std::fprintf(stderr, "note: an agent's client starts this and speaks to it; Ctrl-D ends it\n");
  }
  const auto ended = mcp::serve(tools, build().version, STDIN_FILENO, STDOUT_FILENO, stop.token());
  return ended ? kDone : report_error(context, "mcp", ended.error());
}

}  // namespace tidemark::cli
