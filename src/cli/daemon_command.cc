#include "cli/flags.h"
#include "cli/output.h"
#include "cli/setting_fields.h"
#include "cli/syncing.h"
#include "daemon/daemon.h"
#include "daemon/log.h"

namespace tidemark::cli {
namespace {

Result<daemon::Settings> daemon_settings(const Settings& settings) {
  TIDEMARK_ASSIGN(setup, setup_of(settings));
  TIDEMARK_TRY(check_times(settings));
  if (std::string wrong = times_out_of_range(settings); !wrong.empty()) {
    return fail(ErrorCode::invalid, wrong, "`tidemark config print` shows every value");
  }
  daemon::Settings out;
  out.setup = std::move(setup);
  out.setup.config.heartbeat = settings.heartbeat.value_or(kHeartbeat);
  // The rest of what is named is in the setup.
  out.pass.max_episodes_cache = settings.max_episodes_cache;
  out.pass.sync_patterns = settings.sync_patterns;
  out.pass.sync_embeddings = settings.sync_embeddings;
  out.timing.interval = settings.interval.value_or(kInterval);
  out.socket = settings.daemon_socket.value_or("");
  out.listen = settings.daemon_listen.value_or("");
  out.token_file = settings.daemon_token_file.value_or("");
  out.max_staleness = settings.max_staleness.value_or(kMaxStaleness);
  out.build = build();
  out.stop_deadline = settings.stop_deadline.value_or(kStopDeadline);
  out.scrub_interval = settings.scrub_interval.value_or(kScrubInterval);
  return out;
}

// What a flag or the environment named stays; the rest is as the file says now.
Result<daemon::Settings> load_again(const Settings& named, const std::string& config_path) {
  Settings settings = named;
  TIDEMARK_ASSIGN(file, settings_from_file(config_path));
  merge(settings, file);
  return daemon_settings(settings);
}

// Without what the file named.
Settings named_elsewhere(const Settings& settings) {
  Settings out;
  each_setting([&](const char* section, const char* name, auto member) {
    const auto origin = settings.origins.find(setting_name(section, name));
    if (origin == settings.origins.end() || origin->second.layer == Layer::file) return;
    out.*member = settings.*member;
    out.origins[origin->first] = origin->second;
  });
  return out;
}

}  // namespace

int run_daemon(const Context& context, const std::string& config_path) {
  daemon::start_log(context.verbose > 0 ? daemon::Level::debug
                    : context.quiet     ? daemon::Level::warning
                                        : daemon::Level::info);
  auto settings = daemon_settings(context.settings);
  if (!settings) return report_error(context, "daemon", settings.error());
  if (const auto made = make_default_folder(context.settings); !made) {
    return report_error(context, "daemon", made.error());
  }
  const Settings named = named_elsewhere(context.settings);
  const auto ended = daemon::run_daemon(
      std::move(*settings), [&named, &config_path] { return load_again(named, config_path); });
  return ended ? kDone : report_error(context, "daemon", ended.error());
}

}  // namespace tidemark::cli
