// The control socket, and the commands that go through a living daemon.
#include <fcntl.h>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/hrana_peer.h"

namespace tidemark {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::ChildProcess;
using support::HranaPeer;
using support::Json;
using support::kPatience;
using support::RawClient;
using support::Said;
using support::wait_until;

// A hanging pass gets half a second to end by itself.
constexpr const char* kShortStop = "interval = \"1h\"\n[daemon]\nstop_deadline = \"1s\"\n";

struct DaemonControl : public support::DaemonWorld {
  [[nodiscard]] std::string socket() const { return world.cache() + ".sock"; }
  [[nodiscard]] std::string answer(const std::string& bytes) const {
    const RawClient client(support::connect_to(socket()));
    EXPECT_TRUE(client.connected());
    client.say(bytes);
    return client.hear();
  }
  ChildProcess start_cli(std::vector<std::string> command) {
    std::vector<std::string> all = {"env", "-i", "HOME=" + home(), TIDEMARK_PROGRAM, "--json"};
    for (auto& word : words(std::move(command))) all.push_back(std::move(word));
    return {all, ChildProcess::Output::pipe, world.folder.file("cli.err")};
  }
};

TEST_F(DaemonControl, the_commands_have_it_do_their_work_and_look_the_same) {
  configure(world.url());
  const Json alone = envelope(sync(), 0);
  const std::string notes = run(sync()).err;
  ChildProcess program = start_and_wait();
  world.source.run("UPDATE episodes SET task_description='new' WHERE episode_id='e1'");
  // No --source: the daemon knows it.
  const Json synced = envelope(words({"sync"}), 0);
  EXPECT_EQ(passes(), 2U);
  EXPECT_EQ(title("e1"), "new");
  EXPECT_EQ(synced["result"]["collections"]["episodes"]["upserted"], 1);
  for (const auto& [name, value] : alone["result"].items()) {
    EXPECT_TRUE(synced["result"].contains(name)) << name;
  }
  EXPECT_EQ(synced["freshness"]["state"], "fresh");

  EXPECT_EQ(envelope(words({"validate", "--against-source"}), 0)["result"]["differs"], false);
  EXPECT_EQ(envelope(words({"repair"}), 0)["result"]["problems"], Json::array());
  EXPECT_EQ(envelope(words({"rebuild"}), 0)["result"]["mode"], "fill");
  EXPECT_EQ(envelope(sync({"--full"}), 0)["result"]["reason"], "asked for a full sync");
  EXPECT_EQ(passes(), 6U);
  const Said said = run(words({"sync"}));
  EXPECT_EQ(said.exit, 0);
  EXPECT_NE(said.out.find("requests"), std::string::npos) << said.out;
  EXPECT_EQ(said.err, notes);
  stop(program);
}

TEST_F(DaemonControl, a_question_that_it_refuses_is_the_askers_and_harms_no_later_pass) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  Json error = envelope(words({"sync", "--source", "libsql://other.example"}), 2)["error"];
  EXPECT_NE(std::string(error["message"]).find("not libsql://other.example"), std::string::npos);
  error = envelope(words({"sync", "--max-episodes-cache", "2"}), 2)["error"];
  EXPECT_NE(std::string(error["hint"]).find("--set-scope"), std::string::npos) << error;
  EXPECT_EQ(said()->failures, 0U);
  EXPECT_EQ(said()->last_error, "");
  envelope(words({"sync", "--max-episodes-cache", "2", "--set-scope"}), 0);
  EXPECT_EQ(world.cached_keys("episodes").size(), 2U);
  stop(program);
}

TEST_F(DaemonControl, a_dry_run_needs_no_daemon) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  EXPECT_EQ(envelope(sync({"--dry-run"}), 0)["result"]["dry_run"], true);
  EXPECT_EQ(passes(), 1U);
  stop(program);
}

TEST_F(DaemonControl, interrupting_the_command_leaves_the_daemon_and_its_pass) {
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url());
  ChildProcess program = start_and_wait();
  peer.script({{{"kind", "hang"}}});
  const auto before = peer.count("hanging");
  ChildProcess command = start_cli({"sync"});
  ASSERT_TRUE(peer.wait_until([&](const Json& stats) { return stats["hanging"] > before; }));
  EXPECT_EQ(said()->running, "sync");
  command.signal(SIGINT);
  ASSERT_TRUE(command.ends_within(kPatience));
  const Json envelope = Json::parse(command.read_line(seconds(1)));
  EXPECT_EQ(command.wait(), 130);
  EXPECT_NE(std::string(envelope["error"]["hint"]).find("daemon goes on"), std::string::npos);
  EXPECT_EQ(said()->running, "sync");
  peer.script({});
  const auto sent = std::chrono::steady_clock::now();
  program.signal(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return !std::filesystem::exists(socket()); }));
  program.signal(SIGTERM);  // told twice, it abandons the pass at once
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - sent, daemon::kStopDeadline / 2);
}

TEST_F(DaemonControl, a_daemon_that_dies_or_stops_before_it_answered_is_replaced_by_the_command) {
  for (const int signal : {SIGKILL, SIGTERM}) {
    HranaPeer peer(world.folder.file("source.db"));
    configure(peer.url(), kShortStop);
    std::filesystem::remove(world.cache());
    ChildProcess program = start_and_wait();
    peer.script({{{"kind", "hang"}}});
    const auto before = peer.count("hanging");
    ChildProcess command = start_cli({"sync", "--source", peer.url()});
    ASSERT_TRUE(peer.wait_until([&](const Json& stats) { return stats["hanging"] > before; }));
    world.source.run("UPDATE episodes SET task_description='late' WHERE episode_id='e2'");
    peer.script({});
    program.signal(signal);
    ASSERT_TRUE(command.ends_within(kPatience));
    EXPECT_EQ(command.wait(), 0) << support::text_of(world.folder.file("cli.err"));
    EXPECT_EQ(title("e2"), "late");
    EXPECT_NE(support::text_of(world.folder.file("cli.err")).find("the daemon ended"),
              std::string::npos);
  }
}

// A stopped process keeps its lock and its socket: the command waited for it without an end.
TEST_F(DaemonControl, one_that_hangs_while_a_command_waits_for_it_is_told_of) {
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url(), kShortStop);
  ChildProcess program = start_and_wait();
  peer.script({{{"kind", "hang"}}});
  const auto before = peer.count("hanging");
  ChildProcess command = start_cli({"sync"});
  ASSERT_TRUE(peer.wait_until([&](const Json& stats) { return stats["hanging"] > before; }));
  program.signal(SIGSTOP);
  ASSERT_TRUE(command.ends_within(kPatience));
  const Json envelope = Json::parse(command.read_line(seconds(1)));
  EXPECT_EQ(command.wait(), 5);
  EXPECT_NE(std::string(envelope["error"]["message"]).find("does not answer"), std::string::npos);
  program.signal(SIGCONT);
  peer.script({});
  program.signal(SIGTERM);
  ASSERT_TRUE(program.ends_within(kPatience));
}

// The daemon took its own limit for that of the person who asked.
TEST_F(DaemonControl, the_limit_of_rows_that_a_person_names_holds_for_its_pass_too) {
  world.source.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1500) "
      "INSERT INTO heuristics(heuristic_id, condition_text) SELECT 1000 + i, 'c' FROM n");
  configure(world.url());
  ChildProcess program = start_and_wait();
  const Json refused = envelope(words({"sync", "--full", "--max-rows-read-per-pass", "1000"}), 2);
  EXPECT_NE(std::string(refused["error"]["message"]).find("max_rows_read_per_pass = 1000"),
            std::string::npos);
  envelope(words({"sync", "--full"}), 0);
  stop(program);
}

TEST_F(DaemonControl, garbage_is_refused_and_harms_nobody) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  for (const char* bytes : {"GET /metrics HTTP/1.1\r\n", "{}\n", "\n", "{\"v\":1,\"do\":\"sync\"",
                            "{\"v\":1,\"do\":\"sync\",\"full\":\"yes\"}\n", "[[[[[[[[\n"}) {
    const RawClient client(support::connect_to(socket()));
    ASSERT_TRUE(client.connected());
    client.say(bytes);
    client.end_of_words();
    const std::string heard = client.hear();
    // Without a newline nothing was asked.
    if (std::string(bytes).ends_with('\n')) {
      EXPECT_EQ(Json::parse(heard)["error"]["code"], "invalid") << heard;
    } else {
      EXPECT_EQ(heard, "");
    }
  }
  const std::string heard = answer(std::string(1 << 20, 'x'));
  EXPECT_NE(heard.find("without a newline"), std::string::npos) << heard;
  const std::string deep = answer(std::string(16'000, '[') + "\n");
  EXPECT_NE(deep.find("invalid"), std::string::npos) << deep;
  EXPECT_EQ(passes(), 1U);
  EXPECT_EQ(run(words({"sync"})).exit, 0);
  stop(program);
}

TEST_F(DaemonControl, who_says_nothing_is_let_go_and_too_many_are_told_so) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  std::vector<std::unique_ptr<RawClient>> silent;
  for (std::size_t n = 0; n < daemon::kConnectionsMax; ++n) {
    silent.push_back(std::make_unique<RawClient>(support::connect_to(socket())));
    ASSERT_TRUE(silent.back()->connected());
  }
  const std::string heard = answer("");
  EXPECT_NE(heard.find("busy"), std::string::npos) << heard;
  EXPECT_EQ(silent.front()->hear(2 * daemon::kClientDeadline), "");  // closed at the deadline
  EXPECT_TRUE(wait_until([&] { return said().has_value(); }));
  stop(program);
}

TEST_F(DaemonControl, one_that_goes_away_while_it_waits_harms_nobody) {
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url(), kShortStop);
  ChildProcess program = start_and_wait();
  peer.script({{{"kind", "hang"}}});
  const auto before = peer.count("hanging");
  {
    const RawClient gone(support::connect_to(socket()));
    gone.say("{\"v\":1,\"do\":\"sync\"}\n");
    ASSERT_TRUE(peer.wait_until([&](const Json& stats) { return stats["hanging"] > before; }));
  }
  peer.script({});
  EXPECT_TRUE(said());
  stop(program);
}

TEST_F(DaemonControl, progress_is_streamed_before_the_report) {
  world.source.run(
      "INSERT INTO episodes(episode_id, start_time) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL "
      "SELECT i + 1 FROM c WHERE i < 2000) SELECT 'many-' || i, i FROM c");
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url());
  ChildProcess program = start_and_wait();
  peer.set({{"latency_ms", 150}});  // longer than the time between two lines of progress
  const std::string heard = answer("{\"v\":1,\"do\":\"rebuild\"}\n");
  EXPECT_TRUE(heard.starts_with("{\"progress\":")) << heard;
  EXPECT_NE(heard.find("\n{\"done\":{\"sync\":"), std::string::npos) << heard;
  EXPECT_TRUE(heard.ends_with("}\n"));
  stop(program);
}

TEST_F(DaemonControl, it_stops_when_asked_to) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  EXPECT_EQ(answer("{\"v\":1,\"do\":\"stop\"}\n"), "{\"ok\":true}\n");
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(DaemonControl, the_socket_may_lie_elsewhere_and_nothing_that_stands_there_is_harmed) {
  configure(world.url());
  const std::string config = support::text_of(world.folder.file("tidemark.toml"));
  write("tidemark.toml", config + "[daemon]\nsocket = \"here\"\n");
  write("here", "precious");
  ChildProcess refused = start();
  ASSERT_TRUE(refused.ends_within(kPatience));
  EXPECT_EQ(refused.wait(), 2);
  EXPECT_EQ(support::text_of(world.folder.file("here")), "precious");

  write("tidemark.toml", config + "[daemon]\nsocket = \"there\"\n");
  ChildProcess program = start_and_wait();
  EXPECT_TRUE(std::filesystem::is_socket(world.folder.file("there")));
  EXPECT_EQ(run(words({"sync"})).exit, 0);
  EXPECT_EQ(passes(), 2U);
  stop(program);
}

}  // namespace
}  // namespace tidemark
