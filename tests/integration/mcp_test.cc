// `tidemark mcp` as a process: what a client that behaves, and one that does not, gets from it.
#include <sys/resource.h>

#include <csignal>

#include "cli/mcp/tuning.h"
#include "tests/integration/daemon.h"
#include "tests/support/hrana_peer.h"
#include "tests/support/piped_program.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::HranaPeer;
using support::Json;
using support::kPatience;
using support::PipedProgram;

struct Mcp : public support::DaemonWorld {
  // Over the source of `url`, and initialized.
  std::unique_ptr<PipedProgram> talk(const std::string& url,
                                     const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"env", "-i", "HOME=" + home(), "PATH=/usr/bin:/bin"};
    for (const auto& [name, value] : environment) words.push_back(name + "=" + value);
    words.insert(words.end(), {TIDEMARK_PROGRAM, "--cache", world.cache(), "mcp", "--source", url});
    words.insert(words.end(), more.begin(), more.end());
    auto program = std::make_unique<PipedProgram>(words, errors_path());
    const Json wanted = {{"protocolVersion", "2025-11-25"}};
    program->send(
        Json{{"jsonrpc", "2.0"}, {"id", "init"}, {"method", "initialize"}, {"params", wanted}}
            .dump());
    EXPECT_EQ(next(*program)["id"], "init");
    program->send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    return program;
  }
  std::unique_ptr<PipedProgram> talk() { return talk(world.url()); }
  // Each line of its output has to be a message.
  static Json next(PipedProgram& program) {
    const auto line = program.line();
    EXPECT_TRUE(line) << "no line came";
    Json json = Json::parse(line.value_or("null"), nullptr, false);
    EXPECT_EQ(json.is_object() ? json.value("jsonrpc", "") : "", "2.0") << line.value_or("");
    return json;
  }
  static void send_call(const PipedProgram& program, const Json& id, const std::string& tool,
                        const Json& arguments = Json::object(), const Json& meta = nullptr) {
    Json params = {{"name", tool}, {"arguments", arguments}};
    if (!meta.is_null()) params["_meta"] = meta;
    program.send(
        Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", params}}.dump());
  }
  // What the tool answers; both forms of it have to say the same.
  Json call(PipedProgram& program, const std::string& tool, const Json& arguments = Json::object(),
            bool is_error = false) {
    const int id = ++last_id;
    send_call(program, id, tool, arguments);
    const Json said = next(program);
    EXPECT_EQ(said["id"], id) << said;
    EXPECT_EQ(said["result"].value("isError", !is_error), is_error) << said;
    Json answer = said["result"]["structuredContent"];
    EXPECT_EQ(Json::parse(std::string(said["result"]["content"][0]["text"])), answer);
    EXPECT_TRUE(answer.contains("freshness")) << answer;
    EXPECT_TRUE(answer.contains("error")) << answer;
    EXPECT_EQ(answer["error"].is_null(), !is_error) << answer;
    return answer;
  }
  void fill_from(const HranaPeer& peer) {
    ASSERT_EQ(run({"sync", "--source", peer.url(), "--cache", world.cache()}).exit, 0);
  }
  static void ping(PipedProgram& program) {
    program.send(R"({"jsonrpc":"2.0","id":"ping","method":"ping"})");
    EXPECT_EQ(next(program)["id"], "ping");
  }
  static int closed(PipedProgram& program) {
    program.close_input();
    return program.end();
  }
  [[nodiscard]] std::string errors_path() const { return world.folder.file("mcp.log"); }
  [[nodiscard]] std::string errors() const { return support::text_of(errors_path()); }

  int last_id = 0;
};

TEST_F(Mcp, memories_are_synced_listed_and_recalled_and_each_answer_says_how_fresh) {
  const auto program = talk();
  Json answer = call(*program, "sync");
  EXPECT_EQ(answer["complete"], true);
  EXPECT_EQ(answer["report"]["collections"]["episodes"]["upserted"], 3);
  EXPECT_EQ(answer["freshness"]["state"], "fresh");
  answer = call(*program, "get", {{"collection", "episodes"}, {"keys", {"e2", "none"}}});
  EXPECT_EQ(answer["items"][0]["presence"], "hit");
  EXPECT_EQ(answer["items"][0]["row"]["task_description"], "two");
  EXPECT_EQ(answer["items"][1]["presence"], "absent");
  EXPECT_TRUE(answer["items"][1]["row"].is_null());
  EXPECT_EQ(answer["freshness"]["state"], "fresh");
  answer = call(*program, "list", {{"collection", "episodes"}, {"limit", 2}});
  EXPECT_EQ(answer["items"][0]["key"], "e3");
  EXPECT_EQ(answer["items"][1]["key"], "e2");
  EXPECT_EQ(answer["truncated"], true);
  EXPECT_EQ(answer["freshness"]["state"], "fresh");
  answer = call(*program, "list", {{"collection", "episodes"}, {"limit", 3}});
  EXPECT_EQ(answer["truncated"], false);
  answer =
      call(*program, "list",
           {{"collection", "patterns"}, {"where", {{"index", "pattern_type"}, {"value", "plan"}}}});
  ASSERT_EQ(answer["items"].size(), 1U);
  EXPECT_EQ(answer["items"][0]["key"], "p2");
  answer = call(*program, "status");
  EXPECT_EQ(answer["collections"]["episodes"]["count"], 3);
  EXPECT_TRUE(answer["problem"].is_null());
  EXPECT_TRUE(answer["daemon"].is_null());
  // What was written before the call is there after it, in the reader that was open before.
  world.source.run("UPDATE episodes SET task_description = 'changed' WHERE episode_id = 'e2'");
  call(*program, "sync");
  answer = call(*program, "get", {{"collection", "episodes"}, {"keys", {"e2"}}});
  EXPECT_EQ(answer["items"][0]["row"]["task_description"], "changed");
  EXPECT_EQ(closed(*program), 0);
  EXPECT_EQ(errors(), "");
}

TEST_F(Mcp, vectors_are_given_as_their_dimension_or_as_numbers) {
  const auto program = talk();
  call(*program, "sync");
  Json arguments = {{"collection", "embeddings"}, {"of", "e3"}};
  EXPECT_EQ(call(*program, "list", arguments)["items"][0]["row"]["embedding_vector"],
            (Json{{"dimension", 2}}));
  arguments["vectors"] = true;
  EXPECT_EQ(call(*program, "list", arguments)["items"][0]["row"]["embedding_vector"],
            (Json{1.0, 2.0}));
}

TEST_F(Mcp, what_is_nearest_is_asked_for_by_a_vector_or_by_a_memory) {
  world.source.run("INSERT INTO embeddings VALUES('v2','e2','episode',NULL,x'0000803F00000000',2)");
  const auto program = talk();
  call(*program, "sync");
  Json answer = call(*program, "nearest", {{"vector", {1, 2.1}}, {"k", 1}});
  ASSERT_EQ(answer["neighbours"].size(), 1U) << answer;
  EXPECT_EQ(answer["neighbours"][0]["key"], "v1");
  EXPECT_EQ(answer["neighbours"][0]["parent"]["key"], "e3");
  EXPECT_EQ(answer["coverage"]["searched"], 2);
  EXPECT_TRUE(answer["presence"].is_null());
  EXPECT_EQ(answer["freshness"]["state"], "fresh");
  answer = call(*program, "nearest", {{"like", "e3"}, {"similarity", "l2"}});
  ASSERT_EQ(answer["neighbours"].size(), 1U) << "not itself";
  EXPECT_EQ(answer["neighbours"][0]["key"], "v2");
  EXPECT_EQ(answer["neighbours"][0]["score"], 2.0);
  EXPECT_EQ(answer["presence"], "hit");
  EXPECT_EQ(call(*program, "nearest", {{"like", "e1"}})["presence"], "unknown");
  for (const Json& wrong : std::vector<Json>{
           Json::object(),
           {{"like", "e3"}, {"vector", {1, 2}}},
           {{"vector", Json::array()}},
           {{"vector", {1, "2"}}},
           {{"vector", {0, 0}}},
           {{"vector", {1, 1e300}}},
           {{"like", "e3"}, {"k", 101}},
           {{"like", "e3"}, {"similarity", "near"}},
           {{"like", "e3"}, {"of", "memories"}},
       }) {
    EXPECT_EQ(call(*program, "nearest", wrong, true)["error"]["code"], "invalid") << wrong;
  }
}

TEST_F(Mcp, without_a_cache_a_call_fails_with_what_to_do_and_works_after_a_sync) {
  const auto program = talk();
  const Json get = {{"collection", "episodes"}, {"keys", {"e1"}}};
  Json answer = call(*program, "get", get, true);
  EXPECT_TRUE(answer["freshness"].is_null());
  EXPECT_NE(std::string(answer["error"]["hint"]).find("sync"), std::string::npos) << answer;
  answer = call(*program, "status");
  EXPECT_EQ(answer["exists"], false);
  EXPECT_FALSE(std::string(answer["problem"]["message"]).empty());
  call(*program, "sync");
  EXPECT_EQ(call(*program, "get", get)["items"][0]["presence"], "hit");
}

TEST_F(Mcp, everything_that_is_wrong_with_the_arguments_is_named_at_once) {
  const auto program = talk();
  call(*program, "sync");
  Json answer =
      call(*program, "get", {{"colection", "x"}, {"keys", {1}}, {"vectors", "yes"}}, true);
  EXPECT_EQ(answer["error"]["code"], "invalid");
  for (const char* part : {"colection (did you mean collection?)", "collection is missing", "keys",
                           "vectors wants true or false"}) {
    EXPECT_NE(std::string(answer["error"]["message"]).find(part), std::string::npos) << answer;
  }
  for (const auto& [tool, arguments] :
       std::map<std::string, Json>{{"get", {{"collection", "episodes"}, {"keys", Json::array()}}},
                                   {"list", {{"collection", "episodes"}, {"limit", 0}}},
                                   {"status", {{"verbose", true}}},
                                   {"sync", {{"full", 1}}}}) {
    EXPECT_EQ(call(*program, tool, arguments, true)["error"]["code"], "invalid") << tool;
  }
  answer = call(*program, "get", {{"collection", "episode"}, {"keys", {"e1"}}}, true);
  EXPECT_NE(std::string(answer["error"]["hint"]).find("episodes"), std::string::npos) << answer;
  EXPECT_EQ(answer["freshness"]["state"], "fresh");
}

TEST_F(Mcp, an_older_cache_than_the_call_allows_is_refused) {
  const auto program = talk();
  call(*program, "sync");
  Json arguments = {{"collection", "episodes"}, {"max_age_ms", 3'600'000}};
  EXPECT_EQ(call(*program, "list", arguments)["items"].size(), 3U);
  const auto aged = [&] { return int(call(*program, "status")["freshness"]["age_ms"]) > 0; };
  ASSERT_TRUE(support::wait_until(aged));
  arguments["max_age_ms"] = 0;
  const Json answer = call(*program, "list", arguments, true);
  EXPECT_EQ(answer["error"]["code"], "stale");
  EXPECT_GT(answer["freshness"]["age_ms"], 0);
}

TEST_F(Mcp, an_answer_is_bounded) {
  const std::string half(cli::mcp::kRowsBytesMax / 2, 'x');
  for (const char* key : {"b1", "b2", "b3"}) {
    world.source.run(std::string("INSERT INTO episodes VALUES('") + key + "', '" + half +
                     "', 5, 1, NULL)");
  }
  world.source.run("INSERT INTO episodes VALUES('huge', '" + half + half + "', 4, 1, NULL)");
  const auto program = talk();
  call(*program, "sync");
  Json answer = call(*program, "list", {{"collection", "episodes"}});
  EXPECT_EQ(answer["items"].size(), 1U);
  EXPECT_EQ(answer["truncated"], true);
  answer = call(*program, "get", {{"collection", "episodes"}, {"keys", {"b1", "b2"}}});
  EXPECT_EQ(answer["items"].size(), 1U);
  EXPECT_EQ(answer["truncated"], true);
  answer = call(*program, "get", {{"collection", "episodes"}, {"keys", {"huge"}}}, true);
  EXPECT_EQ(answer["error"]["code"], "unsupported");
}

// A client that sends what is no message, or a gigabyte of it, must not take the machine along.
TEST_F(Mcp, a_line_that_is_too_long_is_refused_takes_no_memory_and_the_next_one_is_answered) {
  const auto program = talk();
  ping(*program);
  const auto peak_kib = [&program] {
    const std::string status =
        support::text_of("/proc/" + std::to_string(program->pid()) + "/status");
    return std::stol(status.substr(status.find("VmHWM:") + 6));
  };
  const auto send_mebibytes = [&](int count) {
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < count; ++i) ASSERT_TRUE(program->write(piece));
    program->send("");
    const Json refused = next(*program);
    EXPECT_EQ(refused["error"]["code"], -32600);
    EXPECT_TRUE(refused["id"].is_null());
  };
#ifdef TIDEMARK_THREAD_SANITIZER  // its own memory for what the buffers touch, once
  send_mebibytes(8);
#endif
  const long before = peak_kib();
  send_mebibytes(64);
  EXPECT_LT(peak_kib() - before, 24 * 1024);
  ping(*program);
  program->send("not JSON");
  EXPECT_EQ(next(*program)["error"]["code"], -32700);
  ping(*program);
  EXPECT_EQ(closed(*program), 0);
}

TEST_F(Mcp, a_signal_and_a_client_that_is_gone_end_it_also_in_the_middle_of_a_pass) {
  HranaPeer peer(world.folder.file("source.db"));
  for (const std::string how : {"term", "int", "end of input", "closed output"}) {
    for (const bool busy : {false, true}) {
      peer.script({{{"kind", "hang"}}});
      const auto program = talk(peer.url());
      if (busy) {
        send_call(*program, 1, "sync");
        ASSERT_TRUE(peer.wait_until([](const Json& stats) { return stats["hanging"] == 1; }));
      }
      if (how == "term") program->signal(SIGTERM);
      if (how == "int") program->signal(SIGINT);
      if (how == "end of input") program->close_input();
      if (how == "closed output") {
        program->close_output();
        program->send(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
      }
      EXPECT_EQ(program->end(), 0) << how << busy << errors();
    }
  }
}

TEST_F(Mcp, while_a_pass_runs_others_are_answered_and_one_that_was_cancelled_is_not) {
  HranaPeer peer(world.folder.file("source.db"));
  fill_from(peer);
  peer.script({{{"kind", "hang"}}});
  const auto program = talk(peer.url());
  send_call(*program, "slow", "sync");
  ASSERT_TRUE(peer.wait_until([](const Json& stats) { return stats["hanging"] == 1; }));
  EXPECT_EQ(call(*program, "get", {{"collection", "episodes"}, {"keys", {"e1"}}})["items"].size(),
            1U);
  send_call(*program, "waits", "sync");
  program->send(
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"waits"}})");
  program->send(
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow"}})");
  ASSERT_TRUE(peer.wait_until([](const Json& stats) { return stats["hanging"] == 0; }));
  peer.script({});
  // The next line is this call's: neither of the others is ever answered.
  EXPECT_EQ(call(*program, "sync")["complete"], true);
  EXPECT_EQ(closed(*program), 0);
}

TEST_F(Mcp, more_passes_than_may_wait_are_refused_at_once) {
  HranaPeer peer(world.folder.file("source.db"));
  peer.script({{{"kind", "hang"}}});
  const auto program = talk(peer.url());
  for (std::size_t i = 0; i < cli::mcp::kSlowCallsMax; ++i) {
    send_call(*program, "pass " + std::to_string(i), "sync");
  }
  EXPECT_EQ(call(*program, "sync", Json::object(), true)["error"]["code"], "busy");
}

TEST_F(Mcp, a_pass_tells_how_far_it_is_where_the_client_asked) {
  const auto program = talk();
  send_call(*program, 1, "sync", Json::object(), {{"progressToken", 17}});
  int told = 0;
  double last = 0;
  Json said = next(*program);
  for (; said.contains("method"); said = next(*program)) {
    EXPECT_EQ(said["method"], "notifications/progress");
    EXPECT_EQ(said["params"]["progressToken"], 17);
    EXPECT_GT(double(said["params"]["progress"]), last);
    last = said["params"]["progress"];
    ++told;
  }
  EXPECT_GT(told, 0);
  EXPECT_EQ(said["id"], 1);
}

TEST_F(Mcp, a_living_daemon_runs_the_pass) {
  configure(world.url());
  ChildProcess daemon = start_and_wait();
  const auto program = talk();
  const auto before = passes();
  EXPECT_EQ(call(*program, "sync")["complete"], true);
  EXPECT_EQ(passes(), before + 1);
  EXPECT_EQ(call(*program, "status")["daemon"]["pid"], daemon.pid());
  stop(daemon);
  EXPECT_EQ(call(*program, "sync")["complete"], true) << "here, where none lives";
}

TEST_F(Mcp, what_a_source_refuses_is_told_and_no_token_is) {
  HranaPeer peer(world.folder.file("source.db"));
  fill_from(peer);
  peer.set({{"tokens", {"right"}}});
  environment["TURSO_AUTH_TOKEN"] = "a-secret-word";
  const auto program = talk(peer.url());
  const Json answer = call(*program, "sync", Json::object(), true);
  EXPECT_EQ(answer["error"]["code"], "rejected");
  EXPECT_FALSE(answer["freshness"].is_null()) << "the cache is still there";
  const std::string all = answer.dump() + call(*program, "status").dump() + errors();
  EXPECT_EQ(all.find("a-secret-word"), std::string::npos) << all;
}

TEST_F(Mcp, one_that_only_reads_has_no_sync) {
  const auto program = talk(world.url(), {"--read-only"});
  program->send(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  for (const Json& tool : next(*program)["result"]["tools"]) {
    EXPECT_NE(tool["name"], "sync");
    EXPECT_EQ(tool["annotations"]["readOnlyHint"], true);
  }
  send_call(*program, 2, "sync");
  EXPECT_EQ(next(*program)["error"]["code"], -32602);
}

// stdout is the client's: an envelope there would be a message that is none.
TEST_F(Mcp, what_is_wrong_with_the_configuration_is_told_on_standard_error_alone) {
  write("bad.toml", "[sync]\nintervall = \"1s\"\n");
  const support::Said said = run({"--json", "--config", world.folder.file("bad.toml"), "mcp"});
  EXPECT_EQ(said.exit, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_NE(said.err.find("interval"), std::string::npos) << said.err;
}

}  // namespace
}  // namespace tidemark
