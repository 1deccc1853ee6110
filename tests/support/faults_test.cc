// Each scripted fault of the peer looks on the wire as its name says, and only where it was asked.
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/hrana_peer.h"
#include "tests/support/http_call.h"
#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_certificates.h"

namespace tidemark::support {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

class Faults : public ::testing::Test {
 protected:
  HttpAnswer ask(milliseconds timeout = milliseconds(10'000)) {
    const json step = {{"stmt", {{"sql", "SELECT a FROM t"}, {"want_rows", true}}}};
    const json batch = {{"type", "batch"}, {"batch", {{"steps", std::vector<json>{step, step}}}}};
    return call({.port = peer_.port(),
                 .method = "POST",
                 .path = "/v3/pipeline",
                 .body = json{{"requests", std::vector<json>{batch}}}.dump(),
                 .timeout = timeout});
  }
  HttpAnswer ask(const json& fault) {
    peer_.script({fault});
    return ask();
  }
  static bool good(const HttpAnswer& answer) {
    return answer.status == 200 && answer.complete &&
           answer.body.find("\"value\":\"41\"") != std::string::npos;
  }

  static std::string database(const TempFolder& folder) {
    SqliteSource(folder.file("t.db")).run("CREATE TABLE t(a); INSERT INTO t VALUES(41)");
    return folder.file("t.db");
  }

  TempFolder folder_;
  HranaPeer peer_{database(folder_)};
};

TEST_F(Faults, meet_the_requests_they_name_and_no_other) {
  EXPECT_TRUE(good(ask()));
  peer_.script({json{{"kind", "status"}, {"status", 500}, {"at", 2}},
                json{{"kind", "bad_gateway"}, {"contains", "FROM t"}, {"from", 3}, {"times", 2}}});
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(ask().status);
  EXPECT_EQ(seen, (std::vector<int>{200, 500, 502, 502, 200}));
  peer_.script({json{{"kind", "too_many"}, {"every", 2}},
                json{{"kind", "hang"}, {"contains", "elsewhere"}}});
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(ask().status, 429);
  peer_.script({});
  EXPECT_TRUE(good(ask()));
  EXPECT_THROW(peer_.script({json{{"kind", "no such fault"}}}), std::runtime_error);
}

TEST_F(Faults, of_status_and_text_are_what_servers_and_proxies_send) {
  const HttpAnswer plain = ask({{"kind", "status"}, {"status", 500}});
  EXPECT_EQ(plain.status, 500);
  EXPECT_NE(plain.head.find("text/plain"), std::string::npos);
  const HttpAnswer expired = ask({{"kind", "stream_expired"}});
  EXPECT_EQ(expired.status, 400);
  EXPECT_EQ(json::parse(expired.body)["code"], "STREAM_EXPIRED");
  const HttpAnswer blocked = ask({{"kind", "blocked"}});
  EXPECT_EQ(blocked.status, 200);
  EXPECT_EQ(json::parse(blocked.body)["results"][0]["error"]["code"], "BLOCKED");
  EXPECT_EQ(ask({{"kind", "blocked"}, {"status", 403}}).status, 403);
  const HttpAnswer wrong = ask({{"kind", "sql_error"}, {"code", "SQLITE_TOOBIG"}});
  EXPECT_EQ(json::parse(wrong.body)["results"][0]["error"]["code"], "SQLITE_TOOBIG");
  const HttpAnswer moved = ask({{"kind", "redirect"}, {"location", "http://127.0.0.1:9/"}});
  EXPECT_EQ(moved.status, 302);
  EXPECT_NE(moved.head.find("Location: http://127.0.0.1:9/"), std::string::npos);
  const HttpAnswer html = ask({{"kind", "wrong_content_type"}});
  EXPECT_NE(html.head.find("text/html"), std::string::npos);
}

TEST_F(Faults, of_the_connection_end_or_stall_it) {
  EXPECT_EQ(ask({{"kind", "close_before"}}).status, 0);
  const HttpAnswer half = ask({{"kind", "close_mid_body"}});
  EXPECT_TRUE(half.status == 200 && !half.complete && !half.body.empty());
  const HttpAnswer cut = ask({{"kind", "truncated_chunked"}});
  EXPECT_NE(cut.head.find("chunked"), std::string::npos);
  EXPECT_EQ(cut.body.find("0\r\n\r\n"), std::string::npos);
  for (const std::string kind : {"hang", "hang_after_headers"}) {
    peer_.script({json{{"kind", kind}}});
    EXPECT_THROW(ask(milliseconds(100)), std::runtime_error) << kind;
    EXPECT_TRUE(peer_.wait_until([](const json& stats) { return stats["hanging"] == 0; }))
        << kind << " outlives its client";
  }
  const HttpAnswer slow = ask({{"kind", "drip"}, {"seconds", 0}});
  EXPECT_TRUE(good(slow));
}

TEST_F(Faults, of_the_content_are_no_good_replies) {
  EXPECT_FALSE(json::accept(ask({{"kind", "garbage"}}).body));
  EXPECT_FALSE(json::parse(ask({{"kind", "wrong_shape"}}).body)["results"].is_array());
  const json few = json::parse(ask({{"kind", "wrong_count"}}).body)["results"];
  EXPECT_EQ(few[0]["response"]["result"]["step_results"].size(), 1U);
  EXPECT_EQ(ask({{"kind", "huge_body"}, {"bytes", 3'000'000}}).body.size(), 3'000'000U);
  EXPECT_GT(ask({{"kind", "huge_header"}, {"bytes", 200'000}}).head.size(), 200'000U);
  EXPECT_TRUE(good(ask({{"kind", "duplicate"}})));  // cut to its length; the second follows it
  peer_.script({json{{"kind", "previous"}, {"at", 2}}});
  const std::string first = ask().body;
  EXPECT_EQ(ask().body, first);
}

// The exit status of `openssl s_client`: 0 only where it accepts the certificate.
int handshake(int port, const std::string& ca_file) {
  return ChildProcess({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port),
                       "-CAfile", ca_file, "-verify_ip", "127.0.0.1", "-verify_return_error"},
                      ChildProcess::Output::none)
      .wait();
}

TEST_F(Faults, of_certificates_are_seen_by_a_client_that_looks) {
  const TestCertificates certificates;
  const auto verdict = [&](const Certificate& certificate) {
    const HranaPeer peer(folder_.file("t.db"),
                         {{"cert", certificate.cert}, {"key", certificate.key}});
    EXPECT_EQ(peer.url().substr(0, 8), "https://");
    return handshake(peer.port(), certificates.ca_file());
  };
  EXPECT_EQ(verdict(certificates.good()), 0);
  EXPECT_NE(verdict(certificates.wrong_host()), 0);
  EXPECT_NE(verdict(certificates.expired()), 0);
  EXPECT_NE(verdict(certificates.untrusted()), 0);
}

TEST_F(Faults, of_gzip_and_base_url_come_by_option) {
  peer_.set({{"base_url", "http://elsewhere.test/"}});
  EXPECT_EQ(json::parse(ask().body)["base_url"], "http://elsewhere.test/");
  HttpCall request{.port = peer_.port(), .method = "POST", .path = "/v2/pipeline"};
  request.headers = "Accept-Encoding: gzip\r\n";
  const json step = {{"type", "execute"}, {"stmt", {{"sql", "SELECT hex(zeroblob(9000))"}}}};
  request.body = json{{"requests", std::vector<json>{step}}}.dump();
  const HttpAnswer packed = call(request);
  EXPECT_NE(packed.head.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_LT(packed.body.size(), 1000U);
  EXPECT_EQ(peer_.count("gzipped"), 1U);
}

}  // namespace
}  // namespace tidemark::support
