// The daemon's HTTP server, over real sockets.
#include "tests/integration/daemon_http.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/tuning.h"
#include "tests/support/hrana_peer.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::Exposition;
using support::HttpAnswer;
using support::Json;
using support::kPatience;
using support::RawClient;
using support::wait_until;

using support::DaemonHttp;

TEST_F(DaemonHttp, metrics_are_prometheus_text_and_tell_of_passes_and_of_every_process_reads) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  const auto rows = static_cast<double>(world.cached_keys("episodes").size());
  const HttpAnswer answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  EXPECT_NE(answer.head.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  const Exposition first(answer.body);
  EXPECT_EQ(first.at("tidemark_pass_duration_seconds_count{mode=\"fill\",outcome=\"done\"}"), 1);
  EXPECT_EQ(first.at("tidemark_items_synced_total{action=\"upserted\",collection=\"episodes\"}"),
            rows);
  EXPECT_EQ(first.at("tidemark_cache_rows{collection=\"episodes\"}"), rows);
  EXPECT_GT(first.at("tidemark_cache_file_bytes"), first.at("tidemark_cache_live_bytes"));
  EXPECT_EQ(first.at("tidemark_cache_readable"), 1);
  EXPECT_EQ(first.at("tidemark_source_up"), 1);

  const auto before = first.at("tidemark_cache_reads_total{presence=\"hit\"}");
  ASSERT_EQ(run(words({"get", "episodes", "e1"})).exit, 0);
  ASSERT_NE(run(words({"get", "episodes", "no such key"})).exit, 0);
  const Exposition read = metrics();
  EXPECT_EQ(read.at("tidemark_cache_reads_total{presence=\"hit\"}"), before + 1);
  EXPECT_TRUE(read.has("tidemark_cache_hit_ratio{since=\"last_pass\"}"));
  ASSERT_TRUE(ask());
  const Exposition after = metrics();
  EXPECT_FALSE(after.has("tidemark_cache_hit_ratio{since=\"last_pass\"}"));
  EXPECT_TRUE(after.has("tidemark_cache_hit_ratio{since=\"start\"}"));
  EXPECT_EQ(after.at("tidemark_pass_duration_seconds_count{mode=\"scan\",outcome=\"done\"}"), 1);
  stop(program);
}

TEST_F(DaemonHttp, a_source_that_goes_away_shows_as_errors_and_as_not_ready_at_last) {
  support::HranaPeer peer(world.folder.file("source.db"));
  configure_http(peer.url());
  ChildProcess program = start_and_wait();
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/readyz?max_age=2h").status, 200);
  EXPECT_EQ(get("/readyz?max_age=soon").status, 400);
  EXPECT_EQ(get("/readyz?other=1").status, 400);
  peer.script({{{"kind", "status"}, {"status", 503}}});
  ASSERT_TRUE(ask());  // and is told the error
  const Exposition said = metrics();
  EXPECT_GE(said.at("tidemark_errors_total{code=\"unavailable\"}"), 1);
  EXPECT_GE(said.at("tidemark_pass_failures"), 1);
  EXPECT_EQ(said.at("tidemark_source_up"), 0);
  EXPECT_GT(said.at("tidemark_cache_age_seconds"), 0);
  const HttpAnswer stale = get("/readyz?max_age=1ms");
  EXPECT_EQ(stale.status, 503);
  EXPECT_NE(stale.body.find("stale"), std::string::npos) << stale.body;
  EXPECT_EQ(get("/healthz").status, 200);
  stop(program);
}

TEST_F(DaemonHttp, without_any_pass_that_was_done_it_lives_and_is_not_ready) {
  configure_http("http://127.0.0.1:1");
  ChildProcess program = start_and_wait();
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(metrics().at("tidemark_cache_readable"), 0);
  stop(program);
}

TEST_F(DaemonHttp, the_status_needs_the_token_that_only_the_daemons_user_can_read) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  struct stat info{};
  ASSERT_EQ(::stat(token_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const HttpAnswer refused = get("/v1/status");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.head.find("WWW-Authenticate: Bearer"), std::string::npos);
  EXPECT_EQ(get("/v1/status", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(get("/v1/status", "Authorization: Bearer \r\n").status, 401);
  const std::string almost = bearer().substr(0, bearer().size() - 3) + "\r\n";
  EXPECT_EQ(get("/v1/status", almost).status, 401);
  const HttpAnswer told = get("/v1/status", bearer());
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(Json::parse(told.body)["status"]["pid"], program.pid());
  // The next one has the same token, and SIGHUP takes a new one.
  const std::string token = bearer();
  stop(program);
  ChildProcess next = start_and_wait();
  EXPECT_EQ(get("/v1/status", token).status, 200);
  std::filesystem::remove(token_path());
  next.signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return get("/v1/status", token).status == 401; }));
  EXPECT_EQ(get("/v1/status", bearer()).status, 200);
  stop(next);
}

TEST_F(DaemonHttp, a_token_that_others_may_read_or_an_address_that_is_none_ends_it) {
  configure_http(world.url());
  write("cache.redb.token", "a-token-long-enough-to-be-one\n");
  const std::string path = world.folder.file("cache.redb.token");
  std::filesystem::rename(path, token_path());
  ASSERT_EQ(::chmod(token_path().c_str(), 0644), 0);
  ChildProcess refused = start();
  ASSERT_TRUE(refused.ends_within(kPatience));
  EXPECT_EQ(refused.wait(), 2);
  EXPECT_NE(log().find("others may read it"), std::string::npos) << log();
  EXPECT_EQ(log().find("a-token-long"), std::string::npos);
  configure(world.url(), "[daemon]\nlisten = \"here\"\n");
  ASSERT_EQ(::chmod(token_path().c_str(), 0600), 0);
  ChildProcess lost = start();
  ASSERT_TRUE(lost.ends_within(kPatience));
  EXPECT_EQ(lost.wait(), 2);
  EXPECT_NE(log().find("not an address and a port"), std::string::npos) << log();
}

TEST_F(DaemonHttp, a_page_of_another_site_and_what_is_no_get_are_refused) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  const auto host = [&](const std::string& name) {
    return answer("GET /metrics HTTP/1.1\r\n" + name + "\r\n");
  };
  EXPECT_EQ(host("Host: 127.0.0.1:" + std::to_string(port) + "\r\n"), "HTTP/1.1 200");
  EXPECT_EQ(host("Host: LOCALHOST\r\n"), "HTTP/1.1 200");
  EXPECT_EQ(host("Host: [::1]:9464\r\n"), "HTTP/1.1 200");
  for (const char* name : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "[::1].evil.example", "127.0.0.1\r\nHost: evil.example"}) {
    EXPECT_EQ(host("Host: " + std::string(name) + "\r\n"), "HTTP/1.1 421") << name;
  }
  EXPECT_EQ(host(""), "HTTP/1.1 421");
  const HttpAnswer posted = support::call(
      {.port = port, .method = "POST", .path = "/metrics", .body = std::string(200'000, 'x')});
  EXPECT_EQ(posted.status, 405);
  EXPECT_NE(posted.head.find("Allow: GET"), std::string::npos);
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/v1/status/").status, 401);
  EXPECT_EQ(get("/v1/status/", bearer()).status, 404);
  stop(program);
}

TEST_F(DaemonHttp, huge_headers_and_garbage_are_refused_and_pipelined_requests_answered_once) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(1 << 19, 'x')),
            "HTTP/1.1 431");
  EXPECT_EQ(answer("GET /" + std::string(1 << 16, 'x')), "HTTP/1.1 431");
  EXPECT_EQ(answer("{\"v\":1,\"do\":\"stop\"}\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer(std::string("\0\xff\r\n\r\n", 6)), "HTTP/1.1 400");
  const RawClient client(support::connect_to(port));
  const std::string once = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string many;
  for (int n = 0; n < 1000; ++n) many += once;
  client.say(many);
  const std::string heard = client.hear();
  EXPECT_EQ(heard.find("HTTP/1.1 200"), 0U);
  EXPECT_EQ(heard.find("HTTP/1.1", 1), std::string::npos);
  EXPECT_EQ(passes(), 1U);
  stop(program);
}

TEST_F(DaemonHttp, who_is_slow_or_one_too_many_is_let_go_while_passes_go_on) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  std::vector<std::unique_ptr<RawClient>> slow;
  for (std::size_t n = 0; n < daemon::kHttpConnectionsMax; ++n) {
    slow.push_back(std::make_unique<RawClient>(support::connect_to(port)));
    ASSERT_TRUE(slow.back()->connected());
    slow.back()->say("GET /metrics HTTP/1.1\r\n");
  }
  EXPECT_EQ(RawClient(port).hear(), "");
  ASSERT_TRUE(ask());
  EXPECT_EQ(passes(), 2U);
  for (const auto& client : slow) EXPECT_EQ(client->hear(), "");  // at the deadline
  EXPECT_TRUE(wait_until([&] {
    return answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 200";
  }));
  // One that says nothing does not hold up the end.
  const RawClient silent(port);
  stop(program);
  EXPECT_EQ(silent.hear(), "");
}

TEST_F(DaemonHttp, nothing_listens_unless_it_is_configured) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  EXPECT_FALSE(support::listens(port));
  EXPECT_FALSE(std::filesystem::exists(token_path()));
  stop(program);
}

}  // namespace
}  // namespace tidemark
