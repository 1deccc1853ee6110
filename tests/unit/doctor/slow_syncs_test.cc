// What diagnose() says of slow syncs and of memory, on both sides of each bound.
#include "tests/unit/doctor/healthy.h"

namespace tidemark::doctor {
namespace {

using namespace std::chrono_literals;
constexpr auto kSlow = Heading::slow_syncs;
constexpr auto kMemory = Heading::memory_pressure;

TEST(Diagnose, a_healthy_cache_has_its_figures_and_nothing_to_do) {
  expect_healthy(healthy());
  std::string all;
  for (const Finding& finding : diagnose(healthy())) all += finding.text + "\n";
  for (const char* figure : {"10 ms", "2,000 rows/s", "checked 12.0 s ago", "95 % of 10,000",
                             "100 MiB for 60 MiB", "1,000 episodes", "32 MiB"}) {
    EXPECT_NE(all.find(figure), std::string::npos) << figure << "\n" << all;
  }
}

TEST(Diagnose, nothing_is_said_of_what_was_not_measured) {
  Measurements m;
  m.subject.source = "libsql://db.example";
  m.subject.cache = "/c/cache.redb";
  m.subject.max_staleness = 5min;
  m.cache.exists = m.cache.readable = true;
  m.cache.freshness.state = FreshnessState::fresh;
  m.cache.freshness.checked_at = std::chrono::system_clock::time_point{};
  m.cache.freshness.age = 1s;
  expect_healthy(m);
}

TEST(SlowSyncs, a_long_way_to_the_source) {
  Measurements m = healthy();
  m.source->page.reset();
  m.source->round_trip = 99ms;
  expect_healthy(m);
  m.source->round_trip = m.source->first_answer = 100ms;
  expect_found(m, kSlow, Severity::notice, "100 ms", "region");
  m.source->round_trip = m.source->first_answer = 500ms;
  m.source->capture.reset();
  expect_found(m, kSlow, Severity::problem, "500 ms", "capture install");
}

TEST(SlowSyncs, connecting_alone) {
  Measurements m = healthy();
  m.source->first_answer = 2'009ms;
  expect_healthy(m);
  m.source->first_answer = 2'010ms;
  expect_found(m, kSlow, Severity::notice, "2.0 s", "https_proxy");
}

TEST(SlowSyncs, a_page_that_takes_long) {
  Measurements m = healthy();
  m.source->page->took = 1'999ms;
  expect_healthy(m);
  m.source->page->took = 2s;
  expect_found(m, kSlow, Severity::notice, "50 rows/s", "batch_size = 50");
  m.source->page->took = 5s;
  expect_found(m, kSlow, Severity::problem, "20 rows/s", "batch_size = 20");
  m.source->page->rows = 1;
  m.source->page->bytes = 1'000;
  m.cache.counts["episodes"] = 1'234;
  m.cache.scope.max_episodes_cache = 1'234;
  const Finding alone = only_finding(m);
  EXPECT_NE(alone.help.find("--max-episodes-cache 610 "), std::string::npos) << alone.help;
}

TEST(SlowSyncs, a_small_first_page_that_is_all_latency) {
  Measurements m = healthy();
  m.source->round_trip = 30ms;
  m.source->page = sync::ProbedPage{100, 100'000, 60ms};
  expect_found(m, kSlow, Severity::notice, "97 KiB", "batch_size = 1000");
  m.source->page->took = 61ms;
  expect_healthy(m);
  m.source->page->took = 60ms;
  m.source->rows["episodes"] = 100;  // there are no more
  m.cache.counts["episodes"] = 100;
  expect_healthy(m);
}

TEST(SlowSyncs, reading_a_large_scope_each_time) {
  Measurements m = healthy();
  m.source->capture = CaptureStatus{};
  m.cache.counts = {{"episodes", 1'000}, {"embeddings", 8'999}};
  m.source->rows.erase("patterns");
  expect_healthy(m);
  m.cache.counts["embeddings"] = 9'000;
  expect_found(m, kSlow, Severity::notice, "10,000 rows", "tidemark capture install");
}

TEST(SlowSyncs, capture_that_is_not_healthy_and_a_table_that_has_none) {
  Measurements m = healthy();
  m.source->capture->tables = {{"episodes", true, true, "", "e"},
                               {"patterns", false, false, "stays in scan mode: a view", ""}};
  expect_found(m, kSlow, Severity::notice, "patterns stays in scan mode", "capture status");
  m.source->capture->healthy = false;
  m.source->capture->tables = {{"episodes", true, false, "a trigger is gone", "e"}};
  expect_found(m, kSlow, Severity::problem, "a trigger is gone", "capture install");
  m = healthy();
  MissedByCapture& missed = m.cache.missed_by_capture.emplace();
  missed.tables["episodes"] = 3;
  expect_found(m, kSlow, Severity::problem, "missed 3 changes", "--renew");
}

TEST(SlowSyncs, passes_that_last_long) {
  Measurements m = healthy();
  m.last_pass->mode = "scan";
  m.last_pass->duration = 4'999ms;
  expect_healthy(m);
  m.last_pass->duration = 5s;
  expect_found(m, kSlow, Severity::notice, "5.0 s", "--max-episodes-cache 500 --set-scope");
  m.last_pass->requests = 260;  // of 10 ms: more than half of it
  expect_found(m, kSlow, Severity::notice, "260 requests", "batch_size = 400");
  m.last_pass->duration = 30s;
  m.source->capture = CaptureStatus{};
  expect_found(m, kSlow, Severity::problem, "longer than the interval", "capture install");
  m.last_pass->mode = "fill";
  expect_healthy(m);
}

TEST(SlowSyncs, requests_that_were_repeated) {
  Measurements m = healthy();
  m.last_pass->requests = 31;
  m.last_pass->retries = 3;
  expect_healthy(m);
  m.last_pass->requests = 30;
  expect_found(m, kSlow, Severity::notice, "3 of its 30", "max_concurrent_fetches = 5");
  m.last_pass->retries = 15;
  expect_found(m, kSlow, Severity::problem, "15 of its 30", "network");
  m.last_pass->requests = 3;
  m.last_pass->retries = 2;  // chance
  expect_healthy(m);
}

TEST(MemoryPressure, a_page_cache_that_is_large_for_the_machine_or_its_group) {
  Measurements m = healthy();
  m.memory = Memory{128 * kMiB, 4'096 * kMiB, {}};
  expect_healthy(m);
  m.memory->total_bytes = 127 * kMiB;
  m.memory->limit_bytes = 127 * kMiB;
  expect_found(m, kMemory, Severity::problem, "control group", "page_cache = \"31MiB\"");
}

TEST(MemoryPressure, little_is_left) {
  Measurements m = healthy();
  m.memory->available_bytes = 256 * kMiB;
  expect_healthy(m);
  m.memory->available_bytes = 255 * kMiB;
  expect_found(m, kMemory, Severity::notice, "255 MiB", "page_cache = \"16MiB\"");
  m.memory->available_bytes = 63 * kMiB;
  m.memory->limit_bytes = 8'192 * kMiB;
  expect_found(m, kMemory, Severity::problem, "63 MiB", "MemoryMax");
}

TEST(MemoryPressure, a_daemon_beyond_its_bounds) {
  Measurements m = healthy();
  m.daemon->memory->resident_bytes = 160 * kMiB - 1;
  expect_healthy(m);
  m.daemon->memory->resident_bytes = 160 * kMiB;
  expect_found(m, kMemory, Severity::notice, "160 MiB", "max_concurrent_fetches = 5");
  m.daemon->memory->resident_bytes = 544 * kMiB;
  expect_found(m, kMemory, Severity::problem, "544 MiB", "page_cache = \"16MiB\"");
}

TEST(MemoryPressure, rows_that_are_large) {
  Measurements m = healthy();
  m.source->page = sync::ProbedPage{4, 2 * kMiB - 4, 50ms};
  expect_healthy(m);
  m.source->page->bytes = 2 * kMiB;
  expect_found(m, kMemory, Severity::notice, "512 KiB", "batch_size = 4");
}

}  // namespace
}  // namespace tidemark::doctor
