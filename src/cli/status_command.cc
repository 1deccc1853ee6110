#include <cstdio>

#include "cli/output.h"

namespace tidemark::cli {
namespace {

std::string reads_json(const std::optional<ReadCounts>& reads) {
  if (!reads) return "null";
  return "{\"hits\":" + std::to_string(reads->hits) +
         ",\"absent\":" + std::to_string(reads->absent) +
         ",\"unknown\":" + std::to_string(reads->unknown) + "}";
}

std::string status_json(const CacheStatus& s) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  std::string collections;
  for (const auto& [name, count] : s.counts) {
    collections +=
        (collections.empty() ? "" : ",") + json_string(name) + ":{\"count\":" + number(count) + "}";
  }
  std::string notes;
  for (const auto& note : s.notes) notes += (notes.empty() ? "" : ",") + json_string(note);
  return "{\"path\":" + json_string(s.path) + ",\"exists\":" + (s.exists ? "true" : "false") +
         ",\"readable\":" + (s.readable ? "true" : "false") +
         ",\"source\":" + json_string(s.source) + ",\"generation\":" + json_string(s.generation) +
         ",\"format_version\":" + number(s.format_version) +
         ",\"scope\":{\"max_episodes_cache\":" + number(s.scope.max_episodes_cache) +
         ",\"sync_patterns\":" + (s.scope.sync_patterns ? "true" : "false") +
         ",\"sync_embeddings\":" + (s.scope.sync_embeddings ? "true" : "false") +
         "},\"window_complete\":" + (s.window_complete ? "true" : "false") + ",\"collections\":{" +
         collections + "},\"file_bytes\":" + number(s.file_bytes) +
         ",\"live_bytes\":" + (s.live_bytes ? number(*s.live_bytes) : "null") +
         ",\"reads\":" + reads_json(s.reads) +
         ",\"holder\":" + (s.holder ? json_string(*s.holder) : "null") + ",\"notes\":[" + notes +
         "],\"last_report\":" + s.last_report_json.value_or("null") + "}";
}

std::string reads_text(const ReadCounts& reads) {
  const std::uint64_t all = reads.hits + reads.absent + reads.unknown;
  std::string text = std::to_string(all) + ", hit " + std::to_string(reads.hits) + ", absent " +
                     std::to_string(reads.absent) + ", unknown " + std::to_string(reads.unknown);
  if (all > 0) text += ", hit rate " + std::to_string(reads.hits * 100 / all) + " %";
  return text;
}

void print_status(const CacheStatus& s) {
  std::printf("cache       %s\n", s.path.c_str());
  std::printf("source      %s\n", s.source.c_str());
  std::printf("freshness   %s\n", freshness_text(s.freshness).c_str());
  for (const auto& [name, count] : s.counts) {
    std::printf("%-11s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
  std::printf("scope       newest %llu episodes%s%s%s\n",
              static_cast<unsigned long long>(s.scope.max_episodes_cache),
              s.window_complete ? " (all of the source)" : "",
              s.scope.sync_patterns ? ", patterns and heuristics" : "",
              s.scope.sync_embeddings ? ", embeddings" : "");
  std::printf("file        %llu bytes", static_cast<unsigned long long>(s.file_bytes));
  if (s.live_bytes) std::printf(", %llu live", static_cast<unsigned long long>(*s.live_bytes));
  std::printf("\n");
  std::printf("reads       %s\n", s.reads ? reads_text(*s.reads).c_str() : "not known");
  if (s.holder) std::printf("writer      %s\n", s.holder->c_str());
  for (const auto& note : s.notes) std::printf("note        %s\n", note.c_str());
}

}  // namespace

int run_status(const Context& context, std::optional<std::chrono::milliseconds> max_age) {
  const CacheStatus status = inspect(cache_path(context.settings), reader_options(context));
  if (!status.readable) {
    const int exit = exit_code_of(status.problem->code);
    if (!context.json) return report_error(context, "status", *status.problem);
    print_envelope("status", exit, &*status.problem, &status.freshness, status_json(status));
    return exit;
  }
  const int exit = too_old(status.freshness, max_age) ? kTooOld : kDone;
  if (context.json) {
    print_envelope("status", exit, nullptr, &status.freshness, status_json(status));
  } else {
    print_status(status);
  }
  return exit;
}

}  // namespace tidemark::cli
