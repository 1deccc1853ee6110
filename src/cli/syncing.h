// What the commands share that bring a cache in step with its source.
#pragma once

#include <string_view>

#include "cli/context.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {

// Errors: invalid (no source, bad settings).
[[nodiscard]] Result<Syncer> open_syncer(const Settings& settings);
// The scope that the settings name.
[[nodiscard]] SyncRequest request_of(const Settings& settings);
// Prints the report, or its envelope; returns the exit code.
[[nodiscard]] int print_outcome(const Context& context, std::string_view command,
                                const SyncReport& report);
[[nodiscard]] int report_pass_error(const Context& context, std::string_view command, Error error);

}  // namespace tidemark::cli
