#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "cli/output.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

// One line on a terminal, rewritten; nothing in a pipe.
class ProgressLine {
 public:
  explicit ProgressLine(bool on) : on_(on) {}
  ~ProgressLine() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  void show(const Progress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || (progress.phase == phase_ && now - last_ < std::chrono::milliseconds(100))) return;
    phase_ = progress.phase;
    last_ = now;
    shown_ = true;
    std::fprintf(stderr, "\r\033[K%s", progress.phase.c_str());
    if (progress.rows_done > 0) {
      std::fprintf(stderr, ": %llu rows", static_cast<unsigned long long>(progress.rows_done));
    }
    std::fflush(stderr);
  }

 private:
  const bool on_;
  bool shown_ = false;
  std::string phase_;
  std::chrono::steady_clock::time_point last_;
};

void print_report(const SyncReport& report) {
  std::printf("%s in %s (%s)\n", report.mode.c_str(), format_duration(report.duration).c_str(),
              report.reason.c_str());
  std::printf("  %-20s %9s %9s %9s %9s %9s\n", "collection", "written", "deleted", "evicted",
              "unchanged", "skipped");
  for (const auto& [name, c] : report.collections) {
    std::printf(
        "  %-20s %9llu %9llu %9llu %9llu %9llu\n", name.c_str(),
        static_cast<unsigned long long>(c.upserted), static_cast<unsigned long long>(c.deleted),
        static_cast<unsigned long long>(c.evicted), static_cast<unsigned long long>(c.unchanged),
        static_cast<unsigned long long>(c.skipped));
  }
  std::printf("  %llu requests, %llu pages; %s\n", static_cast<unsigned long long>(report.requests),
              static_cast<unsigned long long>(report.pages),
              freshness_text(report.freshness).c_str());
  for (const auto& item : report.skipped) {
    std::printf("  skipped %s %s: %s\n", item.collection.c_str(), item.key.c_str(),
                item.reason.c_str());
  }
  for (const auto& problem : report.validation.problems)
    std::printf("  differs: %s\n", problem.c_str());
}

int run_price(const Context& context, Syncer& syncer, const SyncRequest& request,
              const std::stop_token& stop) {
  const auto price = syncer.price(stop, request);
  if (!price) return report_error(context, "sync", price.error());
  const auto n = [](std::uint64_t value) { return std::to_string(value); };
  if (context.json) {
    print_envelope(
        "sync", kDone, nullptr, nullptr,
        "{\"dry_run\":true,\"mode\":" + json_string(price->mode) +
            ",\"episodes\":" + n(price->episodes) + ",\"patterns\":" + n(price->patterns) +
            ",\"heuristics\":" + n(price->heuristics) + ",\"embeddings\":" + n(price->embeddings) +
            ",\"rows_read\":" + n(price->rows_read) + "}");
    return kDone;
  }
  std::printf(
      "a %s pass would keep %s episodes, %s patterns, %s heuristics and up to %s embeddings,\n"
      "and read about %s rows at the source\n",
      price->mode.c_str(), n(price->episodes).c_str(), n(price->patterns).c_str(),
      n(price->heuristics).c_str(), n(price->embeddings).c_str(), n(price->rows_read).c_str());
  return kDone;
}

// The default cache's folder is ours to make.
Result<void> make_default_folder(const Settings& settings) {
  if (settings.cache) return {};
  const auto folder = std::filesystem::path(cache_path(settings)).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) == 0 || std::filesystem::is_directory(folder, error)) return {};
  return fail(ErrorCode::invalid, "cannot make " + folder.string(), "give a path with --cache");
}

}  // namespace

int run_sync(const Context& context, const SyncArguments& arguments) {
  const Settings& settings = context.settings;
  if (!settings.source) {
    return report_error(context, "sync",
                        {ErrorCode::invalid,
                         "no source",
                         "give --source URL, set TURSO_DATABASE_URL, or run `tidemark init`",
                         {}});
  }
  auto config = sync_config(settings);
  if (!config) return report_error(context, "sync", config.error());
  if (auto made = make_default_folder(settings); !made)
    return report_error(context, "sync", made.error());
  const StopOnSignal stop;
  SyncerOptions options;
  options.cache_mode = settings.cache_mode.value_or(options.cache_mode);
  options.page_cache_bytes = settings.page_cache.value_or(options.page_cache_bytes);
  options.token = [&settings] { return read_token(settings); };
  auto syncer = Syncer::open(*settings.source, cache_path(settings), *config, options);
  if (!syncer) return report_error(context, "sync", syncer.error());

  SyncRequest request;
  request.full = arguments.full;
  request.set_scope = arguments.set_scope;
  request.max_episodes_cache = settings.max_episodes_cache;
  request.sync_patterns = settings.sync_patterns;
  request.sync_embeddings = settings.sync_embeddings;
  if (arguments.dry_run) return run_price(context, *syncer, request, stop.token());

  Result<SyncReport> report;
  {
    ProgressLine line(!context.quiet && !context.json && ::isatty(STDERR_FILENO) == 1);
    request.progress = [&line](const Progress& progress) { line.show(progress); };
    report = syncer->sync(stop.token(), request);
  }
  if (!report) return report_error(context, "sync", report.error());
  const bool whole = report->freshness.incomplete == 0 && !report->validation.failed();
  const int exit = whole ? kDone : kDoneWithSkips;
  if (context.json) {
    print_envelope("sync", exit, nullptr, &report->freshness, report->to_json());
    return exit;
  }
  for (const auto& note : report->notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  if (!context.quiet) print_report(*report);
  return exit;
}

}  // namespace tidemark::cli
