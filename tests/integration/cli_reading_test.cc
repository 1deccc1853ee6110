// The built program as a reader: what it prints of several tables, of old data, and of nonsense.
#include "cache/lock.h"
#include "cache/writer.h"
#include "tests/integration/cli.h"

namespace tidemark {
namespace {

using support::Cli;
using support::Json;
using support::Said;

struct CliReading : public Cli {
  std::vector<std::string> on(const std::string& command, std::vector<std::string> more) {
    more.insert(more.begin(), {command, "--cache", world.cache()});
    return more;
  }
  void per_dimension_tables() {
    for (const char* table : {"embeddings_384", "embeddings_1024"}) {
      world.source.run(std::string("CREATE TABLE ") + table +
                       "(id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT)");
      world.source.run(std::string("INSERT INTO ") + table + " VALUES('both','e3','episode')");
    }
    world.source.run("INSERT INTO embeddings_384 VALUES('small','e3','episode')");
  }
  // As a clock that went back leaves it, or an old pass.
  void set_checked_at(std::chrono::system_clock::time_point at) {
    const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
    auto writer = cache::Writer::open(world.cache(), {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    session->edit_meta().state.checked_at_us =
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
  }
};

// `get embeddings KEY` answered unknown where the source has a table for each dimension.
TEST_F(CliReading, get_embeddings_finds_a_key_in_every_table_and_names_it) {
  per_dimension_tables();
  ASSERT_EQ(run(sync()).exit, 0);
  Json result = envelope(on("get", {"embeddings", "small", "both"}), 0)["result"];
  ASSERT_EQ(result.size(), 3U);
  EXPECT_EQ(result[0]["collection"], "embeddings_384");
  EXPECT_EQ(result[1]["collection"], "embeddings_1024");
  EXPECT_EQ(result[2]["collection"], "embeddings_384");
  EXPECT_EQ(run(on("get", {"embeddings", "small"})).out,
            "{\"id\":\"small\",\"item_id\":\"e3\",\"item_type\":\"episode\"}\n");
  const Said both = run(on("get", {"embeddings", "both"}));
  EXPECT_EQ(both.exit, 0);
  EXPECT_NE(both.out.find("{\"collection\":\"embeddings_1024\",\"key\":\"both\",\"row\":"),
            std::string::npos);
  EXPECT_EQ(run(on("get", {"embeddings", "none"})).exit, 9);
}

// `list episodes --of x` printed nothing, with exit code 0.
TEST_F(CliReading, a_listing_that_could_choose_nothing_is_a_usage_error_with_a_hint) {
  ASSERT_EQ(run(sync()).exit, 0);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"episodes", "--of", "e1"},
                                             {"patterns", "--of", "p1"},
                                             {"heuristics", "--of", "1"},
                                             {"episodes", "--where", "start_time=1"},
                                             {"heuristics", "--where", "condition_text=x"},
                                             {"embeddings", "--where", "item_id=e1"}}) {
    const Json error = envelope(on("list", words), 2)["error"];
    EXPECT_EQ(error["code"], "invalid") << error;
    EXPECT_NE(std::string(error["hint"]).find("tidemark list"), std::string::npos) << error;
  }
}

// Stale rows never reach stdout where a bound was asked for; without one they are served, flagged.
TEST_F(CliReading, max_age_withholds_rows_and_without_it_stale_rows_come_with_a_warning) {
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(run(on("list", {"episodes", "--max-age", "1h"})).err, "");
  set_checked_at(std::chrono::system_clock::now() - std::chrono::hours(2));
  for (const auto& words : {on("get", {"episodes", "e1", "--max-age", "1h"}),
                            on("list", {"episodes", "--max-age", "1h"})}) {
    const Said said = run(words);
    EXPECT_EQ(said.exit, 6);
    EXPECT_EQ(said.out, "");
    EXPECT_NE(said.err.find("older than --max-age: checked 2 h ago"), std::string::npos)
        << said.err;
  }
  EXPECT_EQ(envelope(on("list", {"episodes", "--max-age", "1h"}), 6)["freshness"]["state"],
            "stale");
  for (const auto& words : {on("get", {"episodes", "e1"}), on("list", {"episodes"})}) {
    const Said said = run(words);
    EXPECT_EQ(said.exit, 0);
    EXPECT_NE(said.out, "");
    EXPECT_NE(said.err.find("warning: the cache is stale, checked 2 h ago"), std::string::npos)
        << said.err;
  }
  EXPECT_EQ(run(on("get", {"-q", "episodes", "e1"})).err, "");
}

TEST_F(CliReading, max_staleness_of_the_file_decides_what_is_stale) {
  ASSERT_EQ(run(sync()).exit, 0);
  set_checked_at(std::chrono::system_clock::now() - std::chrono::minutes(10));
  EXPECT_EQ(envelope(on("status", {}), 0)["freshness"]["state"], "stale");
  write("tidemark.toml", "[sync]\nmax_staleness = \"1h\"\n");
  EXPECT_EQ(envelope(on("status", {}), 0)["freshness"]["state"], "fresh");
  write("tidemark.toml",
        "[sync]\ninterval = \"1m\"\nheartbeat = \"30s\"\nmax_staleness = \"89s\"\n");
  const Json error = envelope({"config", "check"}, 2)["error"];
  EXPECT_NE(std::string(error["message"]).find("max_staleness (89000 ms) is below"),
            std::string::npos)
      << error;
  write("tidemark.toml",
        "[sync]\ninterval = \"1m\"\nheartbeat = \"30s\"\nmax_staleness = \"90s\"\n");
  EXPECT_EQ(run({"config", "check"}).exit, 0);
}

TEST_F(CliReading, a_clock_that_went_back_is_stale_and_older_than_any_max_age) {
  ASSERT_EQ(run(sync()).exit, 0);
  set_checked_at(std::chrono::system_clock::now() + std::chrono::hours(1));
  const Json json = envelope(on("status", {"--max-age", "9999d"}), 6);
  EXPECT_EQ(json["freshness"]["state"], "stale");
  EXPECT_TRUE(json["freshness"]["age_ms"].is_null());
  EXPECT_FALSE(json["freshness"]["checked_at_ms"].is_null());
  const Said said = run(on("status", {}));
  EXPECT_EQ(said.exit, 0);
  EXPECT_NE(said.out.find("stale (the clock went back)"), std::string::npos) << said.out;
}

TEST_F(CliReading, status_says_every_flag_and_exits_4_for_a_cache_that_needs_repair) {
  ASSERT_EQ(run(sync()).exit, 0);
  {
    const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
    auto writer = cache::Writer::open(world.cache(), {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    cache::Meta& meta = session->edit_meta();
    meta.state.in_doubt = true;
    meta.doubt = "the anchor is missing";
    meta.state.catching_up = true;
    ASSERT_TRUE(std::move(*session).commit());
    auto second = writer->begin();
    second->edit_meta().state.needs_repair = true;
    EXPECT_EQ(envelope(on("status", {}), 0)["freshness"]["state"], "stale");
    EXPECT_EQ(run(on("get", {"patterns", "none"})).exit, 9);  // in doubt nothing is proven absent
    const Said said = run(on("status", {}));
    EXPECT_NE(said.out.find("in doubt: the anchor is missing; catching up"), std::string::npos)
        << said.out;
    ASSERT_TRUE(std::move(*second).commit());
    ASSERT_TRUE(std::move(*writer).close());
  }
  const Json json = envelope(on("status", {}), 4);
  EXPECT_EQ(json["freshness"]["state"], "needs_repair");
  EXPECT_EQ(json["freshness"]["doubt"], "the anchor is missing");
  EXPECT_EQ(json["freshness"]["catching_up"], true);
}

// redb's "magic number mismatch" came through.
TEST_F(CliReading, another_programs_file_is_no_tidemark_cache) {
  write("notes.txt", std::string(5'000, 'n'));
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"get", "episodes", "e1"}, {"list", "episodes"}, {"status"}, {"validate"}}) {
    std::vector<std::string> with = words;
    with.insert(with.begin() + 1, {"--cache", world.folder.file("notes.txt")});
    const Json error = envelope(with, 2)["error"];
    EXPECT_NE(std::string(error["message"]).find("notes.txt is not a tidemark cache"),
              std::string::npos)
        << error;
    EXPECT_NE(std::string(error["hint"]), "") << error;
  }
}

TEST_F(CliReading, no_pass_deadline_can_be_said_in_words_and_in_numbers) {
  for (const char* none : {"\"none\"", "0", "\"0\""}) {
    write("tidemark.toml", std::string("[sync]\npass_deadline = ") + none + "\n");
    EXPECT_EQ(run({"config", "check"}).exit, 0) << none;
  }
  write("tidemark.toml", "[sync]\nrequest_deadline = \"none\"\n");
  EXPECT_EQ(run({"config", "check"}).exit, 2);
  write("tidemark.toml", "[sync]\npass_deadline = 5\n");
  EXPECT_EQ(run({"config", "check"}).exit, 2);
  write("tidemark.toml", "");
  EXPECT_EQ(run(sync({"--deadline", "none"})).exit, 0);
  EXPECT_NE(run({"config", "print"}).out.find("pass_deadline = \"none\""), std::string::npos);
}

TEST_F(CliReading, times_that_cannot_be_meant_are_refused_by_line) {
  write("tidemark.toml",
        "[sync]\ninterval = \"0\"\nheartbeat = \"2h\"\naudit_interval = \"1s\"\n"
        "max_staleness = \"9999d\"\n");
  const std::string message = envelope({"config", "check"}, 2)["error"]["message"];
  for (const char* part : {"toml:2: interval = 0 ms", "toml:3: heartbeat = 7200000 ms",
                           "toml:4: audit_interval = 1000 ms", "toml:5: max_staleness = "}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
  }
}

TEST_F(CliReading, help_lists_what_the_environment_can_say) {
  const std::string help = run({"--help"}).out;
  for (const char* name :
       {"TURSO_DATABASE_URL", "TURSO_AUTH_TOKEN", "TIDEMARK_CACHE", "XDG_CACHE_HOME",
        "CURL_CA_BUNDLE", "SSL_CERT_FILE", "https_proxy", "no_proxy"}) {
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
}

// The user had typed https://, and the message was of libsql://.
TEST_F(CliReading, a_message_names_the_source_with_the_scheme_that_was_typed) {
  const std::string host = "127.0.0.1:1";
  for (const char* scheme : {"https://", "libsql://", "http://"}) {
    const Json error =
        envelope({"sync", "--source", scheme + host, "--cache", world.cache()}, 3)["error"];
    EXPECT_NE(std::string(error["message"]).find(scheme + host), std::string::npos) << error;
  }
}

// `sync` said 1.2 s and `status` 0.9 s of the same pass.
TEST_F(CliReading, status_says_what_the_duration_of_the_last_pass_ends_with) {
  ASSERT_EQ(run(sync()).exit, 0);
  const std::string out = run(on("status", {})).out;
  EXPECT_NE(out.find("fill, committed after "), std::string::npos) << out;
}

// Each pass read the whole table of embeddings, and nothing said why.
TEST_F(CliReading, sync_and_status_name_the_index_that_a_parent_lacks) {
  const Said synced = run(sync({"-v"}));
  const std::string help = "CREATE INDEX \"embeddings_by_item_id\" ON \"embeddings\"(\"item_id\")";
  EXPECT_NE(synced.err.find(help), std::string::npos) << synced.err;
  EXPECT_NE(run(on("status", {})).out.find(help), std::string::npos);
  world.source.run(help);
  EXPECT_EQ(run(sync({"-v"})).err.find("CREATE INDEX"), std::string::npos);
}

// Three tries of 5 s each.
TEST_F(CliReading, a_source_that_stays_locked_is_waited_for_once) {
  ASSERT_EQ(run(sync()).exit, 0);
  world.source.run("BEGIN EXCLUSIVE");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run(sync()).exit, 3);
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GT(took, std::chrono::seconds(4));
  EXPECT_LT(took, std::chrono::seconds(10));
  world.source.run("COMMIT");
  EXPECT_EQ(run(sync()).exit, 0);
}

}  // namespace
}  // namespace tidemark
