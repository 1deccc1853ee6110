// A pass that a test looks into: something happens at the source between its requests.
#pragma once

#include <functional>
#include <memory>

#include "sync/engine.h"
#include "tests/integration/world.h"

namespace tidemark::support {

// As a server: each request sees its own state, which `before` may change.
class Hooked final : public turso::Connection {
 public:
  using Before = std::function<void(std::size_t number, const turso::Batch& batch)>;
  Hooked(std::unique_ptr<turso::Connection> inner, Before before)
      : inner_(std::move(inner)), before_(std::move(before)) {}

  turso::Ticket start(turso::Batch batch) override {
    before_(++requests_, batch);
    return inner_->start(std::move(batch));
  }
  std::optional<turso::Completion> poll(std::chrono::steady_clock::time_point until) override {
    return inner_->poll(until);
  }
  void cancel_all() override { inner_->cancel_all(); }
  void wake() override { inner_->wake(); }
  [[nodiscard]] std::size_t in_flight() const override { return inner_->in_flight(); }
  [[nodiscard]] std::size_t capacity() const override { return 1; }
  Result<bool> hold_snapshot() override { return false; }
  void release_snapshot() override {}
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] turso::Usage usage() const override { return inner_->usage(); }
  [[nodiscard]] turso::ServerTraits traits() const override { return {}; }

 private:
  std::unique_ptr<turso::Connection> inner_;
  Before before_;
  std::size_t requests_ = 0;
};

// A pass over the world's file in which `before` sees each request, by its number, before it is
// answered. One request of a delta covers `changes_per_range` log rows.
inline Result<SyncReport> sync_with(World& world, const Hooked::Before& before,
                                    std::stop_token stop = {},
                                    std::size_t changes_per_range = sync::kChangesPerRange) {
  sync::EngineSetup setup;
  setup.changes_per_range = changes_per_range;
  TIDEMARK_ASSIGN(url, turso::parse_source_url(world.url()));
  setup.url = url;
  setup.cache = world.cache();
  setup.connect = [&](const turso::SourceUrl& to,
                      turso::ConnectOptions options) -> Result<std::unique_ptr<turso::Connection>> {
    TIDEMARK_ASSIGN(inner, turso::connect(to, std::move(options)));
    return std::make_unique<Hooked>(std::move(inner), before);
  };
  return sync::run_pass(setup, std::move(stop), {});
}

}  // namespace tidemark::support
