// The built program against the scripted server: what a person is told when the source has trouble.
#include "cache/lock.h"
#include "tests/integration/cli.h"
#include "tests/support/hrana_peer.h"
#include "tests/support/test_certificates.h"

namespace tidemark {
namespace {

using support::Cli;
using support::HranaPeer;
using support::Json;
using support::Said;

struct CliServer : public Cli {
  std::vector<std::string> sync_from(const std::string& url, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"sync", "--source", url, "--cache", world.folder.file("h.redb")});
    return more;
  }
  static std::size_t times(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  HranaPeer peer{world.folder.file("source.db")};
};

// A page for browsers filled the screen, without a hint.
TEST_F(CliServer, a_web_page_is_not_printed_and_the_hint_doubts_the_url) {
  peer.script({{{"kind", "bad_gateway"}}});
  const Json error = envelope(sync_from(peer.url()), 3)["error"];
  EXPECT_EQ(error.dump().find('<'), std::string::npos) << error;
  EXPECT_NE(error.dump().find("HTTP 502"), std::string::npos) << error;
  EXPECT_NE(std::string(error["hint"]).find("check that the URL"), std::string::npos) << error;
}

TEST_F(CliServer, a_server_in_trouble_or_too_busy_has_a_hint) {
  for (const char* kind : {"too_many", "status"}) {
    peer.script({{{"kind", kind}, {"status", 500}}});
    const Json error = envelope(sync_from(peer.url()), 3)["error"];
    EXPECT_FALSE(std::string(error["hint"]).empty()) << error;
  }
}

TEST_F(CliServer, a_reason_is_told_once_and_a_time_out_is_not_the_sources_word) {
  ASSERT_EQ(run(sync_from(peer.url())).exit, 0);
  peer.script({{{"kind", "hang"}}});
  const Said said = run(sync_from(peer.url(), {"--request-deadline", "100ms"}));
  EXPECT_EQ(said.exit, 3);
  EXPECT_EQ(times(said.err, "timed out"), 1U) << said.err;
  EXPECT_NE(said.err.find("the cache can be used"), std::string::npos) << said.err;
  EXPECT_EQ(said.err.find("the source said"), std::string::npos) << said.err;
}

// "a token may have expired", where none had been given.
TEST_F(CliServer, a_missing_token_is_told_from_a_wrong_one) {
  peer.set({{"tokens", {"right"}}});
  Json error = envelope(sync_from(peer.url()), 1)["error"];
  EXPECT_NE(std::string(error["message"]).find("none is given"), std::string::npos) << error;
  environment["TURSO_AUTH_TOKEN"] = "wrong";
  error = envelope(sync_from(peer.url()), 1)["error"];
  EXPECT_NE(std::string(error["message"]).find("does not accept"), std::string::npos) << error;
  EXPECT_EQ(error.dump().find("wrong"), std::string::npos) << error;
}

// CURL_CA_BUNDLE beat the variable that the hint named, and nothing said so.
TEST_F(CliServer, a_tls_failure_names_the_file_of_authorities_that_was_read) {
  const support::TestCertificates certificates;
  const auto good = certificates.good();
  const HranaPeer tls(world.folder.file("source.db"), {{"cert", good.cert}, {"key", good.key}});
  environment["SSL_CERT_FILE"] = certificates.ca_file();
  EXPECT_EQ(run(sync_from(tls.url())).exit, 0);
  environment["CURL_CA_BUNDLE"] = certificates.untrusted().cert;
  const Json error = envelope(sync_from(tls.url()), 1)["error"];
  const std::string hint = error["hint"];
  EXPECT_NE(hint.find(certificates.untrusted().cert), std::string::npos) << hint;
  EXPECT_NE(hint.find("CURL_CA_BUNDLE"), std::string::npos) << hint;
}

TEST_F(CliServer, https_to_a_server_without_tls_is_hinted) {
  const std::string url = "https://127.0.0.1:" + std::to_string(peer.port());
  const Json error = envelope(sync_from(url), 1)["error"];
  EXPECT_NE(std::string(error["hint"]).find("http://"), std::string::npos) << error;
}

// "run `tidemark sync`" while one ran.
TEST_F(CliServer, status_says_that_a_first_fill_runs) {
  const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
  ASSERT_TRUE(lock);
  const Json error = envelope({"status", "--cache", world.cache()}, 2)["error"];
  EXPECT_NE(std::string(error["hint"]).find("is filling it now"), std::string::npos) << error;
}

TEST_F(CliServer, an_old_cache_and_one_skipped_row_are_told_well) {
  world.source.run("INSERT INTO episodes VALUES(NULL,'x',9,1,x'')");
  ASSERT_EQ(run(sync()).exit, 7);
  const Said said = run({"status", "--cache", world.cache(), "--max-age", "0"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_NE(said.err.find("hint: run `tidemark sync`"), std::string::npos) << said.err;
  EXPECT_NE(said.out.find("1 row skipped"), std::string::npos) << said.out;
}

TEST_F(CliServer, a_number_below_zero_is_refused_as_it_was_given) {
  for (const char* flag : {"--max-episodes-cache", "--batch-size", "--max-concurrent-fetches"}) {
    const Json error = envelope(sync({flag, "-5"}), 2)["error"];
    EXPECT_NE(std::string(error["message"]).find("-5"), std::string::npos) << error;
    EXPECT_NE(std::string(error["message"]).find(flag), std::string::npos) << error;
  }
}

TEST_F(CliServer, help_shows_no_marks_of_the_parser) {
  const Said said = run({"sync", "--help"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_NE(said.out.find("--no-sync-patterns"), std::string::npos) << said.out;
  EXPECT_EQ(said.out.find("{false}"), std::string::npos) << said.out;
}

}  // namespace
}  // namespace tidemark
