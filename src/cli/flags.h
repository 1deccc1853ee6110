// The flags and subcommands of the program, as CLI11 parses them. Only for files that use CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/context.h"
#include "daemon/metrics.h"

namespace tidemark::cli {

// Everything that flags can set; the commands read it after parsing.
struct Flags {
  Context context;
  std::string config;
  SyncArguments sync;
  GetArguments get;
  ListArguments list;
  NearestArguments nearest;
  CaptureArguments capture;
  StatusArguments status;
  DoctorArguments doctor;
  std::string max_age;
  std::string request_deadline;
  std::string audit_interval;
  std::string deadline;
  std::string get_deadline;
  std::string doctor_deadline;
  std::string interval;
  ValidateArguments validate;
  bool adopt = false;
  bool read_only = false;
  bool force = false;
  std::string shell;
};

// Adds every flag and subcommand to `app`; parsing then fills `flags`, which must outlive it.
void add_commands(CLI::App& app, Flags& flags);

// nullptr: `app` has none of that name.
[[nodiscard]] inline const CLI::App* subcommand_named(const CLI::App& app,
                                                      const std::string& name) {
  for (const CLI::App* const next : app.get_subcommands({})) {
    if (next->get_name() == name) return next;
  }
  return nullptr;
}

// "tidemark 0.1.0 (commit abc, redb 4.6.0, cache format 2, Hrana 3 and 2)"
[[nodiscard]] std::string version_text();
// The same as an envelope. Returns the exit code.
[[nodiscard]] int run_version_json();
[[nodiscard]] daemon::Build build();

// What may stand where the last of `words` is, one a line on stdout; ":files" asks the shell for
// its own file names. `words`: what was typed after the program's name. Quick, and never fails.
void complete_words(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace tidemark::cli
