// repair, rebuild, and validate --against-source: what needs the source to judge or mend a cache.
#include <cstdio>

#include "cli/output.h"
#include "cli/syncing.h"

namespace tidemark::cli {
namespace {

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() == 1 ? "" : ",") + json_string(text);
  return out + "]";
}

std::string audit_json(const AuditReport& audit) {
  std::string collections;
  for (const auto& [name, found] : audit.collections) {
    collections += (collections.empty() ? "" : ",") + json_string(name) +
                   ":{\"equal\":" + std::to_string(found.equal) +
                   ",\"missing\":" + std::to_string(found.missing) +
                   ",\"different\":" + std::to_string(found.different) +
                   ",\"surplus\":" + std::to_string(found.surplus) +
                   ",\"keys\":" + json_list(found.keys) + "}";
  }
  return std::string("{\"against_source\":true,\"differs\":") +
         (audit.differs() ? "true" : "false") + ",\"requests\":" + std::to_string(audit.requests) +
         ",\"rows_read\":" + (audit.rows_read ? std::to_string(*audit.rows_read) : "null") +
         ",\"collections\":{" + collections + "}}";
}

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
    const std::string kept = done->kept_as.empty() ? "null" : json_string(done->kept_as);
    print_envelope("repair", kDone, nullptr, &done->sync.freshness,
                   "{\"problems\":" + json_list(done->problems) +
                       ",\"rows_dropped\":" + std::to_string(done->rows_dropped) +
                       ",\"kept_as\":" + kept + ",\"sync\":" + done->sync.to_json() + "}");
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
                   audit_json(*audit));
  } else if (!context.quiet) {
    print_audit(*audit);
  }
  return exit;
}

}  // namespace tidemark::cli
