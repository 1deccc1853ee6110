// The built `tidemark doctor` beside sources and caches in each kind of trouble.
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cache/lock.h"
#include "redb/database.h"
#include "tests/integration/captured.h"
#include "tests/integration/daemon.h"
#include "tests/support/hrana_peer.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::HranaPeer;
using support::Json;
using support::Said;

// What the machine under the test may lack is not what is tested.
bool is_of_the_machine(const Json& finding) {
  return finding["heading"] == "memory pressure" ||
         std::string(finding["text"]).find("are free where") != std::string::npos;
}

struct Doctor : public support::DaemonWorld {
  std::vector<std::string> doctor(const std::string& source, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"doctor", "--source", source, "--cache", world.cache()});
    return more;
  }
  // The envelope's result. Every finding is complete, and the exit code says whether one is bad.
  Json examine(std::vector<std::string> words) {
    words.insert(words.begin(), "--json");
    const Said said = run(std::move(words));
    const Json json = Json::parse(said.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << said.out << said.err;
    if (!json.is_object()) return Json::object();
    EXPECT_EQ(json["command"], "doctor");
    bool bad = false;
    for (const Json& finding : json["result"]["findings"]) {
      EXPECT_FALSE(std::string(finding["text"]).empty());
      EXPECT_EQ(finding["severity"] == "ok", std::string(finding["help"]).empty()) << finding;
      bad = bad || finding["severity"] == "problem";
    }
    EXPECT_EQ(said.exit, bad ? 7 : 0) << json;
    EXPECT_EQ(json["exit"], said.exit);
    return json["result"];
  }
  // Those that are not ok: "heading: severity: text -> help", one a line.
  static std::string bad(const Json& result) {
    std::string all;
    for (const Json& finding : result["findings"]) {
      if (finding["severity"] == "ok" || is_of_the_machine(finding)) continue;
      all += std::string(finding["heading"]) + ": " + std::string(finding["severity"]) + ": " +
             std::string(finding["text"]) + " -> " + std::string(finding["help"]) + "\n";
    }
    return all;
  }
  static void expect_bad(const Json& result, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
      EXPECT_NE(bad(result).find(part), std::string::npos) << part << " in\n" << bad(result);
    }
  }
  // Every file of the test, and its bytes.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(home())) {
      if (entry.is_regular_file()) all[entry.path()] = support::text_of(entry.path());
    }
    return all;
  }
};

TEST_F(Doctor, finds_nothing_at_a_healthy_cache_and_writes_nothing) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto before = files();
  const Json result = examine(doctor(world.url()));
  EXPECT_EQ(bad(result), "");
  EXPECT_EQ(files(), before);
  const Json& m = result["measurements"];
  EXPECT_GE(m["source"]["round_trip_us"], 0);
  EXPECT_LE(std::abs(m["source"]["clock_ahead_ms"].get<int>()), 1'000);
  EXPECT_EQ(m["source"]["page"]["rows"], 3);
  EXPECT_EQ(m["source"]["rows"]["patterns"], 2);
  EXPECT_EQ(m["source"]["capture"]["installed"], false);
  EXPECT_EQ(m["cache"]["collections"]["episodes"]["count"], 3);
  EXPECT_EQ(m["cache"]["last_report"]["mode"], "fill");
  EXPECT_EQ(m["modes"]["cache"], 0600);
  EXPECT_GT(m["disk"]["free_bytes"], 0);
  EXPECT_GT(m["memory"]["total_bytes"], 0);
  EXPECT_EQ(m["settings"]["batch_size"], 100);
  for (const char* none : {"lock", "daemon", "cannot_write"})
    EXPECT_TRUE(m[none].is_null()) << none;
  const Said said = run(doctor(world.url()));
  for (const char* heading :
       {"slow syncs\n", "lock errors\n", "memory pressure\n", "stale data\n", "missing items\n"}) {
    EXPECT_NE(said.out.find(heading), std::string::npos) << said.out;
  }
}

TEST_F(Doctor, measures_the_real_server) {
  const std::string database = world.folder.file("served.db");
  world.source.save_to(database);
  const support::TursoServer server(database);
  ASSERT_EQ(run({"sync", "--source", server.url(), "--cache", world.cache()}).exit, 0);
  const Json result = examine(doctor(server.url()));
  EXPECT_EQ(bad(result), "");
  EXPECT_GT(result["measurements"]["source"]["round_trip_us"], 0);
  EXPECT_LE(std::abs(result["measurements"]["source"]["clock_ahead_ms"].get<int>()), 1'000);
  EXPECT_EQ(result["measurements"]["source"]["rows"]["episodes"], 3);
}

TEST_F(Doctor, a_source_that_is_down_leaves_the_rest_to_be_measured) {
  ASSERT_EQ(run(sync()).exit, 0);
  const Json result = examine(doctor("http://127.0.0.1:1"));
  expect_bad(result, {"stale data: problem: http://127.0.0.1:1 cannot be had: "});
  EXPECT_EQ(result["measurements"]["source"]["error"]["code"], "unavailable");
  EXPECT_EQ(result["measurements"]["cache"]["readable"], true);
}

TEST_F(Doctor, a_source_that_says_nothing_is_waited_for_until_the_deadline) {
  HranaPeer peer(world.folder.file("source.db"));
  peer.script({{{"kind", "hang"}, {"every", 1}}});
  expect_bad(examine(doctor(peer.url(), {"--deadline", "300ms"})), {"timed out"});
  // Some answers are there, and then there is none.
  peer.script({{{"kind", "hang"}, {"from", 7}}});
  const Json result = examine(doctor(peer.url(), {"--deadline", "2s"}));
  EXPECT_GT(result["measurements"]["source"]["round_trip_us"], 0);
  EXPECT_TRUE(result["measurements"]["source"]["error"].is_null());
  expect_bad(result, {"stale data: notice: not all of " + peer.url(), "before the deadline"});
}

TEST_F(Doctor, a_slow_way_to_the_source) {
  HranaPeer peer(world.folder.file("source.db"), {{"latency_ms", 120}});
  const Json result = examine(doctor(peer.url()));
  EXPECT_GE(result["measurements"]["source"]["round_trip_us"], 120'000);
  expect_bad(result, {"slow syncs: notice: a round trip to " + peer.url(), "capture install"});
}

TEST_F(Doctor, no_cache_yet_and_no_source) {
  expect_bad(examine(doctor(world.url())), {"missing items: problem: there is no cache at "});
  expect_bad(examine({"doctor", "--cache", world.cache()}),
             {"configuration: notice: no source", "--source URL"});
  EXPECT_EQ(run({"doctor", "--deadline", "99ms"}).exit, 2);
}

TEST_F(Doctor, a_cache_whose_bytes_were_written_over) {
  ASSERT_EQ(run(sync()).exit, 0);
  {
    std::fstream file(world.cache(), std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(8'192, 'x');
  }
  const auto before = files();
  expect_bad(examine(doctor(world.url())), {"missing items: problem: the cache cannot be read"});
  EXPECT_EQ(files(), before);
}

// Any reader that may write the file would repair it: a doctor changes nothing.
TEST_F(Doctor, what_a_killed_writer_left_is_told_and_not_repaired) {
  ASSERT_EQ(run(sync()).exit, 0);
  const pid_t child = ::fork();
  if (child == 0) {
    redb::OpenOptions options;
    options.mode = redb::OpenOptions::Mode::open_or_create;
    auto db = redb::Database::open(world.cache(), options);
    if (!db || !db->begin_write()) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto before = files();
  expect_bad(examine(doctor(world.url())),
             {"missing items: problem: the cache cannot be read", "`tidemark sync`"});
  EXPECT_EQ(files(), before);
}

TEST_F(Doctor, who_holds_the_lock_and_who_has_the_file_open) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
  const auto reader = Reader::open(world.cache());
  ASSERT_TRUE(lock && reader);
  const Json result = examine(doctor(world.url()));
  const std::string pid = std::to_string(::getpid());
  expect_bad(result, {"lock errors: notice: pid " + pid + " (", "holds CACHE.lock, for "});
  EXPECT_EQ(result["measurements"]["lock"]["holder"], "pid " + pid);
  EXPECT_GE(result["measurements"]["lock"]["held_ms"], 0);
  EXPECT_EQ(result["measurements"]["opened_by"][0]["pid"], ::getpid());
}

TEST_F(Doctor, a_living_daemon_and_one_that_hangs) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  Json result = examine(doctor(world.url()));
  EXPECT_EQ(bad(result), "");
  EXPECT_EQ(result["measurements"]["daemon"]["answers"], true);
  EXPECT_GT(result["measurements"]["daemon"]["resident_bytes"], 0);
  program.signal(SIGSTOP);
  result = examine(doctor(world.url()));
  expect_bad(result, {"lock errors: problem: the daemon (pid " + std::to_string(program.pid()),
                      "does not answer"});
  program.signal(SIGCONT);
  stop(program);
}

TEST_F(Doctor, capture_that_is_healthy_and_a_trigger_that_is_gone) {
  support::install_capture(world.url());
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(bad(examine(doctor(world.url()))), "");
  const auto triggers = world.source.column(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'episodes'");
  ASSERT_FALSE(triggers.empty());
  world.source.run("DROP TRIGGER \"" + triggers.front() + "\"");
  expect_bad(examine(doctor(world.url())),
             {"slow syncs: problem: change capture is installed, but not healthy",
              "`tidemark capture install`"});
}

TEST_F(Doctor, a_token_that_all_may_read_and_a_bad_configuration) {
  write("token", "secret-word");
  ASSERT_EQ(::chmod(world.folder.file("token").c_str(), 0644), 0);
  write("tidemark.toml", "[sync]\nbatch_sice = 3\n");
  const Json result = examine(doctor(world.url(), {"--token-file", world.folder.file("token")}));
  expect_bad(result, {"configuration: problem: other users may read", "chmod 600",
                      "configuration: problem: the configuration is wrong", "batch_sice"});
  EXPECT_EQ(result.dump().find("secret-word"), std::string::npos);
  EXPECT_EQ(result["measurements"]["modes"]["token_file"], 0644);
}

TEST_F(Doctor, a_scope_that_passes_would_refuse) {
  ASSERT_EQ(run(sync()).exit, 0);
  write("tidemark.toml", "[sync]\nmax_episodes_cache = 7\n");
  expect_bad(examine(doctor(world.url())), {"missing items: problem: the configured scope"});
}

TEST_F(Doctor, with_q_only_what_is_wrong_is_told) {
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(run(doctor(world.url(), {"-q"})).out.find("a round trip"), std::string::npos);
  const Said said = run(doctor("http://127.0.0.1:1", {"-q"}));
  EXPECT_EQ(said.exit, 7);
  EXPECT_NE(said.out.find("stale data\n  problem: "), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("\n    → do: "), std::string::npos) << said.out;
}

}  // namespace
}  // namespace tidemark
