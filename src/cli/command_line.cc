// The only user of CLI11: flags and subcommands -> a Context and the arguments of one command.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>

#include "cli/output.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

constexpr std::string_view kVersion = "0.1.0";
constexpr const char* kFooter = R"(Environment:
  TURSO_DATABASE_URL   the source, as --source
  TURSO_AUTH_TOKEN     the bearer token (or --token-file; never a flag: process lists show flags)
  TIDEMARK_CACHE       the cache file, as --cache

Exit codes:
  0 done                      5 busy: another process writes    9 unknown (not cached)
  1 error                     6 older than --max-age            130 interrupted
  2 usage or configuration    7 done, but rows were skipped or validation differs
  3 source unavailable        8 absent (the source has none)
  4 corrupt or needs repair

Examples:
  tidemark sync --source file:memories.db --cache memories.redb
  tidemark get --cache memories.redb episodes 7f3c
  tidemark list --cache memories.redb episodes --latest 10)";

// Everything that flags can set; the commands read it after parsing.
struct Flags {
  Context context;
  std::string config;
  SyncArguments sync;
  GetArguments get;
  ListArguments list;
  std::string max_age;
  std::string request_deadline;
  std::string deadline;
  bool deep = false;
  bool force = false;
  std::string shell;
};

void add_source(CLI::App& command, Flags& flags) {
  command.add_option("--source", flags.context.settings.source,
                     "file:PATH, libsql://HOST, https://HOST or http://HOST");
  command.add_option("--token-file", flags.context.settings.token_file,
                     "file that holds the token");
}

// --NAME and --no-NAME; neither leaves it unnamed.
void add_choice(CLI::App& command, const std::string& name, std::optional<bool>& choice,
                const std::string& help) {
  command.add_flag_function(
      "--" + name + ",!--no-" + name, [&choice](std::int64_t count) { choice = count > 0; }, help);
}

void add_sync(CLI::App& app, Flags& flags) {
  CLI::App& c = *app.add_subcommand("sync", "One pass: bring the cache in step with its source");
  Settings& s = flags.context.settings;
  add_source(c, flags);
  c.add_option("--max-episodes-cache", s.max_episodes_cache, "newest episodes to keep (1000)");
  c.add_option("--batch-size", s.batch_size, "rows of the first page (100); pages grow");
  add_choice(c, "sync-patterns", s.sync_patterns, "keep patterns and heuristics (yes)");
  add_choice(c, "sync-embeddings", s.sync_embeddings, "keep embeddings (yes)");
  add_choice(c, "validate-checksums", s.validate_checksums,
             "compare every row with the source by hash (no)");
  c.add_option("--max-concurrent-fetches", s.max_concurrent_fetches,
               "requests in flight, 1 to 10 (10)");
  c.add_option("--request-deadline", flags.request_deadline, "for one request (30s)");
  c.add_option("--deadline", flags.deadline, "for the whole pass (none)");
  c.add_flag("--full", flags.sync.full, "fill a new generation instead of comparing");
  c.add_flag("--dry-run", flags.sync.dry_run, "price the pass, write nothing");
  c.add_flag("--set-scope", flags.sync.set_scope,
             "let the named settings change the cache's scope");
}

void add_readers(CLI::App& app, Flags& flags) {
  CLI::App& get = *app.add_subcommand("get", "Print cached rows by key, as JSON");
  get.add_option("collection", flags.get.collection, "episodes, patterns, ...")->required();
  get.add_option("keys", flags.get.keys, "one or more keys")->required();
  get.add_option("--max-age", flags.max_age, "exit 6 when the cache is older, e.g. 60s");
  CLI::App& list = *app.add_subcommand("list", "Print cached rows, one JSON object a line");
  list.add_option("collection", flags.list.collection, "episodes, patterns, embeddings, ...")
      ->required();
  list.add_option("--latest", flags.list.latest, "only the first N");
  auto* const where =
      list.add_option("--where", flags.list.where, "INDEX=VALUE of a pattern index");
  list.add_option("--of", flags.list.of_key, "embeddings of this parent's key")->excludes(where);
  CLI::App& status = *app.add_subcommand("status", "How fresh, how complete, why not");
  status.add_option("--max-age", flags.max_age, "exit 6 when the cache is older, e.g. 60s");
  CLI::App& validate = *app.add_subcommand("validate", "Check the cache against itself");
  validate.add_flag("--deep", flags.deep, "also redb's page checksums (waits for no writer)");
}

void add_set_up(CLI::App& app, Flags& flags) {
  CLI::App& init =
      *app.add_subcommand("init", "Write tidemark.toml, test the source, price the first sync");
  add_source(init, flags);
  init.add_flag("--force", flags.force, "replace an existing file");
  CLI::App& config = *app.add_subcommand("config", "Check or print the configuration");
  config.require_subcommand(1);
  config.fallthrough();
  config.add_subcommand("check", "Name every unknown key and bad value")->fallthrough();
  config.add_subcommand("print", "Print the effective configuration as TOML")->fallthrough();
  CLI::App& completion = *app.add_subcommand("completion", "Print a shell's completion script");
  completion.add_option("shell", flags.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

Result<void> read_duration(const std::string& text, const char* flag,
                           std::optional<std::chrono::milliseconds>& out) {
  if (text.empty()) return {};
  out = parse_duration(text);
  if (out) return {};
  return fail(ErrorCode::invalid, std::string(flag) + " wants a duration, not " + text,
              "for example 30s, 5m or 250ms");
}

// Flags are there; adds environment and file.
Result<void> complete_settings(Flags& flags, bool writes_config) {
  Settings& settings = flags.context.settings;
  TIDEMARK_TRY(
      read_duration(flags.request_deadline, "--request-deadline", settings.request_deadline));
  TIDEMARK_TRY(read_duration(flags.deadline, "--deadline", settings.pass_deadline));
  TIDEMARK_TRY(read_duration(flags.max_age, "--max-age", flags.get.max_age));
  merge(settings, settings_from_environment());
  if (writes_config) return {};
  TIDEMARK_ASSIGN(file, settings_from_file(flags.config));
  merge(settings, file);
  return {};
}

int dispatch(const CLI::App& app, Flags& flags) {
  const auto got = [&](const char* name) { return app.got_subcommand(name); };
  if (auto settings = complete_settings(flags, got("init")); !settings) {
    return report_error(flags.context, "config", settings.error());
  }
  if (got("sync")) return run_sync(flags.context, flags.sync);
  if (got("get")) return run_get(flags.context, flags.get);
  if (got("list")) return run_list(flags.context, flags.list);
  if (got("status")) return run_status(flags.context, flags.get.max_age);
  if (got("validate")) return run_validate(flags.context, flags.deep);
  if (got("init")) return run_init(flags.context, flags.config, flags.force);
  if (got("completion")) return run_completion(flags.shell);
  const CLI::App* const config = app.get_subcommand("config");
  return config->got_subcommand("check") ? run_config_check(flags.context)
                                         : run_config_print(flags.context);
}

// A usage error, on stderr and in the envelope. `wrong` must not hold a secret.
int report_usage(const Flags& flags, const std::string& wrong, const std::string& hint) {
  return report_error(flags.context, "usage", {ErrorCode::invalid, wrong, hint, {}});
}

// The token must not be a flag, and must not be repeated in an error either.
bool names_token(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--token" || word.starts_with("--token=")) return true;
  }
  return false;
}

// The command that may have been meant by the first word that is no flag.
std::string suggestion(int argc, const char* const* argv) {
  constexpr std::array<std::string_view, 8> kCommands = {
      "init", "sync", "get", "list", "status", "validate", "config", "completion"};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("-")) continue;
    const std::string meant = closest(word, kCommands);
    if (!meant.empty() && meant != word) return "did you mean " + meant + "? ";
  }
  return {};
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe ends the write, not the process
  Flags flags;
  CLI::App app{"tidemark: a fast local cache in step with a Turso database", "tidemark"};
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", flags.config, "configuration file (./tidemark.toml)");
  app.add_option("--cache", flags.context.settings.cache,
                 "cache file (~/.cache/tidemark/cache.redb)");
  app.add_flag("--json", flags.context.json, "one JSON envelope on stdout");
  app.add_flag("-q,--quiet", flags.context.quiet, "no progress, no report");
  app.add_flag("-v,--verbose", flags.context.verbose, "say more");
  add_sync(app, flags);
  add_readers(app, flags);
  add_set_up(app, flags);
  for (CLI::App* const command : app.get_subcommands({})) command->fallthrough();
  if (names_token(argc, argv)) {
    return report_usage(flags, "there is no --token: process lists show flags",
                        "use TURSO_AUTH_TOKEN or --token-file");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return report_usage(flags, error.what(), suggestion(argc, argv) + "see tidemark --help");
  }
  return dispatch(app, flags);
}

}  // namespace tidemark::cli
