// The whole program behind main().
#pragma once

namespace tidemark::cli {

// Returns the exit code.
[[nodiscard]] int run_command_line(int argc, const char* const* argv);

}  // namespace tidemark::cli
