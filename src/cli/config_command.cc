#include "cli/config_text.h"
#include "cli/output.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

// The file was read with the settings; what is left is what they mean together.
std::string problems_of(const Settings& settings) {
  std::string problems;
  const auto note = [&](const Error& error) {
    problems += (problems.empty() ? "" : "; ") + error.message;
  };
  if (const auto config = sync_config(settings); !config) note(config.error());
  if (const auto times = check_times(settings); !times) note(times.error());
  if (const auto token = read_token(settings); !token) note(token.error());
  if (settings.source) {
    const auto syncer = Syncer::open(*settings.source, cache_path(settings), {});
    if (!syncer) note(syncer.error());
  }
  return problems;
}

}  // namespace

int run_config_check(const Context& context) {
  if (const std::string problems = problems_of(context.settings); !problems.empty()) {
    return report_error(context, "config check",
                        {ErrorCode::invalid,
                         problems,
                         "`tidemark config print` shows where each value came from",
                         {}});
  }
  if (context.json) {
    print_envelope("config check", kDone, nullptr, nullptr, "{\"problems\":[]}");
  } else if (!context.quiet) {
    write_out(context.settings.source
                  ? "the configuration is fine\n"
                  : "the configuration is fine, but names no source: give --source, set "
                    "TURSO_DATABASE_URL, or run `tidemark init`\n");
  }
  return kDone;
}

int run_config_print(const Context& context) {
  if (context.json) {
    print_envelope("config print", kDone, nullptr, nullptr, to_settings_json(context.settings));
  } else {
    write_out(to_toml(context.settings, Origins::show));
  }
  return kDone;
}

}  // namespace tidemark::cli
