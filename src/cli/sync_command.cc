#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <initializer_list>

#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/signals.h"
#include "cli/syncing.h"
#include "cli/units.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

void print_report(const SyncReport& report) {
  write_out(report.mode + " in " + format_duration(report.duration) + " (" + report.reason + ")\n");
  const auto row = [](const std::string& name, std::initializer_list<std::string> cells) {
    std::string line = "  " + name;
    line.resize(std::max<std::size_t>(line.size(), 22), ' ');
    for (const auto& cell : cells) {
      line += std::string(cell.size() < 12 ? 12 - cell.size() : 1, ' ') + cell;
    }
    write_out(line + "\n");
  };
  row("collection", {"written", "deleted", "evicted", "unchanged", "skipped"});
  for (const auto& [name, c] : report.collections) {
    row(name, {grouped(c.upserted), grouped(c.deleted), grouped(c.evicted), grouped(c.unchanged),
               grouped(c.skipped)});
  }
  write_out("  " + grouped(report.requests) + " requests, " + grouped(report.pages) + " pages; " +
            freshness_text(report.freshness) + "\n");
  for (const auto& item : report.skipped) {
    write_out("  skipped " + item.collection + " " + item.key + ": " + item.reason + "\n");
  }
  for (const auto& item : report.missed) {
    write_out("  missed by capture: " + item.collection + " " + item.key + "\n");
  }
  if (report.missed_by_capture > 0) {
    write_out("  " + grouped(report.missed_by_capture) +
              (report.missed_by_capture == 1 ? " change was" : " changes were") +
              " missed by capture, and repaired; `tidemark status` says more\n");
  }
  for (const auto& problem : report.validation.problems) write_out("  differs: " + problem + "\n");
}

std::string price_json(const SyncPrice& price) {
  const auto n = [](std::uint64_t value) { return std::to_string(value); };
  const bool follows = price.changes.has_value();
  const std::string everything = "{\"rows_read\":" + n(price.everything_rows_read) + "}";
  return "{\"dry_run\":true,\"mode\":" + json_string(price.mode) +
         ",\"reason\":" + json_string(price.reason) + ",\"episodes\":" + n(price.episodes) +
         ",\"patterns\":" + n(price.patterns) + ",\"heuristics\":" + n(price.heuristics) +
         ",\"embeddings\":" + n(price.embeddings) + ",\"rows_read\":" + n(price.rows_read) +
         ",\"fill\":" + everything + ",\"audit\":" + (follows ? everything : "null") +
         ",\"delta\":" +
         (follows ? "{\"changes\":" + n(*price.changes) +
                        ",\"rows_read\":" + n(price.delta_rows_read.value_or(0)) + "}"
                  : "null") +
         "}";
}

void print_price(const SyncPrice& price) {
  write_out((price.mode == "audit" ? "an " : "a ") + price.mode + " pass would keep " +
            grouped(price.episodes) + " episodes, " + grouped(price.patterns) + " patterns, " +
            grouped(price.heuristics) + " heuristics and up to " + grouped(price.embeddings) +
            " embeddings,\nand read about " + grouped(price.rows_read) + " rows at the source" +
            (price.reason.empty() ? "" : " (" + price.reason + ")") + "\n");
  if (!price.changes) return;
  write_out("  a delta of " + grouped(*price.changes) +
            (*price.changes == 1 ? " logged change" : " logged changes") + " reads about " +
            grouped(price.delta_rows_read.value_or(0)) + " rows, an audit or a fill about " +
            grouped(price.everything_rows_read) + "\n");
}

int run_price(const Context& context, Syncer& syncer, const SyncRequest& request,
              const std::stop_token& stop) {
  const auto price = syncer.price(stop, request);
  if (!price) return report_cache_error(context, "sync", price.error());
  if (context.json) {
    print_envelope("sync", kDone, nullptr, nullptr, price_json(*price));
  } else {
    print_price(*price);
  }
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

Result<Syncer> open_syncer(const Settings& settings) {
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
  return Syncer::open(*settings.source, cache_path(settings), config, options);
}

SyncRequest request_of(const Settings& settings) {
  SyncRequest request;
  request.max_episodes_cache = settings.max_episodes_cache;
  request.sync_patterns = settings.sync_patterns;
  request.sync_embeddings = settings.sync_embeddings;
  return request;
}

int print_outcome(const Context& context, std::string_view command, const SyncReport& report) {
  const bool whole = report.freshness.incomplete == 0 && !report.validation.failed() &&
                     report.missed_by_capture == 0;
  const int exit = whole ? kDone : kDoneWithSkips;
  if (context.json) {
    print_envelope(command, exit, nullptr, &report.freshness, report.to_json());
    return exit;
  }
  if (context.quiet) return exit;
  if (context.verbose > 0) {
    for (const auto& role : report.roles) std::fprintf(stderr, "found: %s\n", role.c_str());
  }
  for (const auto& note : report.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  print_report(report);
  return exit;
}

int report_pass_error(const Context& context, std::string_view command, Error error) {
  if (error.code == ErrorCode::cancelled && error.hint.empty()) {
    error.hint = "nothing is lost: run it again";
  }
  return report_cache_error(context, command, error);
}

int run_sync(const Context& context, const SyncArguments& arguments) {
  const Settings& settings = context.settings;
  if (settings.source) {
    if (const auto made = make_default_folder(settings); !made)
      return report_error(context, "sync", made.error());
  }
  const StopOnSignal stop;
  auto syncer = open_syncer(settings);
  if (!syncer) {
    return settings.source ? report_cache_error(context, "sync", syncer.error())
                           : report_error(context, "sync", syncer.error());
  }
  SyncRequest request = request_of(settings);
  request.full = arguments.full;
  request.set_scope = arguments.set_scope;
  if (arguments.dry_run) return run_price(context, *syncer, request, stop.token());

  Result<SyncReport> report;
  {
    ProgressLine line(!context.quiet && !context.json && can_show_progress());
    request.progress = [&line](const Progress& progress) { line.show(progress); };
    report = syncer->sync(stop.token(), request);
  }
  if (!report) return report_pass_error(context, "sync", report.error());
  return print_outcome(context, "sync", *report);
}

}  // namespace tidemark::cli
