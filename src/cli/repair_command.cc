// repair, rebuild, and validate --against-source: what needs the source to judge or mend a cache.
#include <cstdio>

#include "cli/output.h"
#include "cli/syncing.h"
#include "daemon/json_forms.h"

namespace tidemark::cli {
namespace {

void print_audit(const AuditReport& audit) {
  for (const auto& [name, found] : audit.collections) {
    write_out("  " + name + ": " + grouped(found.equal) + " equal, " + grouped(found.missing) +
              " missing, " + grouped(found.different) + " different, " + grouped(found.surplus) +
              " surplus\n");
    for (const auto& key : found.keys) write_out("    differs: " + key + "\n");
  }
  write_out(audit.differs()
                ? "the cache differs from its source: `tidemark sync` brings it in step\n"
                : "the cache equals its source\n");
}

}  // namespace

int run_repair(const Context& context) {
  const auto performed = perform(context, ask_of(context.settings, daemon::Work::repair));
  if (!performed) return report_pass_error(context, "repair", performed.error());
  const auto* const done = &std::get<RepairReport>(*performed);
  if (context.json) {
    print_envelope("repair", kDone, nullptr, &done->sync.freshness, daemon::done_json(*performed));
    return kDone;
  }
  if (context.quiet) return kDone;
  if (done->problems.empty()) write_out("nothing was wrong\n");
  for (const auto& problem : done->problems) write_out("  was wrong: " + problem + "\n");
  if (done->rows_dropped > 0) {
    write_out("  " + grouped(done->rows_dropped) + " damaged rows were fetched again\n");
  }
  if (!done->kept_as.empty()) write_out("  the damaged file is kept as " + done->kept_as + "\n");
  return print_outcome(context, "repair", done->sync);
}

int run_rebuild(const Context& context, bool adopt) {
  daemon::Ask ask = ask_of(context.settings, daemon::Work::rebuild);
  ask.adopt = adopt;
  const auto done = perform(context, ask);
  if (!done) return report_pass_error(context, "rebuild", done.error());
  return print_outcome(context, "rebuild", std::get<SyncReport>(*done));
}

int run_audit(const Context& context) {
  const auto done = perform(context, ask_of(context.settings, daemon::Work::validate));
  if (!done) return report_pass_error(context, "validate", done.error());
  const auto* const audit = &std::get<AuditReport>(*done);
  const int exit = audit->differs() ? kDoneWithSkips : kDone;
  if (context.json) {
    const CacheStatus status = inspect(cache_path(context.settings), reader_options(context));
    print_envelope("validate", exit, nullptr, status.readable ? &status.freshness : nullptr,
                   daemon::done_json(*done));
  } else if (!context.quiet) {
    print_audit(*audit);
  }
  return exit;
}

}  // namespace tidemark::cli
