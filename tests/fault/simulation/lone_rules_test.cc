// Rules that chance does not show to be needed, since nearly always another one covers for them:
// for each a history in which it alone makes a cache doubt. With it the cache ends equal to its
// source; with a plant that takes it away a change is lost.
#include "tests/fault/simulation/plants.h"
#include "tests/integration/captured.h"
#include "tests/integration/hooked_pass.h"
#include "tests/regress/captured.h"

namespace tidemark::simulation {
namespace {

// What the engine sees of `inner` is bent. Its requests come one after the other.
class Planted final : public turso::Connection {
 public:
  Planted(std::unique_ptr<turso::Connection> inner, Plant plant, PlantMemory& memory)
      : inner_(std::move(inner)), plant_(plant), memory_(memory) {}

  turso::Ticket start(turso::Batch batch) override {
    asked_ = std::make_shared<turso::Batch>(batch);
    return inner_->start(std::move(batch));
  }
  std::optional<turso::Completion> poll(std::chrono::steady_clock::time_point until) override {
    auto done = inner_->poll(until);
    if (!done) return done;
    return turso::Completion{done->ticket,
                             [this, batch = asked_, reply = std::move(done->reply)]() mutable {
                               auto bent = reply();
                               corrupt(plant_, memory_, *batch, bent);
                               return bent;
                             }};
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
  const Plant plant_;
  PlantMemory& memory_;
  std::shared_ptr<turso::Batch> asked_;
};

// The parameter: whether the rule is taken away.
class LoneRule : public regress::Captured, public testing::WithParamInterface<bool> {
 protected:
  void take_away(Plant plant) {
    if (GetParam()) plant_ = plant;
  }
  // Stopped before the request `cut_at`; 0: not at all.
  Result<SyncReport> pass(std::size_t cut_at = 0) {
    std::stop_source stop;
    const auto adjust = [&](sync::EngineSetup& setup) {
      setup.changes_per_range = 10;
      setup.connect =
          [&, connect = setup.connect](
              const turso::SourceUrl& to,
              turso::ConnectOptions options) -> Result<std::unique_ptr<turso::Connection>> {
        TIDEMARK_ASSIGN(inner, connect(to, std::move(options)));
        return std::make_unique<Planted>(std::move(inner), plant_, memory_);
      };
    };
    return support::sync_with(
        world,
        [&](std::size_t number, const turso::Batch&) {
          if (number == cut_at) stop.request_stop();
        },
        adjust, {}, stop.get_token());
  }
  std::string title() { return world.cached("episodes", "task_description").at("e00"); }
  void edit(const std::string& text) {
    write("UPDATE episodes SET task_description = '" + text + "' WHERE episode_id = 'e00'");
  }
  void touch() { write("UPDATE patterns SET pattern_data = pattern_data || '.'"); }
  void prune() {
    CaptureRequest request;
    request.action = CaptureAction::prune;
    request.keep = 0;
    support::administer_capture(world.url(), request);
  }
  // The pass in which the rule is needed, which says so in these words. Without it the pass goes by
  // the log, and e00 is not what it is at the source.
  void expect_needed(const std::string& words) {
    const auto report = pass();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->mode, GetParam() ? "delta" : "reconcile") << report->reason;
    const bool told = report->reason.find(words) != std::string::npos;
    EXPECT_EQ(told, !GetParam()) << report->reason;
    const auto truth =
        world.source.column("SELECT task_description FROM episodes WHERE episode_id = 'e00'");
    EXPECT_EQ(title() == truth.at(0), !GetParam()) << title();
    if (!GetParam()) world.expect_equal(window);
  }

 private:
  Plant plant_ = Plant::none;
  PlantMemory memory_;
};

// A log that was emptied up to its floor has no anchor to be missed.
TEST_P(LoneRule, a_position_below_the_floor_without_an_anchor) {
  take_away(Plant::hides_floor);
  install();
  touch();
  prune();
  write("DELETE FROM tidemark_changes");
  ASSERT_EQ(world.source.column("SELECT count(*) FROM tidemark_changes").at(0), "0");
  ASSERT_TRUE(pass());
  edit("lost");
  touch();
  prune();
  expect_needed("were pruned");
}

// The log is whole, but for what was written while a trigger was missing.
TEST_P(LoneRule, a_trigger_that_was_missing_for_a_while) {
  take_away(Plant::hides_new_epochs);
  install();
  ASSERT_TRUE(pass());
  write("DROP TRIGGER tidemark_update_episodes");
  edit("lost");
  install();
  touch();
  expect_needed("was installed anew");
}

// The anchor at the position is the same in both branches, and the log as long as it was.
TEST_P(LoneRule, a_backup_from_between_the_position_and_what_was_read_ahead) {
  take_away(Plant::hides_other_ahead);
  install();
  ASSERT_TRUE(pass());
  write("UPDATE episodes SET reward = 1");  // 20 log rows: two ranges
  world.source.save_to(world.folder.file("backup.db"));
  write("UPDATE episodes SET task_description = 'of the lost branch'");
  ASSERT_FALSE(pass(2));
  ASSERT_EQ(title(), "of the lost branch");
  world.source.restore(world.folder.file("backup.db"));
  for (int i = 0; i < 50; ++i) touch();
  expect_needed("is another one now");
}

INSTANTIATE_TEST_SUITE_P(With, LoneRule, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Without, LoneRule, testing::Values(true));

}  // namespace
}  // namespace tidemark::simulation
