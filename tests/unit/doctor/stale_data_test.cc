// What diagnose() says of stale data, on both sides of each bound.
#include "tests/unit/doctor/healthy.h"

namespace tidemark::doctor {
namespace {

using namespace std::chrono_literals;
constexpr auto kStale = Heading::stale_data;

TEST(StaleData, an_old_cache_and_the_command_that_helps) {
  Measurements m = healthy();
  m.cache.freshness.state = FreshnessState::stale;
  m.cache.freshness.age = 6min;
  expect_found(m, kStale, Severity::problem, "checked 6 min ago", "asks the daemon");
  m.daemon.reset();
  expect_found(m, kStale, Severity::problem, "5 min is allowed", "`tidemark daemon`");
  m.cache.freshness.state = FreshnessState::never_synced;
  m.cache.freshness.checked_at.reset();
  m.cache.freshness.age.reset();
  expect_found(m, kStale, Severity::problem, "no pass", "`tidemark sync`");
}

TEST(StaleData, a_check_in_the_future) {
  Measurements m = healthy();
  m.cache.freshness.state = FreshnessState::stale;
  m.cache.freshness.age.reset();
  expect_found(m, kStale, Severity::problem, "in the future", "set-ntp");
}

TEST(StaleData, clocks_that_disagree_by_more_than_a_round_trip_can_hide) {
  Measurements m = healthy();
  m.source->clock_ahead = 2'004ms;  // half of 10 ms may be the way
  expect_healthy(m);
  m.source->clock_ahead = 2'005ms;
  expect_found(m, kStale, Severity::notice, "2.0 s behind", "set-ntp");
  m.source->clock_ahead = -60'005ms;
  expect_found(m, kStale, Severity::problem, "1 min ahead of", "set-ntp");
}

TEST(StaleData, a_source_that_cannot_be_had_or_refuses) {
  Measurements m = healthy();
  m.source->error = Error{ErrorCode::unavailable, "no route", {}, {}};
  expect_found(m, kStale, Severity::problem, "cannot be had: no route", "network");
  m.source->error = Error{ErrorCode::rejected, "HTTP 401", {}, {}};
  expect_found(m, kStale, Severity::problem, "HTTP 401", "token");
  m.source->error = Error{ErrorCode::invalid, "no table episodes", "another URL", {}};
  expect_found(m, kStale, Severity::problem, "no table episodes", "another URL");
}

TEST(StaleData, a_source_that_was_away_and_is_back) {
  Measurements m = healthy();
  m.cache.freshness.source_unavailable_since = std::chrono::system_clock::time_point{};
  m.cache.freshness.source_unavailable_reason = "timed out";
  expect_found(m, kStale, Severity::notice, "timed out; it answers now", "`tidemark sync`");
  m.source.reset();
  expect_found(m, kStale, Severity::problem, "timed out", "`tidemark sync`");
}

TEST(StaleData, refusal_doubt_and_changes_that_wait) {
  Measurements m = healthy();
  m.cache.freshness.source_refused_since = std::chrono::system_clock::time_point{};
  m.cache.freshness.source_refused_reason = "HTTP 403";
  expect_found(m, kStale, Severity::problem, "HTTP 403", "TURSO_AUTH_TOKEN");
  m = healthy();
  m.cache.freshness.state = FreshnessState::stale;
  m.cache.freshness.doubt = "the source was restored";
  expect_found(m, kStale, Severity::problem, "restored", "`tidemark sync`");
  m = healthy();
  m.cache.freshness.catching_up = true;
  expect_found(m, kStale, Severity::notice, "waiting", "`tidemark sync`");
}

TEST(StaleData, a_probe_that_was_cut_short_and_the_cache_of_another_source) {
  Measurements m = healthy();
  m.source->not_learned.push_back({ErrorCode::unavailable, "timed out", {}, {}});
  expect_found(m, kStale, Severity::notice, "not all", "network");
  m = healthy();
  m.source_identity = "libsql://other.example";
  expect_found(m, kStale, Severity::problem, "libsql://db.example", "--cache");
}

TEST(StaleData, passes_of_the_daemon_that_failed) {
  Measurements m = healthy();
  m.daemon->status->last_error = "no token";
  m.daemon->status->failures = 2;
  expect_found(m, kStale, Severity::notice, "2 passes failed: no token", "reload");
  m.daemon->status->failures = 3;
  expect_found(m, kStale, Severity::problem, "3 passes", "reload");
}

TEST(StaleData, a_disk_without_room_for_a_second_cache) {
  Measurements m = healthy();
  m.disk->free_bytes = 300 * kMiB;
  expect_healthy(m);
  m.disk->free_bytes = 300 * kMiB - 1;
  expect_found(m, kStale, Severity::notice, "299 MiB", "100 MiB");
  m.disk->free_bytes = 100 * kMiB - 1;
  expect_found(m, kStale, Severity::problem, "99 MiB", "free 1 bytes");
  m.disk->free_bytes = 64 * kMiB - 1;  // a small cache needs some room, too
  m.cache.file_bytes = kMiB;
  expect_found(m, kStale, Severity::problem, "64 MiB", "free");
}

TEST(StaleData, an_interval_that_is_longer_than_a_cache_may_be_old) {
  Measurements m = healthy();
  m.subject.max_staleness = 40s;
  expect_healthy(m);
  m.subject.max_staleness = 39'999ms;
  expect_found(m, kStale, Severity::problem, "heartbeat", "max_staleness = \"40000ms\"");
}

}  // namespace
}  // namespace tidemark::doctor
