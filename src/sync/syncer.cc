#include "tidemark/syncer.h"

#include "sync/engine.h"

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
  return sync::run_pass(impl_->setup, std::move(stop), request);
}

Result<SyncPrice> Syncer::price(std::stop_token stop, const SyncRequest& request) {
  return sync::price_pass(impl_->setup, std::move(stop), request);
}

}  // namespace tidemark
