#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/output.h"
#include "cli/signals.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {

int run_init(const Context& context, const std::string& config_path, bool force) {
  const std::string path = config_path.empty() ? "tidemark.toml" : config_path;
  Settings settings = context.settings;
  if (!settings.source) {
    return report_error(context, "init",
                        {ErrorCode::invalid, "no source", "give --source URL", {}});
  }
  std::error_code ignored;
  if (!force && std::filesystem::exists(path, ignored)) {
    return report_error(
        context, "init",
        {ErrorCode::invalid, path + " exists already", "add --force to replace it", {}});
  }
  auto config = sync_config(settings);
  if (!config) return report_error(context, "init", config.error());
  const StopOnSignal stop;
  SyncerOptions options;
  options.token = [&settings] { return read_token(settings); };
  auto syncer = Syncer::open(*settings.source, cache_path(settings), *config, options);
  if (!syncer) return report_error(context, "init", syncer.error());
  const auto price = syncer->price(stop.token());
  if (!price) return report_error(context, "init", price.error());

  if (settings.source->starts_with("file:")) {
    settings.source =
        "file:" + std::filesystem::absolute(settings.source->substr(5), ignored).string();
  }
  if (settings.token_file) {
    settings.token_file = std::filesystem::absolute(*settings.token_file, ignored).string();
  }
  if (settings.cache) settings.cache = std::filesystem::absolute(*settings.cache, ignored).string();
  std::ofstream file(path);
  if (!(file << to_toml(settings)) || !file.flush()) {
    return report_error(context, "init", {ErrorCode::invalid, "cannot write " + path, {}, {}});
  }
  if (context.json) {
    print_envelope("init", kDone, nullptr, nullptr,
                   "{\"config\":" + json_string(path) +
                       ",\"rows_read\":" + std::to_string(price->rows_read) + "}");
    return kDone;
  }
  std::printf(
      "wrote %s\nthe source answers; the first sync would keep %llu episodes and read about %llu "
      "rows\nnext: tidemark sync\n",
      path.c_str(), static_cast<unsigned long long>(price->episodes),
      static_cast<unsigned long long>(price->rows_read));
  return kDone;
}

}  // namespace tidemark::cli
