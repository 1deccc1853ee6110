// Speaks MCP over two descriptors: one message a line.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "cli/mcp/tool.h"
#include "tidemark/error.h"

namespace tidemark::cli::mcp {

// Runs until `in` ends, `out` is closed at its other end, or `stop`; calls that are under way then
// are told to stop, and waited for. The descriptors are borrowed and block. Nothing else may write
// to `out`. `version`: of this program. Errors: internal (`in` or `out` fails).
[[nodiscard]] Result<void> serve(const std::vector<Tool>& tools, const std::string& version, int in,
                                 int out, const std::stop_token& stop);

}  // namespace tidemark::cli::mcp
