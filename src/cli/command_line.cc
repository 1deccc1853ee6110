// From argv to one command: parses, adds environment and file, dispatches.
#include "cli/command_line.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sstream>

#include "cli/flags.h"
#include "cli/output.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

using Words = std::vector<std::string>;

Result<void> read_duration(const std::string& text, const char* flag,
                           std::optional<std::chrono::milliseconds>& out,
                           decltype(&parse_duration) parse = parse_duration) {
  if (text.empty()) return {};
  out = parse(text);
  if (out) return {};
  return fail(ErrorCode::invalid, std::string(flag) + " wants a duration, not " + text,
              "for example 30s, 5m or 250ms");
}

// Reading needs the cache's path alone. Where that is given, a bad ./tidemark.toml that nobody
// named is told and passed over.
bool may_pass_over(const Flags& flags, std::string_view command) {
  const bool reads = command == "get" || command == "list" || command == "nearest" ||
                     command == "status" || command == "validate";
  return reads && flags.config.empty() && flags.context.settings.cache.has_value();
}

// Adds tidemark.toml. What is wrong with it and with the flags is told together.
Result<void> add_file(Flags& flags, std::string_view command) {
  Settings& settings = flags.context.settings;
  const auto flags_checked = sync_config(settings);
  auto file = settings_from_file(flags.config);
  if (file) {
    merge(settings, *file);
    return flags_checked ? Result<void>{} : std::unexpected(flags_checked.error());
  }
  if (may_pass_over(flags, command)) {
    std::fprintf(stderr, "warning: passed over: %s\n", file.error().message.c_str());
    return {};
  }
  if (!flags_checked) file.error().message += "; " + flags_checked.error().message;
  return std::unexpected(std::move(file).error());
}

// Flags are there; adds environment and file.
Result<void> complete_settings(Flags& flags, std::string_view command) {
  Settings& settings = flags.context.settings;
  TIDEMARK_TRY(
      read_duration(flags.request_deadline, "--request-deadline", settings.request_deadline));
  TIDEMARK_TRY(read_duration(flags.audit_interval, "--audit-interval", settings.audit_interval));
  TIDEMARK_TRY(read_duration(flags.deadline, "--deadline", settings.pass_deadline, parse_deadline));
  TIDEMARK_TRY(read_duration(flags.interval, "--interval", settings.interval));
  TIDEMARK_TRY(read_duration(flags.max_age, "--max-age", flags.get.max_age));
  TIDEMARK_TRY(read_duration(flags.get_deadline, "--deadline", flags.get.deadline));
  TIDEMARK_TRY(read_duration(flags.doctor_deadline, "--deadline", flags.doctor.deadline));
  flags.list.max_age = flags.get.max_age;
  flags.nearest.max_age = flags.get.max_age;
  flags.status.max_age = flags.get.max_age;
  mark_as_flags(settings);
  merge(settings, settings_from_environment());
  if (command == "init") return {};  // writes the file
  auto file = add_file(flags, command);
  if (file || command != "doctor") return file;
  flags.doctor.wrong = std::move(file).error();  // what is wrong is what it is asked for
  return {};
}

bool has_word(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// "sync", "config check"; empty: none yet.
std::string command_of(const CLI::App& app) {
  std::string name;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += (name.empty() ? "" : " ") + at->get_name();
  }
  return name;
}

int dispatch(const std::string& command, Flags& flags) {
  if (command == "completion") return run_completion(flags.shell);
  if (command == "mcp") flags.context.json = false;  // stdout is for the protocol alone
  if (const auto settings = complete_settings(flags, command); !settings) {
    const bool has_cache = flags.context.settings.cache && command != "init";
    return has_cache ? report_cache_error(flags.context, command, settings.error())
                     : report_error(flags.context, command, settings.error());
  }
  if (command == "sync") return run_sync(flags.context, flags.sync);
  if (command == "get") return run_get(flags.context, flags.get);
  if (command == "list") return run_list(flags.context, flags.list);
  if (command == "nearest") return run_nearest(flags.context, flags.nearest);
  if (command == "status") return run_status(flags.context, flags.status);
  if (command == "doctor") return run_doctor(flags.context, flags.doctor);
  if (command == "validate") return run_validate(flags.context, flags.validate);
  if (command == "repair") return run_repair(flags.context);
  if (command == "rebuild") return run_rebuild(flags.context, flags.adopt);
  if (command == "daemon") return run_daemon(flags.context, flags.config);
  if (command == "mcp") return run_mcp(flags.context, flags.read_only);
  if (command.starts_with("capture ")) return run_capture(flags.context, command, flags.capture);
  if (command == "init") return run_init(flags.context, flags.config, flags.force);
  return command == "config check" ? run_config_check(flags.context)
                                   : run_config_print(flags.context);
}

// The command or flag that may have been meant by a word that is none.
std::string suggestion(const CLI::App& app, const Words& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    std::vector<std::string> known;
    if (word.starts_with("--")) {
      for (const CLI::App* const from : {command, &app}) {
        for (const CLI::Option* const option : from->get_options()) {
          for (const auto& name : option->get_lnames()) known.push_back("--" + name);
        }
      }
    } else {
      if (word.starts_with("-")) continue;
      if (const CLI::App* const next = subcommand_named(*command, word)) {
        command = next;
        continue;
      }
      for (const CLI::App* const next : command->get_subcommands({})) {
        known.push_back(next->get_name());
      }
    }
    const std::vector<std::string_view> views(known.begin(), known.end());
    const std::string meant = closest(word.substr(0, word.find('=')), views);
    if (!meant.empty() && !word.starts_with(meant)) return "did you mean " + meant + "? ";
  }
  return {};
}

// What is wrong, in words that repeat flags but no values: one may be a secret.
std::string usage_text(const CLI::App& app, const Words& words, const CLI::ParseError& error) {
  if (app.get_subcommands().empty()) {
    for (const std::string& word : words) {
      if (!word.starts_with("-")) return "there is no command " + word;
    }
  }
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) return error.what();
  std::string flags;
  for (const std::string& word : app.remaining(true)) {
    if (word.starts_with("-"))
      flags += (flags.empty() ? "" : ", ") + word.substr(0, word.find('='));
  }
  return flags.empty() ? "there are more arguments than the command takes"
                       : "there is no flag " + flags;
}

// A usage error, on stderr and in the envelope. `wrong` must not hold a secret.
int report_usage(const CLI::App& app, Flags& flags, const Words& words, std::string wrong) {
  std::replace(wrong.begin(), wrong.end(), '\n', ' ');
  // CLI11 may have stopped before it met the flag.
  flags.context.json = has_word(words, "--json");
  const std::string command = command_of(app);
  const std::string help = "see tidemark " + (command.empty() ? "" : command + " ") + "--help";
  return report_error(flags.context, command.empty() ? "usage" : command,
                      {ErrorCode::invalid, wrong, suggestion(app, words) + help, {}});
}

// The token must not be a flag, and must not be repeated in an error either.
bool names_token(const Words& words) {
  return std::ranges::any_of(words, [](const std::string& word) {
    return word == "--token" || word.starts_with("--token=");
  });
}

// CLI11 marks a flag that says no with the value that it sets.
std::string without_braces(std::string help) {
  constexpr std::string_view kMark = "{false}";
  for (std::size_t at = 0; (at = help.find(kMark)) != std::string::npos;) {
    help.erase(at, kMark.size());
  }
  return help;
}

int run_words(int argc, const char* const* argv) {
  const Words words(argv + std::min(argc, 1), argv + argc);
  Flags flags;
  CLI::App app{"tidemark: a fast local cache in step with a Turso database", "tidemark"};
  add_commands(app, flags);
  if (!words.empty() && words.front() == "__complete") {
    complete_words(app, {words.begin() + 1, words.end()});
    return kDone;
  }
  if (names_token(words)) {
    flags.context.json = has_word(words, "--json");
    return report_error(flags.context, "usage",
                        {ErrorCode::invalid,
                         "there is no --token: process lists show flags",
                         "use TURSO_AUTH_TOKEN or --token-file",
                         {}});
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_name() == "CallForVersion" && has_word(words, "--json")) {
      return run_version_json();
    }
    if (error.get_exit_code() == 0) {  // --help, --version
      std::ostringstream text;
      static_cast<void>(app.exit(error, text));
      write_out(without_braces(text.str()));
      return kDone;
    }
    return report_usage(app, flags, words, usage_text(app, words, error));
  }
  return dispatch(command_of(app), flags);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe ends the write, not the process
  return finish_output(run_words(argc, argv));
}

}  // namespace tidemark::cli
