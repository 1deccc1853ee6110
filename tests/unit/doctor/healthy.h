// Measurements in which nothing is wrong, for a test to spoil one of.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "doctor/diagnose.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

inline Measurements healthy() {
  Measurements m;
  m.subject.source = "libsql://db.example";
  m.subject.cache = "/c/cache.redb";
  m.subject.page_cache_bytes = 32 * kMiB;
  m.subject.interval = std::chrono::seconds(30);
  m.subject.max_staleness = std::chrono::minutes(5);
  m.source_identity = "libsql://db.example";
  sync::SourceProbe& source = m.source.emplace();
  source.name = "libsql://db.example";
  source.first_answer = std::chrono::milliseconds(40);
  source.round_trip = std::chrono::milliseconds(10);
  source.clock_ahead = std::chrono::milliseconds(3);
  source.page = sync::ProbedPage{100, kMiB / 2, std::chrono::milliseconds(50)};
  source.capture.emplace();
  source.capture->installed = source.capture->healthy = true;
  source.rows = {{"episodes", 100'000}, {"patterns", 20}};
  m.cache.exists = m.cache.readable = true;
  m.cache.source = m.source_identity;
  m.cache.counts = {{"episodes", 1'000}, {"patterns", 20}, {"embeddings", 900}};
  m.cache.file_bytes = 100 * kMiB;
  m.cache.live_bytes = 60 * kMiB;
  m.cache.reads = ReadCounts{9'000, 500, 500};
  m.cache.freshness.state = FreshnessState::fresh;
  m.cache.freshness.checked_at = std::chrono::system_clock::time_point{};
  m.cache.freshness.age = std::chrono::seconds(12);
  SyncReport& pass = m.last_pass.emplace();
  pass.mode = "delta";
  pass.duration = std::chrono::milliseconds(20);
  pass.requests = 10;
  DaemonFound& daemon = m.daemon.emplace();
  daemon.name = "pid 42";
  daemon.process = Process{42, "tidemark"};
  daemon.status.emplace();
  daemon.memory = ProcessMemory{60 * kMiB, 90 * kMiB};
  m.memory = Memory{8'192 * kMiB, 4'096 * kMiB, {}};
  m.disk = Disk{10'000 * kMiB, 50'000 * kMiB};
  m.cache_rights = Rights{0600, true, {}};
  m.folder_rights = Rights{0700, true, {}};
  return m;
}

// The one finding that is not ok; fails the test where there are none or several.
inline Finding only_finding(const Measurements& m) {
  std::vector<Finding> bad;
  for (const Finding& finding : diagnose(m)) {
    if (finding.severity != Severity::ok) bad.push_back(finding);
  }
  for (const Finding& finding : bad) {
    EXPECT_FALSE(finding.text.empty());
    EXPECT_FALSE(finding.help.empty()) << finding.text;
  }
  EXPECT_EQ(bad.size(), 1U) << (bad.empty() ? "" : bad[0].text + " | " + bad.back().text);
  return bad.empty() ? Finding{} : bad.front();
}

inline void expect_healthy(const Measurements& m) {
  for (const Finding& finding : diagnose(m)) {
    EXPECT_EQ(finding.severity, Severity::ok) << finding.text;
    EXPECT_EQ(finding.help, "") << finding.text;
  }
}

// The one finding, which has both texts and this place.
inline void expect_found(const Measurements& m, Heading heading, Severity severity,
                         const std::string& text, const std::string& help) {
  const Finding finding = only_finding(m);
  EXPECT_EQ(finding.heading, heading) << finding.text;
  EXPECT_EQ(finding.severity, severity) << finding.text;
  EXPECT_NE(finding.text.find(text), std::string::npos) << finding.text;
  EXPECT_NE(finding.help.find(help), std::string::npos) << finding.help;
}

}  // namespace tidemark::doctor
