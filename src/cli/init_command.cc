#include <filesystem>
#include <fstream>

#include "cli/config_text.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "daemon/json_forms.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

// The file may be read from another folder.
void make_absolute(Settings& settings) {
  std::error_code ignored;
  const auto absolute = [&](std::string& path) {
    path = std::filesystem::absolute(path, ignored).lexically_normal().string();
  };
  if (settings.source && settings.source->starts_with("file:")) {
    std::string path = settings.source->substr(5);
    absolute(path);
    settings.source = "file:" + path;
  }
  if (settings.token_file) absolute(*settings.token_file);
  if (settings.cache) absolute(*settings.cache);
}

Result<SyncPrice> price_first_sync(const Settings& settings) {
  TIDEMARK_ASSIGN(config, sync_config(settings));
  const StopOnSignal stop;
  SyncerOptions options;
  options.token = [&settings] { return read_token(settings); };
  TIDEMARK_ASSIGN(syncer, Syncer::open(*settings.source, cache_path(settings), config, options));
  return syncer.price(stop.token());
}

// The whole file or none of it.
Result<void> write_config(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << "# Written by `tidemark init`; `tidemark config check` checks it.\n" << text;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(fresh, path, error);
  if (file && !error) return {};
  std::filesystem::remove(fresh, error);
  return fail(ErrorCode::invalid, "cannot write " + path,
              "give the path of a file that you may write: --config FILE");
}

void print_init(const Context& context, const std::string& path, const SyncPrice& price,
                bool other_path) {
  const std::string next = "tidemark " + (other_path ? "--config " + path + " " : "") + "sync";
  if (context.json) {
    print_envelope("init", kDone, nullptr, nullptr,
                   "{\"config\":" + daemon::json_string(path) +
                       ",\"cache\":" + daemon::json_string(cache_path(context.settings)) +
                       ",\"episodes\":" + std::to_string(price.episodes) +
                       ",\"patterns\":" + std::to_string(price.patterns) +
                       ",\"heuristics\":" + std::to_string(price.heuristics) +
                       ",\"embeddings\":" + std::to_string(price.embeddings) +
                       ",\"rows_read\":" + std::to_string(price.rows_read) +
                       ",\"next\":" + daemon::json_string(next) + "}");
    return;
  }
  if (context.quiet) return;
  write_out("wrote " + path + "\nthe source answers: the first sync would keep " +
            grouped(price.episodes) + " episodes, " + grouped(price.patterns) + " patterns, " +
            grouped(price.heuristics) + " heuristics\nand up to " + grouped(price.embeddings) +
            " embeddings in " + cache_path(context.settings) + ", and read about " +
            grouped(price.rows_read) + " rows\nnext: " + next + "\n");
}

}  // namespace

int run_init(const Context& context, const std::string& config_path, bool force) {
  const std::string path = config_path.empty() ? "tidemark.toml" : config_path;
  if (!context.settings.source) {
    return report_error(context, "init",
                        {ErrorCode::invalid,
                         "no source",
                         "give --source file:memories.db or --source libsql://HOST",
                         {}});
  }
  std::error_code ignored;
  if (!force && std::filesystem::exists(path, ignored)) {
    return report_error(
        context, "init",
        {ErrorCode::invalid, path + " exists already", "add --force to replace it", {}});
  }
  Settings settings = context.settings;
  make_absolute(settings);
  const auto price = price_first_sync(settings);
  if (!price) return report_error(context, "init", price.error());
  if (const auto written = write_config(path, to_toml(settings)); !written) {
    return report_error(context, "init", written.error());
  }
  print_init(context, path, *price, !config_path.empty() && config_path != "tidemark.toml");
  return kDone;
}

}  // namespace tidemark::cli
