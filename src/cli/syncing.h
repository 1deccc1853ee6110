// What the commands share that bring a cache in step with its source.
#pragma once

#include <stop_token>
#include <string_view>

#include "cli/context.h"
#include "daemon/perform.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {

// What a pass needs to know. Errors: invalid (no source, bad settings).
[[nodiscard]] Result<daemon::Setup> setup_of(const Settings& settings);
// What the settings name, of which a daemon may have been told otherwise.
[[nodiscard]] daemon::Ask ask_of(const Settings& settings, daemon::Work work);
// The cache's daemon does it where one lives, else this process, with a line of progress; Ctrl-C
// ends the pass here, and only the waiting there. Errors: as daemon::perform and ask_daemon.
[[nodiscard]] Result<daemon::Done> perform(const Context& context, const daemon::Ask& ask);
// The same with a stop and a progress of the caller's own, and no line; for any thread.
[[nodiscard]] Result<daemon::Done> perform(const Context& context, const daemon::Ask& ask,
                                           const std::stop_token& stop,
                                           const daemon::OnProgress& progress);
// The default cache's folder is ours to make.
[[nodiscard]] Result<void> make_default_folder(const Settings& settings);
// False: rows were skipped, the validation differs or capture missed changes.
[[nodiscard]] bool is_complete(const SyncReport& report);
// Prints the report, or its envelope; returns the exit code.
[[nodiscard]] int print_outcome(const Context& context, std::string_view command,
                                const SyncReport& report);
[[nodiscard]] int report_pass_error(const Context& context, std::string_view command, Error error);

}  // namespace tidemark::cli
