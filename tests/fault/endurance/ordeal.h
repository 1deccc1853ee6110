// What happens to the daemon, one event at a time: writes and those who ask, waits and nudges, the
// source that goes away. After each the daemon must have done what it is for, without a pass more.
#pragma once

#include <array>
#include <random>

#include "tests/fault/endurance/daemon_process.h"
#include "tests/fault/storm/readers.h"
#include "tests/fault/storm/writer.h"
#include "tidemark/capture.h"

namespace tidemark::endurance {

inline constexpr const char* kShort = "100ms";  // the shortest interval that is allowed
inline constexpr const char* kLong = "1h";

// One thread.
class Ordeal {
 public:
  Ordeal(storm::Source& source, storm::Application& application, DaemonProcess& daemon,
         const std::string& cache, unsigned seed)
      : source_(source), application_(application), daemon_(daemon), random_(seed) {
    auto opened = Reader::open(cache);
    if (!opened) throw std::runtime_error(opened.error().message);
    reader_.emplace(std::move(*opened));
  }

  // Fails, as a test does, when the daemon did not do it.
  void step() {
    for (auto writes = random_() % 3; writes > 0; --writes) application_.step();
    const auto kind = steps_ < kEach.size() ? kEach[steps_] : random_() % kKinds;
    ++steps_;
    if (kind < 1) return nudge();
    if (kind < 3) return outage();
    if (kind < 13) return wait_for_interval();
    if (kind < 14) return answered(daemon::Work::rebuild);
    if (kind < 16) return answered(daemon::Work::repair);
    if (kind < 18) return compare();
    if (kind < 22) return prune();
    answered(daemon::Work::sync);
  }
  [[nodiscard]] std::size_t count(const std::string& event) { return events_[event]; }

 private:
  // Who asks reads afterwards what was written before.
  void answered(daemon::Work work) {
    ++events_["request"];
    const std::uint64_t written = application_.touch();
    const auto done = daemon_.ask(work);
    ASSERT_TRUE(done) << done.error().message << daemon_.log();
    ASSERT_EQ(seen(), written) << daemon_.log();
  }
  // Nobody writes meanwhile, so nothing differs.
  void compare() {
    answered(daemon::Work::sync);
    ++events_["request"];
    const auto done = daemon_.ask(daemon::Work::validate);
    ASSERT_TRUE(done) << done.error().message << daemon_.log();
    ASSERT_FALSE(std::get<AuditReport>(*done).differs()) << daemon_.log();
  }
  // The cache is behind what is left of the log, and reads everything.
  void prune() {
    auto admin = CaptureAdmin::open(source_.url());
    ASSERT_TRUE(admin);
    CaptureRequest request;
    request.action = CaptureAction::prune;
    request.keep = random_() % 4;
    const auto plan = admin->plan(request);
    ASSERT_TRUE(plan) << plan.error().message;
    const auto pruned = admin->apply(*plan, request);
    ASSERT_TRUE(pruned) << pruned.error().message;
    ++events_["prune"];
    answered(daemon::Work::sync);
  }
  void wait_for_interval() {
    const std::uint64_t written = application_.touch();
    arrives(written);
  }
  // With an interval of an hour only the nudge brings it.
  void nudge() {
    daemon_.reload(kLong);
    const std::uint64_t written = application_.touch();
    const std::size_t before = daemon_.passes_by("nudge");
    ASSERT_TRUE(support::wait_until([&] {
      daemon_.nudge();  // not heard within a second of the last pass
      return seen() == written;
    })) << daemon_.log();
    // The commit is seen before the line is written.
    ASSERT_TRUE(support::wait_until([&] { return daemon_.passes_by("nudge") > before; }));
    ASSERT_EQ(daemon_.passes_by("nudge"), before + 1) << daemon_.log();
    ++events_["nudge"];
    daemon_.reload(kShort);
    events_["reload"] += 2;
  }
  // Nobody tells the daemon that its source is back.
  void outage() {
    ++events_["outage"];
    const std::uint64_t written = application_.touch();
    const std::size_t before = daemon_.passes_by("recovery");
    source_.go_away();
    const auto refused = daemon_.ask(daemon::Work::sync);
    ++events_["request"];
    ASSERT_FALSE(refused) << daemon_.log();
    ASSERT_EQ(refused.error().code, ErrorCode::unavailable) << refused.error().message;
    const auto checked = says_that_it_is_away();
    const auto wanted = static_cast<std::uint32_t>(1 + random_() % 3);
    ASSERT_TRUE(support::wait_until([&] { return failures() >= wanted; })) << daemon_.log();
    ASSERT_EQ(says_that_it_is_away(), checked) << "freshness in spite of the outage";
    source_.come_back();
    arrives(written);
    ASSERT_TRUE(support::wait_until([&] { return failures() == 0; })) << daemon_.log();
    ASSERT_GT(daemon_.passes_by("recovery"), before) << daemon_.log();
    const auto freshness = reader_->freshness();
    ASSERT_TRUE(freshness && !freshness->source_unavailable_since) << daemon_.log();
  }

  void arrives(std::uint64_t written) {
    ASSERT_TRUE(support::wait_until([&] { return seen() == written; })) << daemon_.log();
  }
  // checked_at.
  std::optional<std::chrono::system_clock::time_point> says_that_it_is_away() {
    const auto freshness = reader_->freshness();
    EXPECT_TRUE(freshness && freshness->source_unavailable_since) << daemon_.log();
    return freshness ? freshness->checked_at : std::nullopt;
  }
  [[nodiscard]] std::uint32_t failures() const {
    const auto status = daemon_.status();
    return status ? status->failures : 0;
  }
  // The version of the row that is always there.
  [[nodiscard]] std::uint64_t seen() const {
    using storm::kAlways, storm::kPatterns, storm::text_of;
    const std::string key = storm::key_of(kPatterns, kAlways);
    const auto found = reader_->get("patterns", key);
    if (!found || found->presence() != Presence::hit) return 0;
    const Row& row = found->row();
    return storm::version_of(kPatterns, key, text_of(row.at("pattern_type")),
                             text_of(row.at("body")));
  }

  static constexpr unsigned kKinds = 400;
  // One of each, so that a short life has seen all of them.
  static constexpr std::array<unsigned, 7> kEach = {1, 0, 3, 13, 14, 16, 18};

  storm::Source& source_;
  storm::Application& application_;
  DaemonProcess& daemon_;
  std::mt19937 random_;
  std::optional<Reader> reader_;
  Counts events_;
  std::size_t steps_ = 0;
};

}  // namespace tidemark::endurance
