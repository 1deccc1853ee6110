// The built program, as a person or an agent runs it: exit codes, envelopes, stdout and stderr.
#include "tests/integration/cli.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "cache/lock.h"
#include "cache/meta_store.h"

namespace tidemark {
namespace {

using support::Cli;
using support::Json;
using support::Said;

TEST_F(Cli, sync_get_list_and_status_speak_json) {
  Json json = envelope(sync({"--max-episodes-cache", "2"}), 0);
  EXPECT_EQ(json["result"]["mode"], "fill");
  EXPECT_EQ(json["result"]["episodes_synced"], 2);
  EXPECT_EQ(json["freshness"]["state"], "fresh");

  json = envelope({"get", "--cache", world.cache(), "episodes", "e3"}, 0);
  EXPECT_EQ(json["result"][0]["presence"], "hit");
  EXPECT_EQ(json["result"][0]["row"]["task_description"], "three");

  const Said listed = run({"list", "--cache", world.cache(), "episodes"});
  EXPECT_EQ(listed.exit, 0);
  std::istringstream lines(listed.out);
  std::vector<std::string> keys;
  for (std::string line; std::getline(lines, line);) keys.push_back(Json::parse(line)["key"]);
  EXPECT_EQ(keys, (std::vector<std::string>{"e3", "e2"}));

  json = envelope({"status", "--cache", world.cache()}, 0);
  EXPECT_EQ(json["result"]["collections"]["patterns"]["count"], 2);
  EXPECT_EQ(json["result"]["source"], world.url());
  EXPECT_EQ(json["result"]["scope"]["max_episodes_cache"], 2);
  EXPECT_EQ(json["result"]["last_report"]["mode"], "fill");
  EXPECT_TRUE(json["result"]["holder"].is_null());
  EXPECT_GT(json["result"]["file_bytes"], 0);
}

TEST_F(Cli, get_keeps_the_order_of_its_keys_and_exits_with_the_worst) {
  ASSERT_EQ(run(sync({"--max-episodes-cache", "2"})).exit, 0);
  const auto get = [&](const std::string& collection, std::vector<std::string> keys, int exit) {
    keys.insert(keys.begin(), {"get", "--cache", world.cache(), collection});
    std::string presences;
    const Json result = envelope(keys, exit)["result"];
    for (const auto& item : result) {
      presences += std::string(item["key"]) + "=" + std::string(item["presence"]) + " ";
    }
    return presences;
  };
  EXPECT_EQ(get("patterns", {"p1"}, 0), "p1=hit ");
  EXPECT_EQ(get("patterns", {"none", "p1"}, 8), "none=absent p1=hit ");
  EXPECT_EQ(get("episodes", {"e3", "e1", "e2"}, 9), "e3=hit e1=unknown e2=hit ");
}

TEST_F(Cli, an_episode_is_absent_only_when_the_whole_table_is_cached) {
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(run({"get", "--cache", world.cache(), "episodes", "none"}).exit, 8);
}

// The error of a sync said nothing of the cache that stays usable.
TEST_F(Cli, a_source_that_cannot_be_had_is_exit_3_and_the_cache_keeps_its_freshness) {
  ASSERT_EQ(run(sync()).exit, 0);
  world.source.run("BEGIN EXCLUSIVE");
  const Json json = envelope(sync({"--request-deadline", "100ms"}), 3);
  EXPECT_EQ(json["error"]["code"], "unavailable");
  ASSERT_TRUE(json["freshness"].is_object());
  EXPECT_EQ(json["freshness"]["state"], "fresh");
  EXPECT_FALSE(json["freshness"]["source_unavailable_since_ms"].is_null());
  const Said said = run(sync({"--request-deadline", "100ms"}));
  EXPECT_NE(said.err.find("the cache can be used"), std::string::npos) << said.err;
  EXPECT_EQ(run({"get", "--cache", world.cache(), "episodes", "e1"}).exit, 0);
  world.source.run("COMMIT");
}

TEST_F(Cli, without_a_cache_an_error_has_no_freshness) {
  world.source.run("BEGIN EXCLUSIVE");
  EXPECT_TRUE(envelope(sync({"--request-deadline", "100ms"}), 3)["freshness"].is_null());
  EXPECT_EQ(run({"get", "--cache", world.cache(), "episodes", "e1"}).exit, 2);
  world.source.run("COMMIT");
}

TEST_F(Cli, a_second_writer_is_busy_and_named) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
  ASSERT_TRUE(lock);
  const Json json = envelope(sync(), 5);
  EXPECT_EQ(json["error"]["code"], "busy");
  EXPECT_NE(std::string(json["error"]["message"]).find(std::to_string(::getpid())),
            std::string::npos);
  EXPECT_EQ(json["freshness"]["state"], "fresh");
}

TEST_F(Cli, older_than_max_age_is_exit_6) {
  ASSERT_EQ(run(sync()).exit, 0);
  for (const char* command : {"status", "get"}) {
    std::vector<std::string> words = {command, "--cache", world.cache(), "--max-age", "0"};
    if (std::string(command) == "get") words.insert(words.end(), {"episodes", "e1"});
    const Json json = envelope(words, 6);
    EXPECT_EQ(json["error"]["code"], "stale") << command;
    EXPECT_TRUE(json["freshness"].is_object()) << command;
  }
  EXPECT_EQ(run({"status", "--cache", world.cache(), "--max-age", "1h"}).exit, 0);
}

TEST_F(Cli, skipped_rows_are_exit_7) {
  world.source.run("INSERT INTO episodes VALUES(NULL,'x',9,1,x'')");
  const Json json = envelope(sync(), 7);
  EXPECT_EQ(json["freshness"]["incomplete"], 1);
  EXPECT_TRUE(json["error"].is_null());
}

TEST_F(Cli, another_scope_needs_set_scope_wherever_it_was_named) {
  ASSERT_EQ(run(sync({"--max-episodes-cache", "2"})).exit, 0);
  EXPECT_EQ(run(sync()).exit, 0);  // names nothing: the stored scope holds
  EXPECT_EQ(
      envelope({"status", "--cache", world.cache()}, 0)["result"]["scope"]["max_episodes_cache"],
      2);
  EXPECT_EQ(run(sync({"--max-episodes-cache", "3"})).exit, 2);
  EXPECT_EQ(run(sync({"--no-sync-patterns"})).exit, 2);
  write("tidemark.toml", "[sync]\nmax_episodes_cache = 3\n");
  const Said said = run(sync());
  EXPECT_EQ(said.exit, 2);
  EXPECT_NE(said.err.find("--set-scope"), std::string::npos) << said.err;
  EXPECT_EQ(run(sync({"--set-scope"})).exit, 0);
  EXPECT_EQ(run({"get", "--cache", world.cache(), "episodes", "e1"}).exit, 0);
}

TEST_F(Cli, list_filters_and_names_the_indexes_there_are) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto lines = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"list", "--cache", world.cache()});
    const Said said = run(more);
    EXPECT_EQ(said.exit, 0) << said.err;
    return std::ranges::count(said.out, '\n');
  };
  EXPECT_EQ(lines({"patterns", "--where", "pattern_type=retry"}), 1);
  EXPECT_EQ(lines({"patterns", "--latest", "1"}), 1);
  EXPECT_EQ(lines({"embeddings", "--of", "e3"}), 1);
  EXPECT_EQ(lines({"embeddings"}), 1);
  EXPECT_EQ(lines({"heuristics"}), 0);
  const Json said =
      envelope({"list", "--cache", world.cache(), "patterns", "--where", "pattern_data=x"}, 2);
  EXPECT_NE(said["error"].dump().find("pattern_type"), std::string::npos) << said;
}

TEST_F(Cli, output_that_cannot_be_written_is_an_error_and_a_reader_that_left_is_none) {
  ASSERT_EQ(run(sync()).exit, 0);
  out_path = "/dev/full";
  const Said full = run({"list", "--cache", world.cache(), "episodes"});
  EXPECT_EQ(full.exit, 1);
  EXPECT_NE(full.err.find("cannot write the output"), std::string::npos) << full.err;
  EXPECT_EQ(run({"status", "--cache", world.cache()}).exit, 1);
  EXPECT_EQ(run({"--version"}).exit, 1);
  out_path.clear();
  // More than a pipe holds, to a FIFO whose reader leaves at once.
  world.source.run("INSERT INTO episodes VALUES('big','x',4,1,zeroblob(500000))");
  ASSERT_EQ(run(sync()).exit, 0);
  const std::string fifo = world.folder.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Said left = support::run_program(
      "/bin/sh",
      {"-c", "trap '' PIPE; '" TIDEMARK_PROGRAM "' list --cache '" + world.cache() +
                 "' episodes > '" + fifo + "' & exec 3< '" + fifo + "' 3<&-; wait $!"},
      home(), {});
  EXPECT_EQ(left.exit, 0) << left.err;
  EXPECT_EQ(left.err, "");
}

TEST_F(Cli, bad_cache_paths_are_refused_with_a_hint_and_left_as_they_were) {
  const auto refused = [&](const std::string& cache, int exit) {
    const Json json = envelope({"sync", "--source", world.url(), "--cache", cache}, exit);
    EXPECT_FALSE(std::string(json["error"]["hint"]).empty()) << json;
    return std::string(json["error"]["message"]);
  };
  refused(home(), 2);
  write("notes.txt", "not a cache");
  refused(world.folder.file("notes.txt"), 2);
  EXPECT_EQ(support::text_of(world.folder.file("notes.txt")), "not a cache");
  refused(world.folder.file("source.db"), 2);
  refused(world.folder.file("no/folder/x.redb"), 2);
  refused("/proc/x.redb", 2);
  EXPECT_EQ(run({"get", "--cache", world.folder.file("notes.txt"), "episodes", "e1"}).exit, 2);
  support::World other;
  ASSERT_TRUE(other.sync());
  EXPECT_NE(refused(other.cache(), 2).find("another source"), std::string::npos);
}

TEST_F(Cli, a_cache_of_a_newer_format_is_unsupported_and_kept) {
  ASSERT_EQ(run(sync()).exit, 0);
  cache::Identity newer;
  newer.format_version = cache::kFormatVersion + 1;
  newer.source = world.url();
  const std::string bytes = cache::seal_record("identity", cache::encode_identity(newer));
  redb::OpenOptions open;
  {
    open.mode = redb::OpenOptions::Mode::open_or_create;
    auto db = redb::Database::open(world.cache(), open);
    ASSERT_TRUE(db);
    auto txn = db->begin_write();
    ASSERT_TRUE(txn);
    const std::array<redb::Change, 1> puts = {{{"identity", bytes}}};
    ASSERT_TRUE(txn->apply(cache::kMetaTable, puts));
    ASSERT_TRUE(std::move(*txn).commit());
    ASSERT_TRUE(std::move(*db).close());
  }
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--full"}, {"--set-scope"}}) {
    EXPECT_EQ(envelope(sync(more), 2)["error"]["code"], "unsupported");
  }
  EXPECT_EQ(envelope({"status", "--cache", world.cache()}, 2)["error"]["code"], "unsupported");
  open.mode = redb::OpenOptions::Mode::read_only;
  auto db = redb::Database::open(world.cache(), open);
  ASSERT_TRUE(db);
  const auto txn = db->begin_read();
  ASSERT_TRUE(txn);
  const auto stored = txn->get(cache::kMetaTable, "identity");
  ASSERT_TRUE(stored && *stored);
  EXPECT_EQ((*stored)->bytes(), bytes);
  EXPECT_EQ(*txn->count(cache::data_table("episodes")), 3U);
}

TEST_F(Cli, damage_is_exit_4_and_a_full_sync_mends_it) {
  for (int i = 0; i < 200; ++i) {
    world.source.run("INSERT INTO patterns VALUES('q" + std::to_string(i) +
                     "','retry',printf('%.500c','x'))");
  }
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(envelope({"validate", "--cache", world.cache()}, 0)["result"]["problems"].size(), 0U);
  std::string bytes = support::text_of(world.cache());
  const std::size_t at = bytes.find("xxxxxxxxxxxx");
  ASSERT_NE(at, std::string::npos);
  std::size_t last = at;
  for (std::size_t next = at; next != std::string::npos; next = bytes.find("xxxxxxxxxxxx", next)) {
    last = next;
    next += 12;
    bytes[last] = 'y';
  }
  write("cache.redb", bytes);
  const Json json = envelope({"validate", "--cache", world.cache()}, 4);
  EXPECT_GT(json["result"]["problems"].size(), 0U);
  EXPECT_EQ(run({"get", "--cache", world.cache(), "patterns", "q1"}).exit, 4);
  EXPECT_EQ(run(sync({"--full"})).exit, 0);
  EXPECT_EQ(run({"validate", "--cache", world.cache()}).exit, 0);
}

TEST_F(Cli, validate_against_the_source_is_exit_7_where_it_differs_and_changes_nothing) {
  ASSERT_EQ(run(sync()).exit, 0);
  const std::vector<std::string> words = {"validate",  "--against-source", "--source",
                                          world.url(), "--cache",          world.cache()};
  EXPECT_EQ(envelope(words, 0)["result"]["differs"], false);
  world.source.run("UPDATE patterns SET pattern_data = 'new' WHERE pattern_id = 'p2'");
  const Json found = envelope(words, 7)["result"]["collections"]["patterns"];
  EXPECT_EQ(found["different"], 1);
  EXPECT_EQ(found["equal"], 1);
  EXPECT_EQ(found["keys"], Json::array({"p2"}));
  EXPECT_EQ(envelope(words, 7)["result"]["differs"], true);
}

TEST_F(Cli, repair_keeps_a_file_beyond_mending_and_fills_the_cache_anew) {
  ASSERT_EQ(run(sync()).exit, 0);
  const std::vector<std::string> words = {"repair", "--source", world.url(), "--cache",
                                          world.cache()};
  EXPECT_EQ(envelope(words, 0)["result"]["problems"].size(), 0U);
  write("cache.redb", std::string(8'192, 'x'));
  EXPECT_EQ(run(sync()).exit, 2);  // it does not look like a cache: only a person may say so
  const Json result = envelope(words, 0)["result"];
  EXPECT_EQ(result["problems"].size(), 1U);
  EXPECT_EQ(result["kept_as"], world.cache() + ".corrupt");
  EXPECT_EQ(support::text_of(world.cache() + ".corrupt"), std::string(8'192, 'x'));
  EXPECT_EQ(run({"validate", "--deep", "--cache", world.cache()}).exit, 0);
  EXPECT_EQ(run({"rebuild", "--source", world.url(), "--cache", world.cache()}).exit, 0);
}

TEST_F(Cli, sync_v_says_what_discovery_found_and_q_says_nothing) {
  const Said verbose = run(sync({"-v"}));
  EXPECT_NE(verbose.err.find("episodes: key episode_id, newest by start_time"), std::string::npos)
      << verbose.err;
  const Said quiet = run(sync({"-q"}));
  EXPECT_EQ(quiet.out + quiet.err, "");
}

}  // namespace
}  // namespace tidemark
