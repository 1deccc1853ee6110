// Fills that are cut short, and the passes that come after.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cache/files.h"
#include "tests/integration/captured.h"
#include "tests/integration/hooked_pass.h"
#include "tests/support/wait.h"

namespace tidemark::support {

class CutFill : public testing::Test {
 protected:
  CutFill() {
    world.source.run("PRAGMA synchronous=OFF");  // no power is lost here
    world.source.run(kForty);
    install_capture(world.url());
  }

  // Commits each page of a few rows.
  void small(sync::EngineSetup& setup) const {
    setup.fill_commit_bytes = 1;
    setup.config.batch_size = 3;
    setup.config.max_episodes_cache = window;
  }
  // A pass that is stopped when it makes this request; `meanwhile` runs before each, too.
  Result<SyncReport> cut(std::size_t at, const std::function<void()>& meanwhile = {},
                         const SyncRequest& request = {}) {
    std::stop_source stop;
    return sync_with(
        world,
        [&](std::size_t number, const turso::Batch&) {
          if (meanwhile) meanwhile();
          if (number != at) return;
          // The thread that writes may be behind this one, and rows be on their way to it.
          static_cast<void>(wait_until([this] { return left(); }, std::chrono::milliseconds(100)));
          stop.request_stop();
        },
        [this](sync::EngineSetup& setup) { small(setup); }, request, stop.get_token());
  }
  // A pass that nobody stops.
  Result<SyncReport> go_on(
      const Hooked::Before& before = [](std::size_t, const turso::Batch&) {},
      const SyncRequest& request = {}) {
    return sync_with(world, before, [this](sync::EngineSetup& setup) { small(setup); }, request);
  }
  [[nodiscard]] std::string next() const { return cache::generation_path(world.cache()); }
  [[nodiscard]] bool left() const { return std::filesystem::exists(next()); }
  void expect_whole(const Result<SyncReport>& report, bool resumed, const std::string& where = {}) {
    ASSERT_TRUE(report) << where << ": " << report.error().message;
    EXPECT_EQ(report->mode, "fill") << where;
    EXPECT_EQ(report->resumed, resumed) << where;
    EXPECT_TRUE(report->freshness.consistent) << where;
    EXPECT_FALSE(left()) << where;
    world.expect_equal(window);
  }
  void expect_begun_anew(const std::string& why) {
    const auto report = go_on();
    expect_whole(report, false, why);
    ASSERT_TRUE(report);
    const bool told = std::ranges::any_of(report->notes, [&](const std::string& note) {
      return note.find("begun anew") != std::string::npos && note.find(why) != std::string::npos;
    });
    EXPECT_TRUE(told) << "no note says: " << why;
  }

  // Late enough for rows of every kind to be stored, early enough for some to lack.
  static constexpr std::size_t kMidway = 9;

  std::uint64_t window = 1'000;
  World world;
};

}  // namespace tidemark::support
