// What can be said of a cache without its source.
#include <sys/stat.h>

#include "cache/lock.h"
#include "cache/meta_store.h"
#include "cache/read_handle.h"
#include "cache/read_stats.h"
#include "cache/staleness.h"

namespace tidemark {
namespace {

void fill_audit(CacheStatus& status, const cache::AuditRecord& audit) {
  if (audit.ended_at_us != 0) status.audited_at = cache::time_from_us(audit.ended_at_us);
  if (audit.missed.empty()) return;
  MissedByCapture& missed = status.missed_by_capture.emplace();
  missed.found_at = cache::time_from_us(audit.missed_at_us);
  for (const auto& [table, found] : audit.missed) missed.tables[table] = found.changes;
}

void fill_status(CacheStatus& status, const cache::Meta& meta) {
  status.readable = true;
  status.source = meta.identity.source;
  status.generation = meta.identity.generation;
  status.format_version = meta.identity.format_version;
  status.scope = meta.identity.scope;
  status.window_complete = meta.state.window_complete;
  std::uint64_t bytes = 0;
  for (const auto& collection : meta.catalog.catalog.collections) {
    const auto sum = meta.sums.find(collection.name);
    status.counts[collection.name] = sum == meta.sums.end() ? 0 : sum->second.count;
    bytes += sum == meta.sums.end() ? 0 : sum->second.bytes;
  }
  status.live_bytes = bytes;
  status.notes = meta.catalog.catalog.notes;
  fill_audit(status, meta.audit);
  if (!meta.last_report_json.empty()) status.last_report_json = meta.last_report_json;
}

Result<void> read_status(CacheStatus& status, const ReaderOptions& options) {
  cache::ReadHandle handle(status.path, options);
  TIDEMARK_ASSIGN(view, handle.view());
  TIDEMARK_ASSIGN(meta, cache::load_meta(view.txn));
  fill_status(status, meta);
  TIDEMARK_ASSIGN(freshness, cache::freshness_of(view, options));
  status.freshness = std::move(freshness);
  return {};
}

}  // namespace

CacheStatus inspect(const std::string& path, ReaderOptions options) {
  CacheStatus status;
  status.path = path;
  status.holder = cache::lock_holder(path);
  status.reads = cache::total_reads(path);
  struct stat info{};
  status.exists = ::stat(path.c_str(), &info) == 0;
  if (status.exists) status.file_bytes = static_cast<std::uint64_t>(info.st_size);
  options.when_stale = StalePolicy::serve;
  if (auto read = read_status(status, options); !read) {
    status.readable = false;
    status.problem = std::move(read).error();
    if (status.problem->code == ErrorCode::needs_repair) {
      status.freshness.state = FreshnessState::needs_repair;
    }
  }
  return status;
}

}  // namespace tidemark
