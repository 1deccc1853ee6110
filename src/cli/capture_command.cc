#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/signals.h"
#include "daemon/json_forms.h"
#include "tidemark/capture.h"
#include "turso/connection.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

// What each write of the application costs more, from then on.
constexpr const char* kCost =
    "each row that is inserted, updated or deleted adds one row and one index entry to the log "
    "(two of each when its key changes), and takes an old pair away once there are 100,000 newer";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string number(std::int64_t value) {
  return value < 0 ? std::to_string(value) : grouped(static_cast<std::uint64_t>(value));
}

void print_tables(const CaptureStatus& status) {
  for (const CapturedTable& table : status.tables) {
    std::string name = table.table;
    name.resize(std::max<std::size_t>(name.size() + 2, 20), ' ');
    write_out("  " + name + (table.healthy ? "healthy" : table.reason) + "\n");
  }
}

void print_status(const CaptureStatus& s) {
  if (!s.trouble.empty()) {
    write_out("change capture does not work: " + s.trouble + "\n");
  } else if (!s.installed) {
    write_out("change capture is not installed: each pass reads the whole scope\n");
  } else {
    write_out("change capture " + std::string(s.healthy ? "is healthy" : "needs a look") +
              ": newest change " + number(s.head) + ", pruned before " + number(s.floor) +
              ", at most " + number(s.log_rows_max) + " rows in the log\n");
  }
  print_tables(s);
}

std::string fate(CaptureAction action) {
  switch (action) {
    case CaptureAction::install:
      return "installed";
    case CaptureAction::prune:
      return "pruned";
    case CaptureAction::remove:
      return "removed";
  }
  return {};
}

std::size_t statements_of(const CapturePlan& plan) {
  std::size_t count = 0;
  for (const auto& statements : plan.transactions) count += statements.size();
  return count;
}

Json plan_json(const CaptureArguments& arguments, const CapturePlan& plan, bool done) {
  Json json = {{"dry_run", arguments.dry_run}, {"changed", done && !plan.empty()}};
  json["transactions"] = plan.transactions.size();
  json["statements"] = statements_of(plan);
  json["sql"] = arguments.print_sql ? Json(plan.to_sql()) : Json();
  if (arguments.action == CaptureAction::install) json["cost"] = kCost;
  return json;
}

// With --print-sql or --dry-run.
int show_plan(const Context& context, const std::string& command, const CaptureArguments& arguments,
              const CapturePlan& plan) {
  if (context.json) {
    Json json = plan_json(arguments, plan, false);
    json["status"] = Json::parse(capture_json(plan.status));
    print_envelope(command, kDone, nullptr, nullptr, dump(json));
    return kDone;
  }
  if (arguments.print_sql) {
    write_out(plan.empty() ? "-- nothing to do\n" : plan.to_sql());
    return kDone;
  }
  if (plan.empty()) {
    write_out("nothing to do\n");
  } else {
    write_out("would run " + number(static_cast<std::int64_t>(statements_of(plan))) +
              " statements in " + number(static_cast<std::int64_t>(plan.transactions.size())) +
              " transactions; --print-sql shows them\n");
  }
  if (arguments.action == CaptureAction::install) write_out(std::string(kCost) + "\n");
  if (!plan.empty() || !plan.status.healthy) print_status(plan.status);
  return kDone;
}

// Whoever has the right to write is handed what there is to run.
int report_refusal(const Context& context, const std::string& command, const CapturePlan& plan,
                   const Error& error) {
  if (error.code != ErrorCode::rejected) return report_error(context, command, error);
  Context people = context;
  people.json = false;
  const int exit = report_error(people, command, error);
  if (context.json) {
    print_envelope(command, exit, &error, nullptr, dump({{"sql", plan.to_sql()}}));
  } else {
    std::fprintf(stderr, "the SQL for an administrator follows\n");
    write_out(plan.to_sql());
  }
  return exit;
}

// What audits found, where the cache is one of this source.
std::optional<MissedByCapture> missed_in_cache(const Settings& settings) {
  const auto url = turso::parse_source_url(*settings.source);
  const CacheStatus cache = inspect(cache_path(settings));
  const bool same = url && cache.readable && cache.source == url->identity;
  return same ? cache.missed_by_capture : std::nullopt;
}

int run_status_of(const Context& context, CaptureAdmin& admin, const std::stop_token& stop) {
  const auto status = admin.status(stop);
  if (!status) return report_error(context, "capture status", status.error());
  const bool well = !status->installed && status->trouble.empty();
  const auto missed = missed_in_cache(context.settings);
  const int exit = (status->healthy || well) && !missed ? kDone : kDoneWithSkips;
  if (context.json) {
    Json json = Json::parse(capture_json(*status));
    json["missed_by_capture"] = Json::parse(daemon::missed_json(missed));
    print_envelope("capture status", exit, nullptr, nullptr, dump(json));
  } else {
    print_status(*status);
    if (missed)
      write_out("  " + cache_path(context.settings) + ": capture " + missed_text(*missed) + "\n");
  }
  return exit;
}

int run_action(const Context& context, const std::string& command,
               const CaptureArguments& arguments, CaptureAdmin& admin,
               const std::stop_token& stop) {
  const CaptureRequest request{*arguments.action, arguments.keep, arguments.renew};
  const auto plan = admin.plan(request, stop);
  if (!plan) return report_error(context, command, plan.error());
  if (arguments.print_sql || arguments.dry_run) {
    return show_plan(context, command, arguments, *plan);
  }
  CaptureStatus now = plan->status;
  if (!plan->empty()) {
    auto after = admin.apply(*plan, request, stop);
    if (!after) return report_refusal(context, command, *plan, after.error());
    now = std::move(*after);
  }
  if (context.json) {
    Json json = plan_json(arguments, *plan, true);
    json["status"] = Json::parse(capture_json(now));
    print_envelope(command, kDone, nullptr, nullptr, dump(json));
    return kDone;
  }
  if (context.quiet) return kDone;
  write_out(plan->empty() ? "nothing to do\n" : fate(request.action) + "\n");
  if (request.action == CaptureAction::install && !plan->empty()) {
    write_out(std::string(kCost) + "\n");
  }
  print_status(now);
  return kDone;
}

}  // namespace

int run_capture(const Context& context, const std::string& command,
                const CaptureArguments& arguments) {
  const Settings& settings = context.settings;
  if (!settings.source) {
    return report_error(context, command,
                        {ErrorCode::invalid,
                         "no source",
                         "give --source URL, set TURSO_DATABASE_URL, or run `tidemark init`",
                         {}});
  }
  const StopOnSignal stop;
  CaptureOptions options;
  options.token = [&settings] { return read_token(settings); };
  options.request_deadline = settings.request_deadline.value_or(options.request_deadline);
  auto admin = CaptureAdmin::open(*settings.source, options);
  if (!admin) return report_error(context, command, admin.error());
  return arguments.action ? run_action(context, command, arguments, *admin, stop.token())
                          : run_status_of(context, *admin, stop.token());
}

}  // namespace tidemark::cli
