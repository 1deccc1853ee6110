#include "daemon/perform.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

SyncConfig config_for(const Ask& ask, SyncConfig config) {
  config.max_episodes_cache = ask.max_episodes_cache.value_or(config.max_episodes_cache);
  config.batch_size = ask.batch_size.value_or(config.batch_size);
  config.validate_checksums = ask.validate_checksums.value_or(config.validate_checksums);
  const std::uint64_t fetches = ask.max_concurrent_fetches.value_or(config.max_concurrent_fetches);
  config.max_concurrent_fetches = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(fetches, std::numeric_limits<std::uint32_t>::max()));
  config.request_deadline = ask.request_deadline.value_or(config.request_deadline);
  config.pass_deadline = ask.pass_deadline.value_or(config.pass_deadline);
  config.max_rows_read_per_pass =
      ask.max_rows_read_per_pass.value_or(config.max_rows_read_per_pass);
  config.audit_interval = ask.audit_interval.value_or(config.audit_interval);
  return config;
}

template <typename Report>
Result<Done> as_done(Result<Report> report) {
  if (!report) return std::unexpected(std::move(report).error());
  return Done(std::move(*report));
}

}  // namespace

std::string_view to_string(Work work) {
  switch (work) {
    case Work::sync:
      return "sync";
    case Work::repair:
      return "repair";
    case Work::rebuild:
      return "rebuild";
    case Work::validate:
      return "validate";
  }
  return "";
}

SyncRequest request_of(const Ask& ask) {
  SyncRequest request;
  request.max_episodes_cache = ask.max_episodes_cache;
  request.sync_patterns = ask.sync_patterns;
  request.sync_embeddings = ask.sync_embeddings;
  request.full = ask.full;
  request.set_scope = ask.set_scope;
  return request;
}

Result<Done> perform(const Setup& setup, const Ask& ask, std::stop_token stop,
                     const OnProgress& progress) {
  TIDEMARK_ASSIGN(syncer, Syncer::open(setup.source, setup.cache, config_for(ask, setup.config),
                                       setup.options));
  SyncRequest request = request_of(ask);
  request.progress = progress;
  switch (ask.work) {
    case Work::sync:
      return as_done(syncer.sync(std::move(stop), request));
    case Work::repair:
      return as_done(syncer.repair(std::move(stop), request));
    case Work::rebuild:
      return as_done(syncer.rebuild(std::move(stop), request, ask.adopt));
    case Work::validate:
      return as_done(syncer.validate(std::move(stop), request));
  }
  return fail(ErrorCode::internal, "no such work");
}

CacheStatus look_at(const std::string& cache) {
  ReaderOptions options;
  options.repair = false;
  options.open_deadline = kLookDeadline;
  return inspect(cache, options);
}

}  // namespace tidemark::daemon
