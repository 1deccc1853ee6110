// The built program's `capture` commands, on a file, the real server and the scripted peer.
#include "tidemark/capture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/cli.h"
#include "tests/support/hrana_peer.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using support::Cli;
using support::HranaPeer;
using support::Json;
using support::Said;

struct CaptureCli : public Cli {
  std::vector<std::string> capture(const std::string& what, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"capture", what, "--source", world.url()});
    return more;
  }
  std::vector<std::string> at(const std::string& url, const std::string& what,
                              std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"capture", what, "--source", url});
    return more;
  }
  std::string objects() {
    std::string all;
    for (const auto& sql : world.source.column(
             "SELECT coalesce(sql, name) FROM sqlite_master WHERE name <> 'sqlite_sequence' "
             "ORDER BY name")) {
      all += sql + "\n";
    }
    return all;
  }
  std::size_t log_rows() { return world.source.column("SELECT seq FROM tidemark_changes").size(); }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(CaptureCli, install_status_prune_and_remove_on_a_file) {
  const std::string before = objects();
  EXPECT_FALSE(envelope(capture("status"), 0)["result"]["installed"]);
  const Json installed = envelope(capture("install"), 0)["result"];
  EXPECT_TRUE(installed["changed"]);
  EXPECT_TRUE(installed["status"]["healthy"]);
  EXPECT_EQ(installed["status"]["tables"].size(), 4U);
  EXPECT_FALSE(envelope(capture("install"), 0)["result"]["changed"]);
  world.source.run("UPDATE episodes SET reward = 2");
  Json status = envelope(capture("status"), 0)["result"];
  EXPECT_EQ(status["head"], 4);
  EXPECT_EQ(status["floor"], 0);
  EXPECT_EQ(status["log_rows_max"], 4);
  EXPECT_EQ(std::string(status["database_id"]).size(), 32U);
  EXPECT_EQ(run(capture("prune", {"--keep", "1"})).exit, 0);
  EXPECT_EQ(log_rows(), 2U);
  EXPECT_EQ(envelope(capture("status"), 0)["result"]["floor"], 3);
  EXPECT_EQ(run(capture("remove")).exit, 0);
  EXPECT_EQ(objects(), before);
  EXPECT_FALSE(envelope(capture("remove"), 0)["result"]["changed"]);
}

TEST_F(CaptureCli, the_printed_sql_is_the_installation_and_may_be_run_twice) {
  const std::string before = objects();
  const Said said = run(capture("install", {"--print-sql"}));
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(objects(), before);
  EXPECT_TRUE(said.out.starts_with("BEGIN;\n")) << said.out;
  world.source.run(said.out);
  EXPECT_TRUE(envelope(capture("status"), 0)["result"]["healthy"]);
  world.source.run(said.out);
  EXPECT_TRUE(envelope(capture("status"), 0)["result"]["healthy"]);
  EXPECT_EQ(run(capture("install", {"--print-sql"})).out, "-- nothing to do\n");
  const Said removal = run(capture("remove", {"--print-sql"}));
  world.source.run(removal.out);
  EXPECT_EQ(objects(), before);
  EXPECT_EQ(std::string(envelope(capture("install", {"--print-sql"}), 0)["result"]["sql"]),
            said.out);
}

TEST_F(CaptureCli, a_dry_run_changes_nothing_and_states_the_cost) {
  const std::string before = objects();
  const Said said = run(capture("install", {"--dry-run"}));
  EXPECT_EQ(said.exit, 0);
  EXPECT_TRUE(has(said.out, "would run")) << said.out;
  EXPECT_TRUE(has(said.out, "one row and one index entry")) << said.out;
  EXPECT_EQ(objects(), before);
  ASSERT_EQ(run(capture("install")).exit, 0);
  const std::string installed = objects();
  EXPECT_EQ(run(capture("remove", {"--dry-run"})).exit, 0);
  EXPECT_EQ(run(capture("prune", {"--dry-run", "--keep", "0"})).exit, 0);
  EXPECT_EQ(objects(), installed);
}

// What the cost sentence says, counted: rows of the log for each row of the application's.
TEST_F(CaptureCli, a_write_adds_as_many_log_rows_as_it_says) {
  ASSERT_EQ(run(capture("install")).exit, 0);
  const auto added = [&](const std::string& sql) {
    const std::size_t before = log_rows();
    world.source.run(sql);
    return log_rows() - before;
  };
  EXPECT_EQ(added("INSERT INTO patterns VALUES('x1','a','b'),('x2','a','b')"), 2U);
  EXPECT_EQ(added("UPDATE patterns SET pattern_data = 'c' WHERE pattern_id LIKE 'x%'"), 2U);
  EXPECT_EQ(added("UPDATE patterns SET pattern_id = 'y1' WHERE pattern_id = 'x1'"), 2U);
  EXPECT_EQ(added("DELETE FROM patterns WHERE pattern_id = 'x2'"), 1U);
}

TEST_F(CaptureCli, status_says_of_each_table_why_not) {
  ASSERT_EQ(run(capture("install")).exit, 0);
  world.source.run("DROP TRIGGER tidemark_delete_patterns");
  world.source.run("CREATE UNIQUE INDEX u ON heuristics(condition_text)");
  Said said = run(capture("status"));
  EXPECT_EQ(said.exit, 7) << said.out;
  EXPECT_TRUE(has(said.out, "tidemark_delete_patterns is missing")) << said.out;
  EXPECT_TRUE(has(said.out, "UNIQUE index")) << said.out;
  ASSERT_EQ(run(capture("install")).exit, 0);
  said = run(capture("status"));
  EXPECT_EQ(said.exit, 0) << said.out;
  EXPECT_TRUE(has(said.out, "scan mode")) << said.out;
}

TEST_F(CaptureCli, a_cache_syncs_as_before_after_an_installation) {
  ASSERT_EQ(run(sync()).exit, 0);
  ASSERT_EQ(run(capture("install")).exit, 0);
  world.source.run("UPDATE episodes SET reward = 7 WHERE episode_id = 'e2'");
  const Json report = envelope(sync(), 0)["result"];
  EXPECT_NE(report["mode"], "fill");  // its schema is no other one
  EXPECT_EQ(report["episodes_synced"], 1);
}

TEST_F(CaptureCli, a_pass_of_the_program_reads_what_was_logged_and_always_says_that_it_looked) {
  ASSERT_EQ(run(at(world.url(), "install")).exit, 0);
  envelope(sync(), 0);
  world.source.run("UPDATE episodes SET reward = 8 WHERE episode_id = 'e2'");
  const Json edited = envelope(sync(), 0)["result"];
  EXPECT_EQ(edited["mode"], "delta") << edited;
  EXPECT_EQ(edited["episodes_synced"], 1);
  EXPECT_EQ(edited["requests"], 1);
  const Json quiet = envelope(sync(), 0)["result"];
  EXPECT_EQ(quiet["reason"], "nothing changed");
  EXPECT_EQ(quiet["commits"], 1);  // a Syncer that lives on would leave it to its heartbeat
}

TEST_F(CaptureCli, works_on_the_real_server) {
  support::TursoServer server(world.folder.file("source.db"));
  const Json installed = envelope(at(server.url(), "install"), 0)["result"];
  EXPECT_TRUE(installed["status"]["healthy"]) << installed;
  EXPECT_FALSE(envelope(at(server.url(), "install"), 0)["result"]["changed"]);
  server.execute("UPDATE episodes SET reward = 2");
  EXPECT_EQ(envelope(at(server.url(), "status"), 0)["result"]["head"], 4);
  EXPECT_EQ(run(at(server.url(), "prune", {"--keep", "0"})).exit, 0);
  EXPECT_EQ(envelope(at(server.url(), "status"), 0)["result"]["floor"], 4);
  EXPECT_EQ(run(at(server.url(), "remove")).exit, 0);
  EXPECT_FALSE(envelope(at(server.url(), "status"), 0)["result"]["installed"]);
}

TEST_F(CaptureCli, a_token_that_may_only_read_is_told_and_the_sql_handed_out) {
  HranaPeer peer(world.folder.file("source.db"), {{"read_only", true}});
  const Said said = run(at(peer.url(), "install"));
  EXPECT_EQ(said.exit, 1);
  EXPECT_TRUE(has(said.err, "right to write")) << said.err;
  ASSERT_TRUE(has(said.out, "CREATE TRIGGER")) << said.out;
  const Json refused = envelope(at(peer.url(), "install"), 1);
  EXPECT_EQ(refused["error"]["code"], "rejected");
  EXPECT_EQ(std::string(refused["result"]["sql"]), said.out);
  EXPECT_EQ(run(at(peer.url(), "status")).exit, 0);
  world.source.run(said.out);
  EXPECT_TRUE(envelope(at(peer.url(), "status"), 0)["result"]["healthy"]);
}

TEST_F(CaptureCli, a_wrong_token_is_no_question_of_rights) {
  HranaPeer peer(world.folder.file("source.db"), {{"tokens", {"right"}}});
  environment["TURSO_AUTH_TOKEN"] = "wrong";
  const Said said = run(at(peer.url(), "install"));
  EXPECT_EQ(said.exit, 1);
  EXPECT_TRUE(has(said.err, "does not accept the token")) << said.err;
  EXPECT_FALSE(has(said.out, "CREATE")) << said.out;
}

// Every reply of an installation lost once: run again, it is whole.
TEST_F(CaptureCli, an_installation_whose_reply_is_lost_can_be_run_again) {
  HranaPeer peer(world.folder.file("source.db"));
  for (int request = 1; request <= 9; ++request) {
    peer.script({{{"kind", "close_mid_body"}, {"at", request}}});
    EXPECT_EQ(run(at(peer.url(), "install")).exit, request <= 8 ? 3 : 0) << request;
    peer.script({});
    EXPECT_TRUE(envelope(at(peer.url(), "install"), 0)["result"]["status"]["healthy"]);
    ASSERT_EQ(run(at(peer.url(), "remove")).exit, 0);
  }
}

TEST_F(CaptureCli, a_source_in_trouble_is_exit_3_and_a_missing_one_is_named) {
  EXPECT_EQ(run({"capture", "status", "--source", "http://127.0.0.1:9"}).exit, 3);
  EXPECT_EQ(run({"capture", "status"}).exit, 2);
  EXPECT_EQ(run({"capture"}).exit, 2);
  EXPECT_EQ(run(capture("prune", {"--keep", "-1"})).exit, 2);
  const Json error = envelope(capture("prune"), 2)["error"];
  EXPECT_TRUE(has(error["message"], "no working change log")) << error;
  const std::string empty = "file:" + world.folder.file("empty.db");
  support::SqliteSource(world.folder.file("empty.db")).run("CREATE TABLE notes(x)");
  EXPECT_TRUE(has(run({"capture", "install", "--source", empty}).err, "notes"));
}

TEST_F(CaptureCli, help_teaches_and_words_complete) {
  const Said help = run({"capture", "install", "--help"});
  EXPECT_EQ(help.exit, 0);
  EXPECT_TRUE(has(help.out, "--print-sql")) << help.out;
  EXPECT_EQ(run({"__complete", "capture", ""}).out, "install\nstatus\nprune\nremove\n");
  EXPECT_TRUE(has(run({"__complete", "capture", "install", "--d"}).out, "--dry-run"));
  EXPECT_TRUE(has(run({"capture", "instal"}).err, "did you mean install")) << "";
}

// The superuser may write anything, so there another user asks.
TEST_F(CaptureCli, a_file_that_may_not_be_written_is_told) {
  const std::string path = world.folder.file("source.db");
  std::vector<std::string> words = capture("install");
  std::string program = TIDEMARK_PROGRAM;
  const std::string copy = world.folder.file("tidemark");
  if (::geteuid() == 0) {
    std::filesystem::copy_file(program, copy);
    ASSERT_EQ(::chmod(world.folder.file("").c_str(), 0755), 0);
    words.insert(words.begin(), {"--reuid=65534", "--regid=65534", "--clear-groups", copy});
    program = "/usr/bin/setpriv";
  }
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  const Said said = support::run_program(program, words, "/", environment);
  EXPECT_EQ(said.exit, 1) << said.err;
  EXPECT_TRUE(has(said.err, "right to write")) << said.err;
  EXPECT_TRUE(has(said.out, "CREATE TRIGGER")) << said.out;
}

}  // namespace
}  // namespace tidemark
