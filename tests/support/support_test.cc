// The test servers themselves, over a plain socket: what they say must be what their users assume.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "tests/support/hrana_peer.h"
#include "tests/support/http_call.h"
#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_certificates.h"
#include "tests/support/turso_server.h"

namespace tidemark::support {
namespace {

using nlohmann::json;

struct Database {
  Database() {
    SqliteSource source(path());
    source.run(
        "PRAGMA journal_mode=WAL; CREATE TABLE t(a, b);"
        "INSERT INTO t VALUES(1, 'x'), (9007199254740993, x'00ff10'), (NULL, 9e999), (2.5, '')");
  }
  [[nodiscard]] std::string path() const { return folder.file("t.db"); }
  TempFolder folder;
};

json statement(const std::string& sql) { return {{"sql", sql}, {"want_rows", true}}; }
json execute(const std::string& sql) { return {{"type", "execute"}, {"stmt", statement(sql)}}; }

const json kClose = {{"type", "close"}};
const json kAutocommit = {{"type", "get_autocommit"}};

HttpCall pipeline(int port, const std::vector<json>& requests, const std::string& headers = {}) {
  return {.port = port,
          .method = "POST",
          .path = "/v2/pipeline",
          .headers = headers,
          .body = json{{"requests", requests}}.dump()};
}

// What any process may be given, and gives back.
int port_of_the_kernel() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

TEST(TursoServer, serves_its_file_stops_and_starts_again_on_the_same_port) {
  const Database database;
  TursoServer server(database.path());
  EXPECT_NE(server.execute("SELECT count(*) FROM t").find("\"value\":\"4\""), std::string::npos);
  server.execute("INSERT INTO t VALUES(7, 'seven')");
  server.stop();
  EXPECT_FALSE(listens(server.port()));
  EXPECT_EQ(SqliteSource(database.path()).column("SELECT b FROM t WHERE a = 7"),
            std::vector<std::string>{"seven"});
  server.start();
  EXPECT_NE(server.execute("SELECT b FROM t WHERE a = 7").find("seven"), std::string::npos);
  EXPECT_THROW(server.execute("SELECT nope"), std::runtime_error);
}

// Of 14,000 ports that the kernel gives away, 20 that it could give would be hit 7 times.
TEST(FreePort, is_given_to_nobody_else) {
  constexpr int kKept = 20;
  constexpr int kOthers = 5'000;
  std::set<int> kept;
  for (int i = 0; i < kKept; ++i) EXPECT_TRUE(kept.insert(free_port()).second);
  for (const int port : kept) EXPECT_FALSE(listens(port));
  for (int i = 0; i < kOthers; ++i) {
    const int other = port_of_the_kernel();
    EXPECT_FALSE(kept.contains(other)) << other;
  }
}

TEST(HranaPeer, encodes_values_as_real_servers_do) {
  const Database database;
  HranaPeer peer(database.path(), {{"padded", false}});
  const auto answer = call(pipeline(peer.port(), {execute("SELECT a, b FROM t ORDER BY rowid")}));
  EXPECT_EQ(answer.status, 200);
  const json rows = json::parse(answer.body)["results"][0]["response"]["result"]["rows"];
  EXPECT_EQ(rows[0][0], (json{{"type", "integer"}, {"value", "1"}}));
  EXPECT_EQ(rows[1][0], (json{{"type", "integer"}, {"value", "9007199254740993"}}));
  EXPECT_EQ(rows[1][1], (json{{"type", "blob"}, {"base64", "AP8Q"}}));
  EXPECT_EQ(rows[2][0], (json{{"type", "null"}}));
  EXPECT_EQ(rows[2][1], (json{{"type", "float"}, {"value", nullptr}}));
  EXPECT_EQ(rows[3][0], (json{{"type", "float"}, {"value", 2.5}}));
}

TEST(HranaPeer, counts_requests_and_tells_how_many_were_in_flight) {
  const Database database;
  HranaPeer peer(database.path(), {{"gate", 3}});
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] { call(pipeline(peer.port(), {execute("SELECT 1")})); });
    }
  }
  EXPECT_EQ(peer.count("requests"), 3U);
  EXPECT_EQ(peer.count("max_in_flight"), 3U);
  EXPECT_EQ(peer.count("open_streams"), 3U);  // nobody sent `close`
  peer.set({{"gate", 0}});
  peer.reset_stats();
  call(pipeline(peer.port(), {execute("SELECT 1"), kClose}));
  EXPECT_EQ(peer.count("requests"), 1U);
  EXPECT_EQ(peer.count("open_streams"), 3U);
}

TEST(HranaPeer, wants_its_token_and_honours_a_rotated_one) {
  const Database database;
  HranaPeer peer(database.path(), {{"tokens", {"one"}}, {"forbidden_tokens", {"low"}}});
  const auto status = [&](const std::string& token) {
    const std::string header = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    return call(pipeline(peer.port(), {execute("SELECT 1")}, header)).status;
  };
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status("one"), 200);
  EXPECT_EQ(status("low"), 403);
  peer.set({{"tokens", {"two"}}});
  EXPECT_EQ(status("one"), 401);
  EXPECT_EQ(status("two"), 200);
}

TEST(HranaPeer, refuses_what_older_servers_do_not_know) {
  const Database database;
  HranaPeer peer(database.path(), {{"v3", false}, {"close", false}});
  EXPECT_EQ(call({.port = peer.port(), .path = "/v3"}).status, 404);
  EXPECT_EQ(call({.port = peer.port(), .path = "/v2"}).status, 200);
  EXPECT_EQ(call(pipeline(peer.port(), {kClose})).status, 500);
  EXPECT_EQ(peer.count("probes"), 2U);
}

TEST(HranaPeer, runs_batch_steps_on_their_conditions) {
  const Database database;
  HranaPeer peer(database.path());
  const auto ok = [](int step) { return json{{"type", "ok"}, {"step", step}}; };
  const json batch = {
      {"type", "batch"},
      {"batch",
       {{"steps",
         {{{"stmt", statement("BEGIN")}},
          {{"stmt", statement("SELECT nope")}, {"condition", ok(0)}},
          {{"stmt", statement("COMMIT")}, {"condition", ok(1)}},
          {{"stmt", statement("ROLLBACK")}, {"condition", {{"type", "not"}, {"cond", ok(2)}}}}}}}}};
  const auto answer = call(pipeline(peer.port(), {batch, kAutocommit}));
  const json results = json::parse(answer.body)["results"];
  const json done = results[0]["response"]["result"];
  EXPECT_FALSE(done["step_results"][0].is_null());
  EXPECT_TRUE(done["step_results"][1].is_null());
  EXPECT_NE(done["step_errors"][1]["message"].get<std::string>().find("nope"), std::string::npos);
  EXPECT_TRUE(done["step_results"][2].is_null() && done["step_errors"][2].is_null());
  EXPECT_FALSE(done["step_results"][3].is_null());
  EXPECT_EQ(results[1]["response"]["is_autocommit"], true);
}

TEST(HranaPeer, carries_a_stream_by_its_baton_and_forgets_an_idle_one) {
  const Database database;
  HranaPeer peer(database.path());
  const auto with_baton = [&](const json& baton, const std::vector<json>& requests) {
    HttpCall request = pipeline(peer.port(), requests);
    request.body = json{{"baton", baton}, {"requests", requests}}.dump();
    return call(request);
  };
  const json baton = json::parse(with_baton(nullptr, {execute("BEGIN")}).body)["baton"];
  const auto second = with_baton(baton, {kAutocommit});
  EXPECT_NE(second.body.find("\"is_autocommit\":false"), std::string::npos);
  EXPECT_EQ(with_baton(baton, {execute("SELECT 1")}).status, 400);  // good for one request
  peer.set({{"stream_idle_seconds", -1}});
  const auto late = with_baton(json::parse(second.body)["baton"], {execute("SELECT 1")});
  EXPECT_EQ(late.status, 400);
  EXPECT_NE(late.body.find("STREAM_EXPIRED"), std::string::npos);
}

TEST(HranaPeer, replaces_a_whole_batch_result_over_the_limit) {
  const Database database;
  HranaPeer peer(database.path(), {{"reply_bytes_max", 1000}});
  const auto answer = call(pipeline(peer.port(), {execute("SELECT zeroblob(2000)")}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("RESPONSE_TOO_LARGE"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::support
