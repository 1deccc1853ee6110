// The lines of the control socket: nothing is lost on the way, and nothing odd is taken.
#include "daemon/wire.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::daemon {
namespace {

using Json = nlohmann::ordered_json;

// Gives each value of the JSON another one of its kind.
void change(Json& json) {
  if (json.is_structured()) {
    for (auto& item : json) change(item);
    if (json.is_array() && json.empty()) json.push_back("text");
  } else if (json.is_boolean()) {
    json = !json.get<bool>();
  } else if (json.is_number()) {
    json = json.get<std::uint64_t>() + 7;
  } else if (json.is_string() && json != "stale") {
    json = "another \"text\"";
  }
}

Json whole_report() {
  SyncReport report;
  report.collections["episodes"] = {};
  report.rows_read = 1;
  report.skipped.push_back({"episodes", "k", "r"});
  report.missed.push_back({"episodes", "k"});
  report.validation = {true, false, true, false, true, false, {"p"}};
  report.freshness.checked_at = std::chrono::system_clock::time_point(std::chrono::seconds(5));
  report.freshness.age = std::chrono::milliseconds(3);
  report.freshness.state = FreshnessState::stale;
  return Json::parse(report.to_json());
}

// Whatever a later version of the report adds must come through as well.
TEST(Wire, every_value_of_a_report_survives) {
  Json json = whole_report();
  EXPECT_EQ(Json::parse(report_from_json(json.dump()).to_json()), json);
  change(json);
  EXPECT_EQ(Json::parse(report_from_json(json.dump()).to_json()), json);
}

TEST(Wire, a_report_without_what_is_not_known_survives) {
  const std::string json = SyncReport{}.to_json();
  EXPECT_EQ(report_from_json(json).to_json(), json);
}

template <typename Report>
Report through(const Report& report) {
  const auto reply = decode_reply(encode(Reply(Done(report))));
  EXPECT_TRUE(reply && is_last(*reply));
  return std::get<Report>(std::get<Done>(*reply));
}

TEST(Wire, reports_of_each_work_survive) {
  SyncReport sync;
  sync.mode = "delta";
  sync.freshness.catching_up = true;
  EXPECT_EQ(through(sync).to_json(), sync.to_json());
  EXPECT_TRUE(through(sync).freshness.catching_up);

  RepairReport repair{{"a problem"}, 5, "cache.corrupt", sync};
  EXPECT_EQ(through(repair).problems, repair.problems);
  EXPECT_EQ(through(repair).rows_dropped, 5U);
  EXPECT_EQ(through(repair).kept_as, "cache.corrupt");
  EXPECT_EQ(through(repair).sync.to_json(), sync.to_json());

  AuditReport audit;
  audit.collections["episodes"] = {1, 2, 3, 4, {"k\n", "\xff"}};
  audit.requests = 6;
  audit.rows_read = 7;
  const AuditReport same = through(audit);
  const CollectionAudit& found = same.collections.at("episodes");
  EXPECT_EQ(std::tie(found.equal, found.missing, found.different, found.surplus),
            std::make_tuple(1U, 2U, 3U, 4U));
  EXPECT_EQ(found.keys.size(), 2U);
  EXPECT_EQ(same.requests, 6U);
  EXPECT_EQ(same.rows_read, 7U);
}

TEST(Wire, progress_status_and_errors_survive_and_only_progress_is_not_the_last) {
  const auto progress =
      decode_reply(encode(Reply(Progress{"fetch", "episodes", 3, std::uint64_t{9}})));
  ASSERT_TRUE(progress);
  EXPECT_FALSE(is_last(*progress));
  EXPECT_EQ(std::get<Progress>(*progress).rows_total, 9U);

  Status status;
  status.pid = 12;
  status.running = "sync";
  status.progress = Progress{"fetch", "episodes", 3, std::uint64_t{9}};
  status.next_pass = std::chrono::milliseconds(5);
  status.scrub = ScrubState{43, std::chrono::system_clock::time_point(std::chrono::hours(9))};
  const auto told = decode_reply(encode(Reply(status)));
  ASSERT_TRUE(told);
  EXPECT_EQ(std::get<Status>(*told).pid, 12);
  EXPECT_EQ(std::get<Status>(*told).running, "sync");
  EXPECT_EQ(std::get<Status>(*told).next_pass, status.next_pass);
  ASSERT_TRUE(std::get<Status>(*told).progress && std::get<Status>(*told).scrub);
  EXPECT_EQ(std::get<Status>(*told).progress->rows_total, 9U);
  EXPECT_EQ(std::get<Status>(*told).scrub->percent, 43U);
  EXPECT_EQ(std::get<Status>(*told).scrub->ended_at, status.scrub->ended_at);

  for (int n = 0; n <= static_cast<int>(ErrorCode::internal); ++n) {
    const Error error{static_cast<ErrorCode>(n), "m", "h", "s"};
    const auto reply = decode_reply(encode(Reply(error)));
    ASSERT_TRUE(reply);
    const Error& same = std::get<Error>(*reply);
    EXPECT_EQ(same.code, error.code);
    EXPECT_EQ(same.message + same.hint + same.source_text, "mhs");
  }
}

TEST(Wire, a_request_survives) {
  Request request{Command::perform, {}};
  Ask& ask = request.ask;
  ask.work = Work::rebuild;
  ask.source = "file:/a";
  ask.max_episodes_cache = 5;
  ask.sync_patterns = false;
  ask.sync_embeddings = true;
  ask.batch_size = 6;
  ask.validate_checksums = true;
  ask.max_concurrent_fetches = 7;
  ask.request_deadline = std::chrono::milliseconds(8);
  ask.pass_deadline = std::chrono::milliseconds(9);
  ask.max_rows_read_per_pass = 10;
  ask.audit_interval = std::chrono::milliseconds(11);
  ask.full = ask.set_scope = ask.adopt = true;
  const std::string line = encode(request);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto same = decode_request(line);
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_EQ(same->ask, ask);
  for (const Command command : {Command::status, Command::nudge, Command::reload, Command::stop}) {
    const auto plain = decode_request(encode(Request{command, {}}));
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->command, command);
  }
}

TEST(Wire, what_is_no_request_is_refused_with_its_reason) {
  const std::vector<std::pair<const char*, const char*>> bad = {
      {"", "not a JSON object"},
      {"GET / HTTP/1.1", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {R"({"v":1)", "not a JSON object"},
      {R"({"do":"sync"})", "\"v\" is not 1"},
      {R"({"v":2,"do":"sync"})", "\"v\" is not 1"},
      {R"({"v":1})", "\"do\" is none"},
      {R"({"v":1,"do":7})", "\"do\" is none"},
      {R"({"v":1,"do":"format_disk"})", "\"do\" is none"},
      {R"({"v":1,"do":"sync","ful":true})", "unknown name ful"},
      {R"({"v":1,"do":"stop","full":true})", "unknown name full"},
      {R"({"v":1,"do":"sync","full":1})", "full is of another type"},
      {R"({"v":1,"do":"sync","batch_size":-1})", "batch_size is of another type"},
      {R"({"v":1,"do":"sync","source":["file:a"]})", "source is of another type"}};
  for (const auto& [line, reason] : bad) {
    const auto request = decode_request(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code, ErrorCode::invalid);
    EXPECT_NE(request.error().message.find(reason), std::string::npos) << request.error().message;
  }
}

TEST(Wire, what_is_no_reply_is_an_error) {
  for (const char* line : {"", "{}", "[]", "{\"done\":", "42"}) EXPECT_FALSE(decode_reply(line));
  EXPECT_TRUE(decode_reply(R"({"done":[]})"));  // an empty report, not a crash
  EXPECT_TRUE(decode_reply(R"({"done":{"sync":{"report":{"collections":[1,{}],"skipped":7}}}})"));
}

}  // namespace
}  // namespace tidemark::daemon
