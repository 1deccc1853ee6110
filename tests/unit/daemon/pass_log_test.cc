#include "daemon/pass_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/events.h"
#include "daemon/json_forms.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'700'000'000)};

Json shown(const Result<Done>& result) {
  return Json::parse(pass_json({kNow, Trigger::interval, Work::sync, milliseconds(12), result}));
}

TEST(PassLog, a_pass_is_told_with_its_report_or_its_error) {
  SyncReport report;
  report.mode = "delta";
  report.position = 7;
  const Json done = shown(Done(report));
  EXPECT_EQ(done["ended_at_ms"], 1'700'000'000'000);
  EXPECT_EQ(done["trigger"], "interval");
  EXPECT_EQ(done["work"], "sync");
  EXPECT_EQ(done["took_ms"], 12);
  EXPECT_EQ(done["outcome"], "done");
  EXPECT_EQ(done["error"], nullptr);
  EXPECT_EQ(done["report"], Json::parse(report.to_json()));

  report.validation.indexes = false;
  EXPECT_EQ(shown(Done(report))["outcome"], "differs");
  RepairReport repair;
  repair.sync = report;
  const Json repaired = shown(Done(repair));
  EXPECT_EQ(repaired["outcome"], "differs");
  EXPECT_EQ(repaired["report"]["kept_as"], nullptr);
  EXPECT_EQ(repaired["report"]["sync"]["mode"], "delta");
  AuditReport audit;
  audit.collections["episodes"].missing = 1;
  EXPECT_EQ(shown(Done(audit))["outcome"], "differs");
  EXPECT_EQ(shown(Done(audit))["report"]["differs"], true);
  EXPECT_EQ(shown(Done(AuditReport{}))["outcome"], "done");

  const Json failed = shown(fail(ErrorCode::unavailable, "no\nsource", "look"));
  EXPECT_EQ(failed["outcome"], "error");
  EXPECT_EQ(failed["report"], nullptr);
  EXPECT_EQ(failed["error"],
            Json({{"code", "unavailable"}, {"message", "no\nsource"}, {"hint", "look"}}));
}

TEST(PassLog, the_newest_are_kept_and_large_ones_bounded_in_bytes) {
  PassLog log;
  for (std::size_t n = 1; n <= kReportsMax + 5; ++n) log.add(std::to_string(n));
  const Json all = Json::parse(log.json(kReportsMax * 2))["reports"];
  ASSERT_EQ(all.size(), kReportsMax);
  EXPECT_EQ(all.front(), kReportsMax + 5);
  EXPECT_EQ(all.back(), 6);
  EXPECT_EQ(Json::parse(log.json(1))["reports"], Json::array({kReportsMax + 5}));

  const std::string large = "\"" + std::string(kReportsBytesMax / 3, 'x') + "\"";
  for (int n = 0; n < 5; ++n) log.add(large);
  EXPECT_LE(log.json(kReportsMax).size(), kReportsBytesMax + 1'000);
  EXPECT_EQ(Json::parse(log.json(kReportsMax))["reports"].size(), 2U);
  log.add("\"" + std::string(kReportsBytesMax, 'y') + "\"");
  EXPECT_EQ(Json::parse(log.json(kReportsMax))["reports"].size(), 1U);
}

TEST(Events, an_event_is_one_line_of_data) {
  EXPECT_EQ(event_text(3, "report", "{\"a\":1}"), "id: 3\nevent: report\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(event_text(4, "status", "{}\n"), "id: 4\nevent: status\ndata: {}\n\n");
  // A newline of a source's text is escaped.
  Status status;
  status.last_error = "a\nb\r\nc";
  CacheStatus cache;
  cache.problem = Error{ErrorCode::corrupt, "x\ny", "z\n", {}};
  cache.last_report_json = "no JSON\n";
  const std::string text = event_text(5, "status", status_json(status, cache, cache.freshness));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 0);
}

TEST(JsonForms, the_status_has_the_daemon_its_cache_and_what_is_wrong_with_it) {
  Status status;
  status.pid = 7;
  CacheStatus cache;
  cache.path = "bad \xff name";
  cache.counts["episodes"] = 3;
  cache.reads = ReadCounts{1, 2, 3};
  cache.problem = Error{ErrorCode::busy, "held", "wait", {}};
  cache.last_report_json = "{\"position\":9,\"skipped\":[{\"key\":\"k\"}]}";
  Freshness now;
  now.state = FreshnessState::stale;
  now.age = milliseconds(5);
  const Json json = Json::parse(status_json(status, cache, now));
  EXPECT_EQ(json["status"]["pid"], 7);
  EXPECT_EQ(json["error"]["code"], "busy");
  EXPECT_EQ(json["freshness"]["state"], "stale");
  EXPECT_EQ(json["freshness"]["age_ms"], 5);
  EXPECT_EQ(json["cache"]["collections"]["episodes"]["count"], 3);
  EXPECT_EQ(json["cache"]["reads"]["unknown"], 3);
  EXPECT_EQ(json["cache"]["last_report"]["skipped"][0]["key"], "k");
  cache.problem.reset();
  cache.last_report_json.reset();
  const Json well = Json::parse(status_json(status, cache, now));
  EXPECT_EQ(well["error"], nullptr);
  EXPECT_EQ(well["cache"]["last_report"], nullptr);
}

}  // namespace
}  // namespace tidemark::daemon
