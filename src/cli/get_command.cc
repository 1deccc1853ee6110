#include <algorithm>
#include <cstdio>

#include "cli/output.h"

namespace tidemark::cli {

int run_get(const Context& context, const GetArguments& arguments) {
  const auto reader = Reader::open(cache_path(context.settings), reader_options(context));
  if (!reader) return report_cache_error(context, "get", reader.error());
  const auto snapshot = reader->snapshot();
  if (!snapshot) return report_cache_error(context, "get", snapshot.error());
  const Freshness freshness = snapshot->freshness();
  if (too_old(freshness, arguments.max_age)) {
    return report_error(context, "get", too_old_error(freshness), &freshness);
  }
  int exit = kDone;
  std::string results;
  for (const std::string& key : arguments.keys) {
    const auto lookup = snapshot->get(arguments.collection, key);
    if (!lookup) return report_error(context, "get", lookup.error(), &freshness);
    const std::string presence(to_string(lookup->presence()));
    // The worst of all keys: hit < absent < unknown.
    if (lookup->presence() == Presence::absent) exit = std::max<int>(exit, kAbsent);
    if (lookup->presence() == Presence::unknown) exit = kUnknown;
    const std::string row = *lookup ? lookup->row().to_json() : "null";
    if (context.json) {
      results += (results.empty() ? "" : ",") + std::string("{\"collection\":") +
                 json_string(arguments.collection) + ",\"key\":" + json_string(key) +
                 ",\"presence\":" + json_string(presence) + ",\"row\":" + row + "}";
    } else if (*lookup) {
      write_out(row + "\n");
    } else if (!context.quiet) {
      std::fprintf(stderr, "%s %s: %s\n", arguments.collection.c_str(), key.c_str(),
                   lookup->presence() == Presence::absent ? "absent: the source has no such row"
                                                          : "unknown: not cached, ask the source");
    }
  }
  if (context.json) print_envelope("get", exit, nullptr, &freshness, "[" + results + "]");
  return exit;
}

}  // namespace tidemark::cli
