// The built program: its configuration, its usage errors and its completion.
#include "cache/meta.h"
#include "tests/integration/cli.h"

namespace tidemark {
namespace {

using support::Cli;
using support::Json;
using support::Said;

TEST_F(Cli, a_bad_configuration_is_named_whole_with_lines_and_suggestions) {
  write("tidemark.toml",
        "[sync]\nbatch_size = 0\nmax_episodes_cash = 5\nsync_patterns = \"yes\"\n"
        "max_staleness = \"5s\"\n[sauce]\n");
  const Json json = envelope({"config", "check"}, 2);
  const std::string message = json["error"]["message"];
  for (const char* part :
       {"tidemark.toml:2: batch_size = 0", "tidemark.toml:3: unknown key max_episodes_cash",
        "did you mean max_episodes_cache?", "tidemark.toml:4: sync_patterns wants",
        "tidemark.toml:5: max_staleness", "unknown section sauce (did you mean source?)"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
  }
  EXPECT_EQ(json["command"], "config check");
  EXPECT_EQ(run({"sync", "--source", world.url()}).exit, 2);
  for (const char* harmless : {"--help", "--version"}) EXPECT_EQ(run({harmless}).exit, 0);
  EXPECT_EQ(run({"completion", "bash"}).exit, 0);
}

TEST_F(Cli, a_bad_file_that_nobody_named_does_not_stop_a_reader_that_knows_its_cache) {
  ASSERT_EQ(run(sync()).exit, 0);
  write("tidemark.toml", "nonsense\n");
  const Said said = run({"get", "--cache", world.cache(), "episodes", "e1"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_NE(said.err.find("warning"), std::string::npos);
  EXPECT_EQ(run({"--config", world.folder.file("tidemark.toml"), "get", "--cache", world.cache(),
                 "episodes", "e1"})
                .exit,
            2);
  EXPECT_EQ(run({"get", "episodes", "e1"}).exit, 2);
}

TEST_F(Cli, config_print_says_where_each_value_came_from) {
  write("tidemark.toml", "[sync]\nbatch_size = 7\n[cache]\npath = \"x.redb\"\n");
  environment["TURSO_DATABASE_URL"] = world.url();
  environment["TURSO_AUTH_TOKEN"] = "hunter2";
  const Json json = envelope({"config", "print", "--cache", "f.redb"}, 0)["result"];
  EXPECT_EQ(json["sync"]["batch_size"]["value"], 7);
  EXPECT_EQ(json["sync"]["batch_size"]["from"], "tidemark.toml:2");
  EXPECT_EQ(json["source"]["url"]["from"], "environment TURSO_DATABASE_URL");
  EXPECT_EQ(json["cache"]["path"]["from"], "flag --cache");
  EXPECT_EQ(json["sync"]["interval"]["from"], "default");
  const Said said = run({"config", "print"});
  EXPECT_NE(said.out.find("# tidemark.toml:2"), std::string::npos) << said.out;
  EXPECT_EQ((said.out + said.err + json.dump()).find("hunter2"), std::string::npos);
}

TEST_F(Cli, init_writes_a_file_that_works_and_nothing_when_the_source_fails) {
  EXPECT_NE(run({"init", "--source", "file:none.db"}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(world.folder.file("tidemark.toml")));
  const Said said = run({"init", "--source", world.url(), "--cache", "memories.redb"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_NE(said.out.find("next: tidemark sync"), std::string::npos) << said.out;
  EXPECT_EQ(run({"init", "--source", world.url()}).exit, 2);  // exists
  EXPECT_EQ(run({"config", "check"}).exit, 0);
  EXPECT_EQ(run({"sync"}).exit, 0);
  EXPECT_EQ(run({"get", "patterns", "p1"}).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(world.folder.file("memories.redb")));
}

TEST_F(Cli, init_and_a_dry_run_price_a_pass_in_the_same_words) {
  const Json init = envelope({"init", "--source", world.url(), "--cache", "m.redb"}, 0)["result"];
  const Json dry = envelope({"sync", "--dry-run"}, 0)["result"];
  for (const char* name : {"episodes", "patterns", "heuristics", "embeddings", "rows_read"}) {
    ASSERT_TRUE(dry.contains(name)) << dry;
    EXPECT_EQ(init.value(name, -1), dry[name]) << name;
  }
  EXPECT_EQ(init["patterns"], 2);
}

TEST_F(Cli, usage_errors_suggest_and_speak_json) {
  Json json = envelope({"sync", "--max-episode-cache", "3"}, 2);
  EXPECT_NE(std::string(json["error"]["hint"]).find("did you mean --max-episodes-cache?"),
            std::string::npos)
      << json;
  EXPECT_EQ(json["command"], "sync");
  json = envelope({"stauts"}, 2);
  EXPECT_NE(std::string(json["error"]["hint"]).find("did you mean status?"), std::string::npos);
  EXPECT_EQ(run({}).exit, 2);
  EXPECT_EQ(run({"list", "episodes", "--latest", "0"}).exit, 2);
  EXPECT_EQ(run({"list", "embeddings", "--of", "e1", "--where", "a=b"}).exit, 2);
  EXPECT_EQ(run({"-q", "-v", "status"}).exit, 2);
}

TEST_F(Cli, version_names_program_commit_redb_cache_format_and_protocol_in_text_and_json) {
  const std::string format = std::to_string(cache::kFormatVersion);
  const Json is = envelope({"--version"}, 0);
  EXPECT_EQ(is["command"], "version");
  const Json& result = is["result"];
  EXPECT_EQ(std::string(result["redb"]).substr(0, 4), "4.6.");
  EXPECT_EQ(result["cache_format"].dump(), format);
  EXPECT_EQ(result["hrana"].dump(), "[3,2]");
  EXPECT_EQ(run({"--version"}).out, "tidemark " + std::string(result["version"]) + " (commit " +
                                        std::string(result["commit"]) + ", redb " +
                                        std::string(result["redb"]) + ", cache format " + format +
                                        ", Hrana 3 and 2)\n");
}

TEST_F(Cli, completion_answers_from_the_commands_and_the_cache) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto completed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    return run(words).out;
  };
  EXPECT_EQ(completed({"st"}), "status\n");
  EXPECT_EQ(completed({"config", ""}), "check\nprint\n");
  EXPECT_EQ(completed({"sync", "--set"}), "--set-scope\n");
  EXPECT_EQ(completed({"--cache", world.cache(), "list", "p"}), "patterns\n");
  EXPECT_EQ(completed({"get", "--cache", ""}), ":files\n");
  EXPECT_EQ(completed({"completion", "z"}), "zsh\n");
}

}  // namespace
}  // namespace tidemark
