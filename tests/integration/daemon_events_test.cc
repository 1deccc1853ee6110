// What who watches the daemon is told: the status, the passes, and events as they happen.
#include "daemon/tuning.h"
#include "tests/integration/daemon_http.h"
#include "tests/support/hrana_peer.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::DaemonHttp;
using support::Event;
using support::EventClient;
using support::HttpAnswer;
using support::Json;
using support::RawClient;
using support::wait_until;

struct DaemonEvents : public DaemonHttp {};

bool is_status(const Event& event) { return event.name == "status"; }
bool is_report(const Event& event) { return event.name == "report"; }

TEST_F(DaemonEvents, what_holds_memories_needs_the_token_on_loopback_too) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  for (const char* path : {"/v1/status", "/v1/reports", "/v1/events", "/v1/items/episodes/e1"}) {
    const HttpAnswer refused = get(path);
    EXPECT_EQ(refused.status, 401) << path;
    EXPECT_EQ(refused.body.find("e1"), std::string::npos);
    EXPECT_EQ(get(path, "Authorization: Bearer wrong\r\n").status, 401) << path;
    if (std::string(path) != "/v1/events") {
      EXPECT_EQ(may(path).status, 200) << path;
    }
  }
  EXPECT_EQ(EventClient(*this).head().find("HTTP/1.1 200"), 0U);
  stop(program);
}

TEST_F(DaemonEvents, the_status_says_what_is_cached_and_how_fresh_it_is) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  ASSERT_EQ(run(words({"get", "episodes", "e1"})).exit, 0);
  const Json status = Json::parse(may("/v1/status").body);
  EXPECT_EQ(status["status"]["passes"], 1);
  EXPECT_EQ(status["error"], nullptr);
  EXPECT_EQ(status["freshness"]["state"], "fresh");
  EXPECT_GE(status["freshness"]["age_ms"], 0);
  // Its names are those of the command.
  const Json command = envelope(words({"status"}), 0);
  for (const auto& [name, value] : command["freshness"].items()) {
    EXPECT_TRUE(status["freshness"].contains(name)) << name;
  }
  for (const auto& [name, value] : command["result"].items()) {
    if (name == "daemon") continue;
    EXPECT_EQ(status["cache"][name], value) << name;
  }
  EXPECT_EQ(status["cache"]["reads"]["hits"], 1);
  stop(program);
}

TEST_F(DaemonEvents, reports_are_those_of_the_passes_since_the_start) {
  support::HranaPeer peer(world.folder.file("source.db"));
  configure_http(peer.url());
  ChildProcess program = start_and_wait();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask(daemon::Work::validate));
  peer.script({{{"kind", "status"}, {"status", 503}}});
  ASSERT_TRUE(ask());
  const Json reports = Json::parse(may("/v1/reports").body)["reports"];
  ASSERT_EQ(reports.size(), 4U);
  const Json& failed = reports[0];
  EXPECT_EQ(failed["outcome"], "error");
  EXPECT_EQ(failed["error"]["code"], "unavailable");
  EXPECT_FALSE(std::string(failed["error"]["message"]).empty());
  EXPECT_EQ(failed["report"], nullptr);
  EXPECT_EQ(reports[1]["work"], "validate");
  EXPECT_EQ(reports[1]["report"]["differs"], false);
  EXPECT_EQ(reports[2]["trigger"], "request");
  EXPECT_EQ(reports[2]["report"]["mode"], "scan");
  EXPECT_EQ(reports[3]["trigger"], "start_up");
  EXPECT_EQ(reports[3]["report"]["mode"], "fill");
  EXPECT_EQ(reports[3]["report"]["episodes_synced"], 3);
  EXPECT_GE(reports[0]["ended_at_ms"], reports[3]["ended_at_ms"]);
  const Json newest = Json::parse(may("/v1/reports?limit=1").body)["reports"];
  EXPECT_EQ(newest, Json::array({failed}));
  EXPECT_EQ(may("/v1/reports?limit=none").status, 400);
  stop(program);
}

TEST_F(DaemonEvents, a_pass_is_told_from_its_start_to_its_report) {
  support::HranaPeer peer(world.folder.file("source.db"));
  configure_http(peer.url());
  ChildProcess program = start_and_wait();
  EventClient client(*this);
  EXPECT_NE(client.head().find("Content-Type: text/event-stream"), std::string::npos);
  const auto first = client.next();
  ASSERT_TRUE(first && is_status(*first));
  EXPECT_EQ(first->data["status"]["running"], "");
  EXPECT_EQ(first->data["status"]["pid"], program.pid());
  EXPECT_EQ(first->data["freshness"]["state"], "fresh");

  ASSERT_TRUE(ask(daemon::Work::rebuild));
  const auto started = client.next();
  ASSERT_TRUE(started && is_status(*started));
  EXPECT_GT(started->id, first->id);
  EXPECT_EQ(started->data["status"]["running"], "rebuild");
  std::size_t progress = 0;
  const auto ended = client.await([&](const Event& event) {
    if (event.name == "progress") ++progress;
    return event.name != "progress";
  });
  EXPECT_GT(progress, 0U);
  ASSERT_TRUE(ended && is_report(*ended));
  EXPECT_EQ(ended->data["work"], "rebuild");
  EXPECT_EQ(ended->data["outcome"], "done");
  EXPECT_EQ(ended->data, Json::parse(may("/v1/reports?limit=1").body)["reports"][0]);
  const auto after = client.next();
  ASSERT_TRUE(after && is_status(*after));
  EXPECT_EQ(after->data["status"]["running"], "");
  EXPECT_EQ(after->data["status"]["passes"], 2);
  stop(program);
  EXPECT_FALSE(client.next());  // it closes who watches
}

TEST_F(DaemonEvents, a_source_that_is_gone_shows_with_the_end_of_the_pass) {
  support::HranaPeer peer(world.folder.file("source.db"));
  configure_http(peer.url());
  ChildProcess program = start_and_wait();
  EventClient client(*this);
  ASSERT_TRUE(client.next());
  peer.script({{{"kind", "status"}, {"status", 503}}});
  ASSERT_TRUE(ask());
  const auto report = client.await(is_report);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->data["error"]["code"], "unavailable");
  const auto status = client.next();
  ASSERT_TRUE(status && is_status(*status));
  EXPECT_TRUE(status->data["freshness"]["source_unavailable_since_ms"].is_number());
  EXPECT_EQ(status->data["status"]["failures"], 1);
  stop(program);
}

TEST_F(DaemonEvents, a_cache_that_turns_stale_by_the_time_alone_is_told) {
  support::HranaPeer peer(world.folder.file("source.db"));
  write("tidemark.toml", "[source]\nurl = \"" + peer.url() + "\"\n[cache]\npath = \"" +
                             world.cache() +
                             "\"\n[sync]\ninterval = \"1s\"\nheartbeat = \"1s\"\nmax_staleness = "
                             "\"2s\"\n[daemon]\nstop_deadline = \"1s\"\nlisten = \"127.0.0.1:" +
                             std::to_string(port) + "\"\n");
  ChildProcess program = start_and_wait();
  EventClient client(*this);
  peer.script({{{"kind", "hang"}}});
  // While a pass waits for the source, and no other event comes.
  const auto stale = client.await([](const Event& event) {
    return is_status(event) && event.data["freshness"]["state"] == "stale";
  });
  ASSERT_TRUE(stale);
  EXPECT_EQ(stale->data["status"]["running"], "sync");
  EXPECT_EQ(stale->data["freshness"]["source_unavailable_since_ms"], nullptr);
  EXPECT_EQ(Json::parse(may("/v1/status").body)["freshness"]["state"], "stale");
  peer.script({});
  program.signal(SIGTERM);
  ASSERT_TRUE(program.ends_within(support::kPatience));
}

TEST_F(DaemonEvents, who_hears_nothing_else_hears_that_it_is_alive) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  EventClient client(*this);
  ASSERT_TRUE(client.next());
  const auto beat = client.next();
  ASSERT_TRUE(beat);
  EXPECT_EQ(beat->name, "");
  stop(program);
}

TEST_F(DaemonEvents, one_stream_too_many_is_told_so_and_who_reads_none_is_let_go) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  std::vector<std::unique_ptr<RawClient>> slow;
  for (std::size_t n = 0; n < daemon::kEventStreamsMax; ++n) {
    const int fd = support::connect_to(port);
    const int small = 4096;
    ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    slow.push_back(std::make_unique<RawClient>(fd));
    slow.back()->say(events_request());
    ASSERT_NE(slow.back()->hear_some(), "");
  }
  EXPECT_EQ(may("/v1/events").status, 503);
  // Enough for the sockets to be full, and too little for kStreamBytesMax.
  std::size_t sent = 0;
  std::uint64_t ended = passes();
  while (sent < daemon::kStreamBytesMax / 2) {
    ASSERT_TRUE(ask());
    EXPECT_EQ(passes(), ++ended);  // whoever is slow
    sent += 2 * may("/v1/status").body.size() + may("/v1/reports?limit=1").body.size();
  }
  EXPECT_TRUE(wait_until([&] { return EventClient(*this).head().find("HTTP/1.1 200") == 0; }));
  stop(program);
}

// A stream of a client that went away held its place.
TEST_F(DaemonEvents, who_hangs_up_makes_room) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  for (std::size_t n = 0; n < 3 * daemon::kEventStreamsMax; ++n) {
    ASSERT_TRUE(wait_until([&] {
      EventClient client(*this);
      return client.head().find("HTTP/1.1 200") == 0 && client.next().has_value();
    })) << n;
  }
  stop(program);
}

}  // namespace
}  // namespace tidemark
