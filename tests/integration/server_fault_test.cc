// Each scripted fault of a server becomes its documented code, and the cache stays as it was.
#include <functional>
#include <thread>

#include "tests/integration/serving.h"
#include "turso/connection.h"

namespace tidemark {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::HranaPeer;
using support::Serving;
using Clock = std::chrono::steady_clock;

// A proxy or a portal may answer instead of the server, for a while.
constexpr ErrorCode kNotHrana = ErrorCode::unavailable;

struct Fault {
  std::string name;
  json script;
  ErrorCode code;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class ServerFault : public ::testing::TestWithParam<Fault> {
 protected:
  ServerFault() {
    world.config.request_deadline = milliseconds(500);
    const auto first = world.sync(peer.url());
    EXPECT_TRUE(first) << first.error().message;
    before = support::contents(world.cache());
    world.source.run("UPDATE patterns SET pattern_data = 'new'; DELETE FROM heuristics");
  }

  Serving world;
  HranaPeer peer{world.database()};
  std::map<std::string, std::vector<std::string>> before;
};

TEST_P(ServerFault, that_stays_ends_the_pass_with_its_code_and_an_unchanged_cache) {
  peer.script({GetParam().script});
  const auto report = world.sync(peer.url());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, GetParam().code) << report.error().message << "\n"
                                                  << report.error().source_text;
  EXPECT_EQ(support::contents(world.cache()), before);
  peer.script({});
  const auto after = world.sync(peer.url());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->collections.at("patterns").upserted, 120U);
  EXPECT_EQ(after->collections.at("heuristics").deleted, 50U);
}

// The same in the middle of a pass, when pages are on their way.
TEST_P(ServerFault, in_the_middle_of_a_pass_leaves_the_cache_unchanged) {
  json script = GetParam().script;
  script["contains"] = "pattern_data";
  peer.script({script});
  const auto report = world.sync(peer.url());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, GetParam().code) << report.error().message;
  EXPECT_EQ(support::contents(world.cache()), before);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ServerFault,
    ::testing::Values(
        Fault{"internal_error", {{"kind", "status"}, {"status", 500}}, ErrorCode::unavailable},
        Fault{"bad_gateway", {{"kind", "bad_gateway"}}, ErrorCode::unavailable},
        Fault{"too_many_requests", {{"kind", "too_many"}}, ErrorCode::unavailable},
        Fault{"stream_expired", {{"kind", "stream_expired"}}, ErrorCode::unavailable},
        Fault{"quota", {{"kind", "blocked"}}, ErrorCode::unavailable},
        Fault{"closed_before_the_reply", {{"kind", "close_before"}}, ErrorCode::unavailable},
        Fault{"closed_in_the_body", {{"kind", "close_mid_body"}}, ErrorCode::unavailable},
        Fault{"closed_in_a_chunk", {{"kind", "truncated_chunked"}}, ErrorCode::unavailable},
        Fault{"silence", {{"kind", "hang"}}, ErrorCode::unavailable},
        Fault{"silence_after_the_head", {{"kind", "hang_after_headers"}}, ErrorCode::unavailable},
        Fault{"a_slow_drip", {{"kind", "drip"}}, ErrorCode::unavailable},
        Fault{"garbage", {{"kind", "garbage"}}, kNotHrana},
        Fault{"another_shape", {{"kind", "wrong_shape"}}, kNotHrana},
        Fault{"too_few_results", {{"kind", "wrong_count"}, {"drop", 1}}, kNotHrana},
        Fault{"html_with_status_200",
              {{"kind", "wrong_content_type"}, {"body", "<html>Log in to the hotel</html>"}},
              kNotHrana},
        Fault{"an_sql_error",
              {{"kind", "sql_error"}, {"message", "SQLite error: datatype mismatch"}},
              ErrorCode::invalid},
        Fault{"a_forbidden_quota", {{"kind", "blocked"}, {"status", 403}}, ErrorCode::unavailable}),
    [](const auto& info) { return info.param.name; });

TEST(ServerRetry, one_lost_reply_is_asked_for_again_and_counted) {
  Serving world;
  for (const char* const kind : {"close_mid_body", "bad_gateway", "too_many"}) {
    HranaPeer peer(world.database());
    peer.script({json{{"kind", kind}, {"contains", "pattern_data"}, {"times", 1}}});
    const std::string cache = world.folder.file(std::string(kind) + ".redb");
    const auto report = world.sync_into(cache, peer.url());
    ASSERT_TRUE(report) << kind << ": " << report.error().message;
    EXPECT_EQ(report->retries, 1U) << kind;
    EXPECT_EQ(report->patterns_synced, 120U) << kind;
    EXPECT_EQ(report->requests, peer.count("requests") + peer.count("probes")) << kind;
  }
}

// On a connection that was used before, libcurl itself sends the request again.
TEST(ServerRetry, a_connection_closed_without_a_word_is_opened_again) {
  Serving world;
  HranaPeer peer(world.database());
  peer.script({json{{"kind", "close_before"}, {"contains", "pattern_data"}, {"times", 1}}});
  const auto report = world.sync(peer.url());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->patterns_synced, 120U);
  EXPECT_LE(report->retries, 1U);
}

// HTTP/1.1 has no name for a reply: a second one may be taken for the answer to the next request.
// That may fail a pass; it must not change what is cached.
TEST(ServerRetry, a_repeated_reply_never_reaches_the_cache_as_another) {
  Serving world;
  const std::string by_file = world.folder.file("by-file.redb");
  ASSERT_TRUE(world.sync_into(by_file, "file:" + world.database()));
  const auto truth = support::contents(by_file);
  HranaPeer peer(world.database());
  ASSERT_TRUE(world.sync(peer.url()));
  for (int every = 2; every < 6; ++every) {
    peer.script({json{{"kind", "duplicate"}, {"every", every}}});
    const auto report = world.sync(peer.url());
    if (!report) {
      EXPECT_EQ(report.error().code, ErrorCode::unavailable) << report.error().message;
    }
    EXPECT_EQ(support::contents(world.cache()), truth) << "every " << every;
  }
  peer.script({});
  ASSERT_TRUE(world.sync(peer.url()));
  EXPECT_EQ(support::contents(world.cache()), truth);
}

TEST(ServerSafety, a_redirect_is_not_followed_with_the_token) {
  Serving world;
  HranaPeer other(world.database());
  HranaPeer peer(world.database());
  peer.script({json{{"kind", "redirect"}, {"location", other.url() + "/v3/pipeline"}}});
  SyncerOptions options;
  options.token = []() -> Result<std::string> { return "secret"; };
  EXPECT_FALSE(world.sync(peer.url(), options));
  EXPECT_EQ(other.count("requests") + other.count("probes"), 0U);
}

TEST(ServerSafety, a_body_or_header_beyond_every_bound_does_not_fill_memory) {
  Serving world;
  HranaPeer peer(world.database());
  peer.script({json{{"kind", "huge_body"}, {"bytes", 200'000'000}}});
  EXPECT_FALSE(world.sync(peer.url()));
  EXPECT_LT(peer.count("bytes_out"), 150'000'000U);  // the client hung up
  peer.script({json{{"kind", "huge_header"}, {"bytes", 2'000'000}}});
  EXPECT_FALSE(world.sync(peer.url()));
}

// Caller and transport keep the same time; whichever notices first, a person reads the same.
TEST(ServerSafety, a_caller_that_notices_the_time_first_says_what_the_transport_says) {
  Serving world;
  HranaPeer peer(world.database());
  const auto url = turso::parse_source_url(peer.url());
  ASSERT_TRUE(url);
  const auto asked = [&](milliseconds of_transport, milliseconds of_caller) {
    peer.script({json{{"kind", "hang"}}});
    turso::ConnectOptions options;
    options.request_timeout = of_transport;
    auto connection = turso::connect(*url, options);
    EXPECT_TRUE(connection);
    return turso::run(**connection, {{{"SELECT 1", {}}}}, Clock::now() + of_caller);
  };
  for (const auto& reply :
       {asked(milliseconds(100), seconds(20)), asked(seconds(20), milliseconds(100))}) {
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(turso::is_timeout(reply.error())) << reply.error().message;
    EXPECT_NE(reply.error().message.find("timed out"), std::string::npos) << reply.error().message;
    EXPECT_NE(reply.error().hint.find("--request-deadline"), std::string::npos);
  }
}

TEST(ServerStop, a_pass_that_waits_for_a_silent_server_stops_within_a_second) {
  Serving world;
  HranaPeer peer(world.database());
  peer.script({json{{"kind", "hang"}, {"contains", "pattern_data"}}});
  std::stop_source stop;
  Clock::time_point asked;
  Result<SyncReport> report;
  {
    const std::jthread stopper([&] {
      EXPECT_TRUE(peer.wait_until([](const json& stats) { return stats["hanging"] > 0; }));
      asked = Clock::now();
      stop.request_stop();
    });
    report = world.sync(peer.url(), {}, stop.get_token());
  }
  const auto took = Clock::now() - asked;
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::cancelled);
  EXPECT_LT(took, seconds(1));
}

}  // namespace
}  // namespace tidemark
