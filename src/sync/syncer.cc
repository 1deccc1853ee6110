#include "tidemark/syncer.h"

#include "sync/engine.h"
#include "sync/repair.h"

namespace tidemark {

struct Syncer::Impl {
  sync::EngineSetup setup;
};

Syncer::Syncer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Syncer::Syncer(Syncer&&) noexcept = default;
Syncer& Syncer::operator=(Syncer&&) noexcept = default;
Syncer::~Syncer() = default;

Result<Syncer> Syncer::open(const std::string& source, const std::string& cache, SyncConfig config,
                            SyncerOptions options) {
  TIDEMARK_TRY(config.validate());
  TIDEMARK_ASSIGN(url, turso::parse_source_url(source));
  if (cache.empty()) {
    return fail(ErrorCode::invalid, "no cache path", "give one with --cache or TIDEMARK_CACHE");
  }
  return Syncer(std::make_unique<Impl>(Impl{{std::move(url), cache, config, std::move(options)}}));
}

Result<SyncReport> Syncer::sync(std::stop_token stop, const SyncRequest& request) {
  return sync::run_healing_pass(impl_->setup, stop, request);
}

Result<RepairReport> Syncer::repair(std::stop_token stop, const SyncRequest& request) {
  return sync::run_repair(impl_->setup, stop, request);
}

Result<SyncReport> Syncer::rebuild(std::stop_token stop, const SyncRequest& request, bool adopt) {
  return sync::run_rebuild(impl_->setup, stop, request, adopt);
}

Result<AuditReport> Syncer::validate(std::stop_token stop, const SyncRequest& request) {
  return sync::run_audit(impl_->setup, stop, request);
}

bool AuditReport::differs() const {
  for (const auto& [name, found] : collections) {
    if (found.missing + found.different + found.surplus > 0) return true;
  }
  return false;
}

Result<SyncPrice> Syncer::price(std::stop_token stop, const SyncRequest& request) {
  return sync::price_pass(impl_->setup, std::move(stop), request);
}

}  // namespace tidemark
