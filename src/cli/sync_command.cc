#include <algorithm>
#include <cstdio>
#include <initializer_list>

#include "cli/output.h"
#include "cli/signals.h"
#include "cli/syncing.h"
#include "cli/units.h"
#include "daemon/json_forms.h"
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
  write_out("  " + base::counted(report.requests, "request") + ", " +
            base::counted(report.pages, "page") + " of rows; " + freshness_text(report.freshness) +
            "\n");
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
  return "{\"dry_run\":true,\"mode\":" + daemon::json_string(price.mode) +
         ",\"reason\":" + daemon::json_string(price.reason) + ",\"episodes\":" + n(price.episodes) +
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
  write_out("  a delta of " + base::counted(*price.changes, "logged change") + " reads about " +
            grouped(price.delta_rows_read.value_or(0)) + " rows, an audit or a fill about " +
            grouped(price.everything_rows_read) + "\n");
}

Result<SyncPrice> price_of(const Settings& settings, const daemon::Ask& ask) {
  TIDEMARK_ASSIGN(setup, setup_of(settings));
  const StopOnSignal stop;
  TIDEMARK_ASSIGN(syncer, Syncer::open(setup.source, setup.cache, setup.config, setup.options));
  return syncer.price(stop.token(), daemon::request_of(ask));
}

// Priced here, whether or not a daemon lives: nothing is written.
int run_price(const Context& context, const daemon::Ask& ask) {
  const auto price = price_of(context.settings, ask);
  if (!price) {
    return context.settings.source ? report_cache_error(context, "sync", price.error())
                                   : report_error(context, "sync", price.error());
  }
  if (context.json) {
    print_envelope("sync", kDone, nullptr, nullptr, price_json(*price));
  } else {
    print_price(*price);
  }
  return kDone;
}

}  // namespace

bool is_complete(const SyncReport& report) {
  return report.freshness.incomplete == 0 && !report.validation.failed() &&
         report.missed_by_capture == 0;
}

int print_outcome(const Context& context, std::string_view command, const SyncReport& report) {
  const int exit = is_complete(report) ? kDone : kDoneWithSkips;
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

int run_sync(const Context& context, const SyncArguments& arguments) {
  const Settings& settings = context.settings;
  if (settings.source) {
    if (const auto made = make_default_folder(settings); !made)
      return report_error(context, "sync", made.error());
  }
  daemon::Ask ask = ask_of(settings, daemon::Work::sync);
  ask.full = arguments.full;
  ask.set_scope = arguments.set_scope;
  if (arguments.dry_run) return run_price(context, ask);
  const auto done = perform(context, ask);
  if (done) return print_outcome(context, "sync", std::get<SyncReport>(*done));
  return settings.source ? report_pass_error(context, "sync", done.error())
                         : report_error(context, "sync", done.error());
}

}  // namespace tidemark::cli
