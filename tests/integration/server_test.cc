// Whole passes over the network: the same cache as from the file, and what each failure becomes.
#include <functional>
#include <thread>

#include "tests/integration/serving.h"
#include "tests/support/http_call.h"
#include "tests/support/test_certificates.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::HranaPeer;
using support::Serving;
using Clock = std::chrono::steady_clock;

constexpr const char* kToken = "token-that-nobody-may-see";

SyncerOptions with_token(const std::string& token, const std::string& ca_file = {}) {
  SyncerOptions options;
  options.token = [token]() -> Result<std::string> { return token; };
  options.ca_file = ca_file;
  return options;
}

std::string all_text(const Error& error) {
  return error.message + "\n" + error.hint + "\n" + error.source_text;
}

void expect_same_as_file(Serving& world, const std::string& url,
                         const SyncerOptions& options = {}) {
  const std::string by_file = world.folder.file("by-file.redb");
  const auto expected = world.sync_into(by_file, "file:" + world.database());
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_EQ(expected->episodes_synced, 600U);
  const auto report = world.sync(url, options);
  ASSERT_TRUE(report) << all_text(report.error());
  EXPECT_EQ(report->episodes_synced, expected->episodes_synced);
  EXPECT_EQ(report->patterns_synced, 120U);
  EXPECT_EQ(report->heuristics_synced, 50U);
  EXPECT_EQ(report->embeddings_synced, expected->embeddings_synced);
  EXPECT_FALSE(report->validation.failed());
  EXPECT_GT(report->requests, 0U);
  EXPECT_GT(report->bytes_received, 0U);
  EXPECT_EQ(support::contents(world.cache()), support::contents(by_file));
}

TEST(ServerPass, over_the_real_server_equals_the_pass_over_its_file) {
  Serving world;
  const std::string copy = world.folder.file("served.db");
  world.source.run("VACUUM INTO '" + copy + "'");
  support::TursoServer server(copy);
  expect_same_as_file(world, server.url());
  server.execute("UPDATE patterns SET pattern_data = 'changed' WHERE pattern_id = 'pa-007'");
  server.execute("DELETE FROM episodes WHERE episode_id = 'ep-0998'");
  const auto again = world.sync(server.url());
  ASSERT_TRUE(again) << all_text(again.error());
  EXPECT_EQ(again->mode, "scan");
  EXPECT_EQ(again->collections.at("patterns").upserted, 1U);
  EXPECT_EQ(again->collections.at("patterns").unchanged, 119U);
  EXPECT_EQ(again->collections.at("episodes").deleted, 1U);
  EXPECT_EQ(again->collections.at("episodes").upserted, 1U);  // the next older one comes in
}

TEST(ServerPass, over_the_peer_equals_the_pass_over_its_file) {
  Serving world;
  const HranaPeer peer(world.database());
  expect_same_as_file(world, peer.url());
  EXPECT_EQ(peer.count("open_streams"), 0U);  // each request closes its stream
}

TEST(ServerPass, over_tls_with_a_token_equals_the_pass_over_its_file) {
  Serving world;
  const support::TestCertificates certificates;
  const HranaPeer peer(
      world.database(),
      {{"cert", certificates.good().cert}, {"key", certificates.good().key}, {"tokens", {kToken}}});
  expect_same_as_file(world, peer.url(), with_token(kToken, certificates.ca_file()));
}

TEST(ServerPass, a_simple_episodes_table_works_over_the_real_server) {
  const support::TempFolder folder;
  support::SqliteSource(folder.file("s.db"))
      .run(
          "CREATE TABLE episodes(id INTEGER PRIMARY KEY, timestamp INTEGER, note TEXT);"
          "INSERT INTO episodes VALUES(1, 10, 'one'), (2, 20, 'two')");
  support::TursoServer server(folder.file("s.db"));
  auto syncer = Syncer::open(server.url(), folder.file("c.redb"), {});
  ASSERT_TRUE(syncer);
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << all_text(report.error());
  const auto reader = Reader::open(folder.file("c.redb"));
  EXPECT_EQ(reader->get("episodes", "2")->row().at("note")->bytes(), "two");
}

TEST(ServerPass, fetches_in_parallel_within_its_bound) {
  Serving world;
  world.config.batch_size = 5;
  HranaPeer peer(world.database(), {{"latency_ms", 20}});
  const auto report = world.sync(peer.url());
  ASSERT_TRUE(report) << all_text(report.error());
  EXPECT_GT(peer.count("max_in_flight"), 1U);
  EXPECT_LE(peer.count("max_in_flight"), 10U);
}

TEST(ServerPass, halves_its_pages_until_replies_fit) {
  Serving world;
  world.config.batch_size = 500;
  HranaPeer peer(world.database(), {{"reply_bytes_max", 150'000}});
  expect_same_as_file(world, peer.url());
  EXPECT_GT(peer.count("too_large"), 0U);
}

TEST(ServerPass, a_row_too_large_even_alone_is_skipped_and_the_rest_arrives) {
  Serving world;
  world.source.run("UPDATE patterns SET pattern_data = zeroblob(100000) WHERE pattern_id='pa-003'");
  HranaPeer peer(world.database(), {{"reply_bytes_max", 120'000}});
  const auto report = world.sync(peer.url());
  ASSERT_TRUE(report) << all_text(report.error());
  EXPECT_EQ(report->patterns_synced, 119U);
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].key, "pa-003");
}

TEST(ServerAuth, a_refused_token_is_rejected_once_and_never_shown) {
  Serving world;
  HranaPeer peer(world.database(), {{"tokens", {"another"}}});
  const auto wrong = world.sync(peer.url(), with_token(kToken));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::rejected) << all_text(wrong.error());
  EXPECT_EQ(all_text(wrong.error()).find(kToken), std::string::npos);
  EXPECT_FALSE(wrong.error().hint.empty());
  EXPECT_LE(peer.count("unauthorized"), 3U);  // no storm
  peer.set({{"forbidden_tokens", {kToken}}});
  const auto forbidden = world.sync(peer.url(), with_token(kToken));
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(forbidden.error().code, ErrorCode::rejected);
  EXPECT_EQ(all_text(forbidden.error()).find(kToken), std::string::npos);
  const auto none = world.sync(peer.url());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::rejected);
}

TEST(ServerAuth, a_rotated_token_is_read_again_once) {
  Serving world;
  HranaPeer peer(world.database(), {{"tokens", {"new"}}});
  int asked = 0;
  SyncerOptions options;
  options.token = [&asked]() -> Result<std::string> { return ++asked == 1 ? "old" : "new"; };
  const auto report = world.sync(peer.url(), options);
  ASSERT_TRUE(report) << all_text(report.error());
  EXPECT_EQ(asked, 2);
}

TEST(ServerAuth, certificates_that_cannot_be_trusted_are_rejected_before_the_token_is_sent) {
  Serving world;
  const support::TestCertificates certificates;
  for (const auto& certificate :
       {certificates.wrong_host(), certificates.expired(), certificates.untrusted()}) {
    const HranaPeer peer(world.database(), {{"cert", certificate.cert}, {"key", certificate.key}});
    const auto refused = world.sync(peer.url(), with_token(kToken, certificates.ca_file()));
    ASSERT_FALSE(refused) << certificate.cert;
    EXPECT_EQ(refused.error().code, ErrorCode::rejected) << all_text(refused.error());
    EXPECT_EQ(all_text(refused.error()).find(kToken), std::string::npos);
    EXPECT_EQ(peer.count("requests") + peer.count("probes"), 0U);
  }
}

TEST(ServerAddress, unreachable_is_unavailable_and_quick) {
  Serving world;
  const auto before = Clock::now();
  const auto gone = world.sync("http://127.0.0.1:" + std::to_string(support::free_port()));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::unavailable) << all_text(gone.error());
  EXPECT_FALSE(gone.error().hint.empty());
  EXPECT_LT(Clock::now() - before, seconds(10));
}

TEST(ServerAddress, a_wrong_scheme_is_invalid_with_the_schemes_in_the_hint) {
  Serving world;
  const auto wrong = world.sync("ftp://127.0.0.1:1");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid);
  EXPECT_NE(wrong.error().hint.find("libsql://"), std::string::npos);
}

TEST(ServerAddress, plain_http_met_with_tls_is_an_error_and_not_a_wait) {
  Serving world;
  const HranaPeer peer(world.database());
  const auto wrong = world.sync("https" + peer.url().substr(4));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::rejected) << all_text(wrong.error());
}

}  // namespace
}  // namespace tidemark
