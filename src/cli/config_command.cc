#include <cstdio>

#include "cli/output.h"

namespace tidemark::cli {

int run_config_check(const Context& context) {
  // The file was read with the settings; what is left is what they mean together.
  if (auto config = sync_config(context.settings); !config) {
    return report_error(context, "config check", config.error());
  }
  if (auto times = check_times(context.settings); !times) {
    return report_error(context, "config check", times.error());
  }
  if (context.json) print_envelope("config check", kDone, nullptr, nullptr, {});
  if (!context.json && !context.quiet) std::printf("the configuration is fine\n");
  return kDone;
}

int run_config_print(const Context& context) {
  // What nobody named stands there as a comment, with its default.
  const std::string toml = to_toml(context.settings);
  if (context.json) {
    print_envelope("config print", kDone, nullptr, nullptr, json_string(toml));
  } else {
    std::printf("%s", toml.c_str());
  }
  return kDone;
}

}  // namespace tidemark::cli
