// Passes as the commands run them: by the cache's daemon where one lives, else here.
#include "cli/syncing.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/signals.h"
#include "daemon/client.h"

namespace tidemark::cli {
namespace {

// The daemon has another working directory.
std::string absolute_source(const std::string& source) {
  if (!source.starts_with("file:") || source.starts_with("file:/")) return source;
  std::error_code ignored;
  return "file:" + std::filesystem::absolute(source.substr(5), ignored).string();
}

// nullopt: no daemon lives.
Result<std::optional<daemon::Done>> performed_by_daemon(const Context& context,
                                                        const daemon::Ask& ask,
                                                        const std::stop_token& stop,
                                                        const daemon::OnProgress& progress) {
  using Nothing = std::optional<daemon::Done>;
  const daemon::Request request{daemon::Command::perform, ask};
  TIDEMARK_ASSIGN(asked, daemon::ask_daemon(cache_path(context.settings), request, stop, progress));
  if (!asked.reply) {
    if (asked.lost && !context.quiet) {
      std::fprintf(stderr, "note: the daemon ended; the pass runs here\n");
    }
    return Nothing();
  }
  if (auto* const done = std::get_if<daemon::Done>(&*asked.reply)) return Nothing(std::move(*done));
  if (auto* const error = std::get_if<Error>(&*asked.reply)) {
    return std::unexpected(std::move(*error));
  }
  return fail(ErrorCode::internal, "the daemon answered something else");
}

}  // namespace

Result<void> make_default_folder(const Settings& settings) {
  if (settings.cache) return {};
  const auto folder = std::filesystem::path(cache_path(settings)).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) == 0 || std::filesystem::is_directory(folder, error)) return {};
  return fail(ErrorCode::invalid, "cannot make " + folder.string(), "give a path with --cache");
}

Result<daemon::Setup> setup_of(const Settings& settings) {
  if (!settings.source) {
    return fail(ErrorCode::invalid, "no source",
                "give --source URL, set TURSO_DATABASE_URL, or run `tidemark init`");
  }
  TIDEMARK_ASSIGN(config, sync_config(settings));
  config.heartbeat = {};  // one pass: what it saw is always told to readers
  SyncerOptions options;
  options.cache_mode = settings.cache_mode.value_or(options.cache_mode);
  options.page_cache_bytes = settings.page_cache.value_or(options.page_cache_bytes);
  options.token = [settings] { return read_token(settings); };
  return daemon::Setup{*settings.source, cache_path(settings), config, std::move(options)};
}

daemon::Ask ask_of(const Settings& settings, daemon::Work work) {
  daemon::Ask ask;
  ask.work = work;
  if (settings.source) ask.source = absolute_source(*settings.source);
  ask.max_episodes_cache = settings.max_episodes_cache;
  ask.sync_patterns = settings.sync_patterns;
  ask.sync_embeddings = settings.sync_embeddings;
  ask.batch_size = settings.batch_size;
  ask.validate_checksums = settings.validate_checksums;
  ask.max_concurrent_fetches = settings.max_concurrent_fetches;
  ask.request_deadline = settings.request_deadline;
  ask.pass_deadline = settings.pass_deadline;
  ask.max_rows_read_per_pass = settings.max_rows_read_per_pass;
  ask.audit_interval = settings.audit_interval;
  return ask;
}

Result<daemon::Done> perform(const Context& context, const daemon::Ask& ask) {
  const StopOnSignal stop;
  ProgressLine line(!context.quiet && !context.json && can_show_progress());
  return perform(context, ask, stop.token(), [&line](const Progress& p) { line.show(p); });
}

Result<daemon::Done> perform(const Context& context, const daemon::Ask& ask,
                             const std::stop_token& stop, const daemon::OnProgress& progress) {
  TIDEMARK_ASSIGN(done, performed_by_daemon(context, ask, stop, progress));
  if (done) return std::move(*done);
  TIDEMARK_ASSIGN(setup, setup_of(context.settings));
  return daemon::perform(setup, ask, stop, progress);
}

int report_pass_error(const Context& context, std::string_view command, Error error) {
  if (error.code == ErrorCode::cancelled && error.hint.empty()) {
    error.hint = "nothing is lost: run it again";
  }
  return report_cache_error(context, command, error);
}

}  // namespace tidemark::cli
