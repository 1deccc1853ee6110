#include "cli/flags.h"

namespace tidemark::cli {
namespace {

constexpr const char* kFooter = R"(Environment:
  TURSO_DATABASE_URL   the source, as --source
  TURSO_AUTH_TOKEN     the bearer token (or --token-file; never a flag: process lists show flags)
  TIDEMARK_CACHE       the cache file, as --cache
  XDG_CACHE_HOME       where the default cache lies (else ~/.cache)
  CURL_CA_BUNDLE, SSL_CERT_FILE                 certificate authorities, a PEM file (the first wins)
  https_proxy, http_proxy, all_proxy, no_proxy  proxies, as curl takes them
A flag beats the environment, which beats tidemark.toml, which beats the default.

Exit codes:
  0 done                      5 busy: another process writes    9 unknown (not cached)
  1 error                     6 older than --max-age            130 interrupted
  2 usage or configuration    7 done, but rows were skipped, validation differs, problems found
  3 source unavailable        8 absent (the source has none)
  4 corrupt or needs repair

Examples:
  tidemark sync --source file:memories.db --cache memories.redb
  tidemark get --cache memories.redb episodes 7f3c
  tidemark list --cache memories.redb episodes --latest 10
  tidemark COMMAND --help says more of each command)";

constexpr const char* kInitFooter =
    R"(Nothing is written unless the source answers. A file is replaced only with --force.
Examples:
  tidemark init --source file:memories.db
  tidemark --config agent.toml init --source libsql://memories.example.turso.io)";

constexpr const char* kSyncFooter =
    R"(The scope (--max-episodes-cache, --sync-patterns, --sync-embeddings) is kept in the cache.
Without these a pass takes the cache's own; one that asks for another needs --set-scope.
Exit codes: 0 done, 3 source unavailable (the cache stays usable), 5 another pass runs, 7 done, but
rows were skipped, validation differs or capture missed changes.
Examples:
  tidemark sync                                        as tidemark.toml says
  tidemark sync --source file:memories.db --dry-run    what would it read?
  tidemark sync --max-episodes-cache 200 --set-scope   keep fewer episodes
  tidemark sync --full                                 fill the cache anew)";

constexpr const char* kGetFooter =
    R"(One row a line as JSON, in the order of the keys; with --json the result is a list of
{"collection","key","presence","row"}. `embeddings` means every embedding table; a key that is in
several of them gives a line {"collection","key","row"} for each.
Exit codes: 0 every key is cached, 8 at least one is absent (the source has none), 9 at least one is
unknown (not cached: ask the source), 6 older than --max-age (no row is printed then).
--read-through asks the source for what is unknown, never for what is absent; with --max-age also
where the cache is older. Its items have "origin" ("cache" or "source") and "as_of_ms", too. When
the source fails (3 unavailable, 1 refused), what the cache has is printed all the same.
Examples:
  tidemark get episodes 7f3c
  tidemark get patterns p1 p2 p3 --max-age 60s
  tidemark get --read-through episodes 7f3c)";

constexpr const char* kListFooter =
    R"(Prints {"collection","key","row"}, one a line: episodes newest first, others by key.
`embeddings` means every embedding table. With --json, too, rows are lines; errors are envelopes.
--latest takes the first N of what the others choose; --where is for patterns, --of for embeddings.
A cache older than --max-age gives exit code 6 and no row.
Examples:
  tidemark list episodes --latest 10
  tidemark list patterns --where pattern_type=error_recovery
  tidemark list embeddings --of 7f3c)";

constexpr const char* kNearestFooter =
    R"(Compares with every cached vector of the same dimension, exactly. --like KEY: the vector of
the embedding that has this key or is of the item that has it; it is left out itself, and only its
model is searched. --vector FILE: a JSON array of numbers, or raw little-endian f32; - for stdin.
Prints SCORE COLLECTION KEY and what it is an embedding of, nearest first, and on stderr over how
much of the source that searched. cosine and dot: more is nearer; l2: less is. With --json the
result is {"neighbours","coverage",...}; rows come without their vectors.
Exit codes: 0 done, 2 (also: KEY means several embeddings), 6 older than --max-age, 9 no embedding
of KEY is cached.
Examples:
  tidemark nearest --like 7f3c
  tidemark nearest --like 7f3c --of patterns -k 3
  embed "how to retry" | tidemark nearest --vector - --model text-embedding-3-small --json)";

constexpr const char* kStatusFooter =
    R"(Works on caches that cannot be opened, too: then it says why. Exit codes: 0, 6 older than
--max-age (the status is printed all the same), 4 the cache is damaged or needs repair.
--watch looks each second until Ctrl-C, which is exit 0. On a terminal it redraws in place; in a
pipe it prints a line when something changes (the age alone is no change), with --json an envelope.
Examples:
  tidemark status
  tidemark status --watch
  tidemark status --max-age 60s || tidemark sync)";

constexpr const char* kDoctorFooter =
    R"(Measures the source (round trip, a page of rows, clock, change capture, counts), the cache
(age, size, reads), its lock and daemon, memory, disk and rights, and says under each heading what
is as it should be and what is not: a "notice" is worth knowing, a "problem" needs somebody to act;
each has the one command or setting that helps. Writes nothing, takes no lock, and works without a
source, a cache or either. It counts the source's rows, as `sync --dry-run` does.
Exit codes: 0 no problem (there may be notices), 7 there are problems, 130 interrupted.
Examples:
  tidemark doctor
  tidemark doctor --deadline 5s -q      problems and notices alone
  tidemark doctor --json | jq '.result.findings[] | select(.severity == "problem")')";

constexpr const char* kValidateFooter =
    R"(Checks every row's hash, the indexes and the sums; --against-source compares every row with
the source instead, and writes nothing.
Exit codes: 0 intact (or equal), 4 damaged, 7 differs from the source.
Examples:
  tidemark validate
  tidemark validate --deep
  tidemark validate --against-source)";

constexpr const char* kRepairFooter =
    R"(Damaged rows are fetched again and indexes built anew. A file beyond that is kept as
CACHE.corrupt (one copy, the newest) and the cache filled anew. `sync` does the same by itself
when it meets damage; this looks at every page.
Examples:
  tidemark repair
  tidemark repair --source file:memories.db --cache memories.redb)";

constexpr const char* kRebuildFooter =
    R"(The cache stays readable until the new generation takes its place.
Examples:
  tidemark rebuild
  tidemark rebuild --adopt     no cache of this source stands there: kept as CACHE.foreign)";

constexpr const char* kDaemonFooter =
    R"(A pass runs at the start, each interval, when a reader finds the cache stale, when the source
comes back (tried again after 1 s, then less often, up to 5 min) and when asked for: `sync`,
`repair`, `rebuild` and `validate --against-source` have a living daemon do it, and wait for it.
It stays in the foreground and logs to stderr; -v logs each pass, also those that changed nothing.
SIGTERM, SIGINT: stop; a pass gets [daemon] stop_deadline (10s) to end. SIGHUP: read tidemark.toml
and the token again, and run a pass. One daemon for each cache: a second one exits 5.
Examples:
  tidemark daemon                                   as tidemark.toml says
  tidemark daemon --source file:memories.db --interval 5s
  tidemark status                                   is it alive, how fresh is the cache?)";

constexpr const char* kMcpFooter =
    R"(An agent's client starts it. Tools: get, list, nearest, status, sync (docs/mcp.md).
It ends with its standard input, or at SIGTERM or Ctrl-C: a pass that runs in it is stopped then,
and the cache stays as it was. A cache need not be there yet. No answer shows a token.
Examples:
  tidemark mcp                                      as tidemark.toml says
  tidemark --config /etc/agent/tidemark.toml mcp --read-only     a daemon syncs)";

constexpr const char* kCaptureFooter =
    R"(Triggers at the source write down which rows changed, so that a pass costs one round trip and
what changed, not the whole scope. Installing needs the right to write, once; syncing does not.
It is idempotent: run it again to mend what is missing, or after a table was changed. When an audit
found changes that the log misses, `install --renew` lets caches follow it again.
Exit codes of status: 0 healthy or not installed, 7 installed but something needs a look.
Examples:
  tidemark capture install --dry-run                what would it do, what does it cost?
  tidemark capture install --print-sql              the SQL, for someone who may write
  tidemark capture install                          do it
  tidemark capture install --renew                  nothing writes with triggers off any more
  tidemark capture status                           which tables, healthy or why not
  tidemark capture prune --keep 100000              drop older changes from the log
  tidemark capture remove                           take it all away)";

constexpr const char* kConfigFooter = R"(Examples:
  tidemark config check           every unknown key and bad value, at once
  tidemark config print           each value and where it came from)";

constexpr const char* kCompletionFooter = R"(Examples:
  source <(tidemark completion bash)                                  in ~/.bashrc
  source <(tidemark completion zsh)                                   in ~/.zshrc, after compinit
  tidemark completion fish > ~/.config/fish/completions/tidemark.fish)";

CLI::App& add_command(CLI::App& app, const char* name, const char* purpose, const char* footer) {
  CLI::App& command = *app.add_subcommand(name, purpose);
  command.footer(footer);
  command.fallthrough();
  return command;
}

// CLI11 takes -5 for 2^64 - 5.
CLI::Validator whole_number() {
  const auto trouble = [](const std::string& text) {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return digits ? std::string() : "wants a whole number, not " + text;
  };
  return {trouble, ""};
}

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
  CLI::App& c =
      add_command(app, "sync", "One pass: bring the cache in step with its source", kSyncFooter);
  Settings& s = flags.context.settings;
  add_source(c, flags);
  c.add_option("--max-episodes-cache", s.max_episodes_cache, "newest episodes to keep (1000)")
      ->check(whole_number());
  c.add_option("--batch-size", s.batch_size, "rows of the first page (100); pages grow")
      ->check(whole_number());
  add_choice(c, "sync-patterns", s.sync_patterns, "keep patterns and heuristics (yes)");
  add_choice(c, "sync-embeddings", s.sync_embeddings, "keep embeddings (yes)");
  add_choice(c, "validate-checksums", s.validate_checksums,
             "check all of the cache after the pass (no)");
  c.add_option("--max-concurrent-fetches", s.max_concurrent_fetches,
               "requests in flight, 1 to 10 (10)")
      ->check(whole_number());
  c.add_option("--request-deadline", flags.request_deadline, "for one request (30s)");
  c.add_option("--deadline,--pass-deadline", flags.deadline, "for the whole pass (none)");
  c.add_option("--max-rows-read-per-pass", s.max_rows_read_per_pass,
               "end before the source would read more rows (0: no limit)")
      ->check(whole_number());
  c.add_option("--audit-interval", flags.audit_interval,
               "compare everything beside a change log when that was last done so long ago (24h)");
  c.add_flag("--full", flags.sync.full, "fill a new generation instead of comparing");
  c.add_flag("--dry-run", flags.sync.dry_run, "price the pass, write nothing");
  c.add_flag("--set-scope", flags.sync.set_scope,
             "let the named settings change the cache's scope");
}

void add_max_age(CLI::App& command, Flags& flags) {
  command.add_option("--max-age", flags.max_age, "exit 6 when the cache is older, e.g. 60s");
}

void add_readers(CLI::App& app, Flags& flags) {
  CLI::App& get = add_command(app, "get", "Print cached rows by key, as JSON", kGetFooter);
  get.add_option("collection", flags.get.collection, "episodes, patterns, ...")->required();
  get.add_option("keys", flags.get.keys, "one or more keys")->required();
  add_max_age(get, flags);
  auto* const through = get.add_flag("--read-through", flags.get.read_through,
                                     "ask the source for what the cache cannot answer");
  add_source(get, flags);
  get.add_option("--deadline", flags.get_deadline, "for one question to the source (2s)");
  for (const char* name : {"--source", "--token-file", "--deadline"}) {
    get.get_option(name)->needs(through);
  }
  CLI::App& list =
      add_command(app, "list", "Print cached rows, one JSON object a line", kListFooter);
  list.add_option("collection", flags.list.collection, "episodes, patterns, embeddings, ...")
      ->required();
  list.add_option("--latest", flags.list.latest, "only the first N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  auto* const where =
      list.add_option("--where", flags.list.where, "INDEX=VALUE of a pattern index; not with --of");
  list.add_option("--of", flags.list.of_key, "embeddings of this parent's key")->excludes(where);
  add_max_age(list, flags);
  CLI::App& status = add_command(app, "status", "How fresh, how complete, why not", kStatusFooter);
  add_max_age(status, flags);
  status.add_flag("--watch", flags.status.watch, "go on looking, each second, until Ctrl-C")
      ->excludes(status.get_option("--max-age"));
  CLI::App& validate =
      add_command(app, "validate", "Check the cache against itself", kValidateFooter);
  validate.add_flag("--deep", flags.validate.deep,
                    "also redb's page checksums (waits for no writer)");
  add_source(validate, flags);
  validate.add_flag("--against-source", flags.validate.against_source,
                    "compare with the source instead");
}

void add_nearest(CLI::App& app, Flags& flags) {
  CLI::App& c =
      add_command(app, "nearest", "Print the cached embeddings most like a vector", kNearestFooter);
  NearestArguments& a = flags.nearest;
  auto* const like = c.add_option("--like", a.like, "key of an embedding, or of what it is of");
  c.add_option("--vector", a.vector_file, "FILE that holds a vector; not with --like")
      ->excludes(like);
  c.add_option("-k", a.k, "how many (10)")->check(whole_number());
  c.add_option("--collection", a.collection, "one embedding table (all of them)");
  c.add_option("--similarity", a.similarity, "cosine, dot or l2 (cosine)")
      ->check(CLI::IsMember({"cosine", "dot", "l2"}));
  c.add_option("--model", a.model, "only vectors of this model; needed where there are several");
  c.add_option("--of", a.of, "only embeddings of episodes, patterns or heuristics")
      ->check(CLI::IsMember({"episodes", "patterns", "heuristics"}));
  add_max_age(c, flags);
}

void add_menders(CLI::App& app, Flags& flags) {
  CLI::App& doctor =
      add_command(app, "doctor", "Measure what is slow, locked, stale or missing", kDoctorFooter);
  add_source(doctor, flags);
  doctor.add_option("--deadline", flags.doctor_deadline, "for all of it (15s)");
  add_source(add_command(app, "repair", "Mend a damaged cache", kRepairFooter), flags);
  CLI::App& rebuild =
      add_command(app, "rebuild", "Fill a new generation from the source", kRebuildFooter);
  add_source(rebuild, flags);
  rebuild.add_flag("--adopt", flags.adopt, "also over a file that is no cache of this source");
}

void add_daemon(CLI::App& app, Flags& flags) {
  CLI::App& c = add_command(app, "daemon", "Keep the cache in step until stopped", kDaemonFooter);
  add_source(c, flags);
  c.add_option("--interval", flags.interval, "between two passes (30s)");
}

void add_mcp(CLI::App& app, Flags& flags) {
  CLI::App& c = add_command(app, "mcp", "Answer an agent over the Model Context Protocol, on stdio",
                            kMcpFooter);
  add_source(c, flags);
  c.add_flag("--read-only", flags.read_only, "without the tool sync");
}

void add_capture(CLI::App& app, Flags& flags) {
  CLI::App& capture =
      add_command(app, "capture", "Have the source write down what changes", kCaptureFooter);
  capture.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose,
                       std::optional<CaptureAction> action) -> CLI::App& {
    CLI::App& c = add_command(capture, name, purpose, kCaptureFooter);
    add_source(c, flags);
    c.parse_complete_callback([&flags, action] { flags.capture.action = action; });
    if (!action) return c;
    c.add_flag("--print-sql", flags.capture.print_sql, "print the SQL, run nothing");
    c.add_flag("--dry-run", flags.capture.dry_run, "say what would be done, do nothing");
    return c;
  };
  CLI::App& install = add("install", "Create the change log and its triggers, or mend them",
                          CaptureAction::install);
  install.add_flag("--renew", flags.capture.renew,
                   "new epochs: caches read everything once, then follow the log again");
  add("status", "Which tables are captured, and healthy or why not", std::nullopt);
  CLI::App& prune = add("prune", "Delete old changes from the log", CaptureAction::prune);
  prune.add_option("--keep", flags.capture.keep, "newest changes that stay (100000)")
      ->check(whole_number());
  add("remove", "Remove the log, its triggers and what belongs to them", CaptureAction::remove);
}

void add_set_up(CLI::App& app, Flags& flags) {
  CLI::App& init = add_command(
      app, "init", "Write tidemark.toml, test the source, price the first sync", kInitFooter);
  add_source(init, flags);
  init.add_flag("--force", flags.force, "replace an existing file");
  CLI::App& config = add_command(app, "config", "Check or print the configuration", kConfigFooter);
  config.require_subcommand(1);
  config.add_subcommand("check", "Name every unknown key and bad value")->fallthrough();
  config.add_subcommand("print", "Print the effective configuration and where it came from")
      ->fallthrough();
  CLI::App& completion =
      add_command(app, "completion", "Print a shell's completion script", kCompletionFooter);
  completion.add_option("shell", flags.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace

void add_commands(CLI::App& app, Flags& flags) {
  app.footer(kFooter);
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", flags.config, "configuration file (./tidemark.toml)");
  app.add_option("--cache", flags.context.settings.cache,
                 "cache file (~/.cache/tidemark/cache.redb)");
  app.add_flag("--json", flags.context.json, "one JSON envelope on stdout");
  auto* const quiet = app.add_flag("-q,--quiet", flags.context.quiet, "no progress, no report");
  app.add_flag("-v,--verbose", flags.context.verbose, "say more")->excludes(quiet);
  add_sync(app, flags);
  add_readers(app, flags);
  add_nearest(app, flags);
  add_capture(app, flags);
  add_menders(app, flags);
  add_daemon(app, flags);
  add_mcp(app, flags);
  add_set_up(app, flags);
}

}  // namespace tidemark::cli
