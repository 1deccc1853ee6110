// MCP without a process: what a line asks for and is answered, by the protocol alone.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "cli/mcp/line_buffer.h"
#include "cli/mcp/session.h"
#include "cli/mcp/tuning.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::json;

Tool tool_named(const std::string& name) {
  Tool tool;
  tool.name = name;
  tool.input_schema = R"({"type":"object"})";
  tool.output_schema = R"({"type":"object","title":"answer"})";
  return tool;
}

struct McpSession : public ::testing::Test {
  Step take(const Json& message) { return session.take(message.dump()); }
  // Of a message that is answered at once, with one line.
  Json answer(const Json& message) {
    const Step step = take(message);
    EXPECT_EQ(step.lines.size(), 1U) << message;
    return step.lines.empty() ? Json() : Json::parse(step.lines.front());
  }
  Json initialize(const std::string& version = "2025-11-25") {
    return answer(request(0, "initialize", {{"protocolVersion", version}}));
  }
  static Json request(const Json& id, const std::string& method, const Json& params = {}) {
    Json message = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
    if (!params.is_null()) message["params"] = params;
    return message;
  }
  static Json call(const Json& id, Json params = {{"name", "look"}}) {
    return request(id, "tools/call", params);
  }
  static Json cancel(const Json& id) {
    return {
        {"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {{"requestId", id}}}};
  }

  std::vector<Tool> tools = {tool_named("look"), tool_named("change")};
  Session session{tools, "1.2.3"};
};

TEST_F(McpSession, a_client_gets_the_version_that_it_asks_for_and_of_an_unknown_one_the_newest) {
  const std::map<std::string, std::string> answers = {
      {"2024-11-05", "2024-11-05"}, {"2025-03-26", "2025-03-26"}, {"2025-06-18", "2025-06-18"},
      {"2025-11-25", "2025-11-25"}, {"2026-07-28", "2025-11-25"}, {"1999-01-01", "2025-11-25"}};
  for (const auto& [asked, given] : answers) {
    Session one(tools, "1.2.3");
    const Step step = one.take(request(0, "initialize", {{"protocolVersion", asked}}).dump());
    const Json result = Json::parse(step.lines.at(0))["result"];
    EXPECT_EQ(result["protocolVersion"], given);
    EXPECT_EQ(result["serverInfo"]["name"], "tidemark");
    EXPECT_EQ(result["serverInfo"]["version"], "1.2.3");
    EXPECT_TRUE(result["capabilities"].contains("tools"));
    EXPECT_FALSE(std::string(result["instructions"]).empty());
  }
}

// A client of 2026-07-28 asks server/discover first; -32601 makes it fall back to initialize.
TEST_F(McpSession, before_initialize_a_ping_is_answered_and_a_call_is_refused) {
  EXPECT_EQ(answer(request(1, "ping"))["result"], Json::object());
  EXPECT_EQ(answer(request(2, "server/discover"))["error"]["code"], -32601);
  EXPECT_EQ(answer(call(3))["error"]["code"], -32600);
  EXPECT_EQ(answer(request(4, "tools/list"))["error"]["code"], -32600);
  EXPECT_TRUE(initialize().contains("result"));
  EXPECT_EQ(initialize()["error"]["code"], -32600) << "once is enough";
}

TEST_F(McpSession, what_is_no_message_is_refused_with_json_rpcs_numbers) {
  initialize();
  struct Case {
    std::string line;
    int code;
    Json id;
  };
  const std::vector<Case> cases = {
      {"no JSON", -32700, nullptr},
      {"{\"jsonrpc\":\"2.0\",\"id\":1", -32700, nullptr},
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700, nullptr},
      {"7", -32600, nullptr},
      {"{}", -32600, nullptr},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})", -32600, 1},
      {R"({"jsonrpc":"2.0","id":"a"})", -32600, "a"},
      {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", -32600, nullptr},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})", -32600, nullptr},
      {R"({"jsonrpc":"2.0","id":1,"method":["ping"]})", -32600, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})", -32602, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})", -32601, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}})", -32602, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/call"})", -32602, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"none"}})", -32602, 1},
      {R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":[]}})",
       -32602, 1},
      {"[]", -32600, nullptr},
      {std::string(1'000'000, '['), -32600, nullptr},
  };
  for (const Case& one : cases) {
    const Step step = session.take(one.line);
    ASSERT_EQ(step.lines.size(), 1U) << one.line.substr(0, 100);
    const Json json = Json::parse(step.lines.front());
    EXPECT_EQ(json["error"]["code"], one.code) << one.line.substr(0, 100) << json;
    EXPECT_EQ(json["id"], one.id) << json;
    EXPECT_TRUE(step.calls.empty());
  }
}

TEST_F(McpSession, what_is_deeper_than_a_request_can_be_is_refused_and_what_is_not_is_kept) {
  initialize();
  const auto nested = [](int depth) {
    return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":)" +
           std::string(R"({"a":)") + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}}}";
  };
  EXPECT_EQ(session.take(nested(kDepthMax - 3)).calls.size(), 1U);
  EXPECT_EQ(Json::parse(session.take(nested(kDepthMax)).lines.at(0))["error"]["code"], -32600);
}

TEST_F(McpSession, no_notification_and_no_response_is_answered) {
  initialize();
  for (const char* line : {
           R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
           R"({"jsonrpc":"2.0","method":"notifications/unheard_of"})",
           R"({"jsonrpc":"2.0","method":"tools/call","params":{"name":"look"}})",
           R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}})",
           R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":[]})",
           R"({"jsonrpc":"2.0","id":7,"result":{}})",
           R"({"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}})",
       }) {
    const Step step = session.take(line);
    EXPECT_TRUE(step.lines.empty() && step.calls.empty() && step.cancelled.empty()) << line;
  }
}

TEST_F(McpSession, a_list_has_each_tools_schemas) {
  initialize();
  const Json list = answer(request("list", "tools/list"))["result"]["tools"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["name"], "look");
  EXPECT_EQ(list[0]["inputSchema"]["type"], "object");
  EXPECT_EQ(list[0]["outputSchema"]["title"], "answer");
  EXPECT_EQ(list[0]["annotations"]["readOnlyHint"], true);
}

TEST_F(McpSession, an_answer_is_text_and_from_2025_06_18_on_also_structured) {
  for (const char* version : {"2025-03-26", "2025-06-18"}) {
    Session one(tools, "1");
    std::ignore = one.take(request(0, "initialize", {{"protocolVersion", version}}).dump());
    const Step started =
        one.take(call("id", {{"name", "change"}, {"arguments", {{"a", {1, 2}}}}}).dump());
    ASSERT_EQ(started.calls.size(), 1U);
    EXPECT_EQ(started.calls[0].tool->name, "change");
    EXPECT_EQ(Json::parse(started.calls[0].arguments), (Json{{"a", {1, 2}}}));
    const Step ended = one.finish(started.calls[0].number, {R"({"n":1})", true});
    const Json said = Json::parse(ended.lines.at(0));
    EXPECT_EQ(said["id"], "id");
    EXPECT_EQ(said["result"]["isError"], true);
    EXPECT_EQ(Json::parse(std::string(said["result"]["content"][0]["text"])), (Json{{"n", 1}}));
    EXPECT_EQ(said["result"].contains("structuredContent"), std::string(version) == "2025-06-18");
  }
}

TEST_F(McpSession, progress_is_told_where_a_token_was_given_and_grows) {
  initialize();
  const auto silent = take(call(1)).calls.at(0).number;
  EXPECT_TRUE(session.progress(silent, "10 rows").lines.empty());
  const auto told =
      take(call(2, {{"name", "look"}, {"_meta", {{"progressToken", "t"}}}})).calls.at(0).number;
  double last = 0;
  for (const char* text : {"10 rows", "20 rows"}) {
    const Json said = Json::parse(session.progress(told, text).lines.at(0));
    EXPECT_EQ(said["method"], "notifications/progress");
    EXPECT_EQ(said["params"]["progressToken"], "t");
    EXPECT_EQ(said["params"]["message"], text);
    EXPECT_GT(double(said["params"]["progress"]), last);
    last = said["params"]["progress"];
  }
  std::ignore = session.finish(told, {"{}"});
  EXPECT_TRUE(session.progress(told, "30 rows").lines.empty()) << "after the answer";
}

TEST_F(McpSession, a_cancelled_call_is_stopped_and_never_answered) {
  initialize();
  const auto number = take(call("a")).calls.at(0).number;
  const auto other = take(call("b")).calls.at(0).number;
  EXPECT_EQ(take(cancel("a")).cancelled, std::vector{number});
  EXPECT_TRUE(take(cancel("a")).cancelled.empty());
  EXPECT_TRUE(session.progress(number, "10 rows").lines.empty());
  EXPECT_TRUE(session.finish(number, {"{}"}).lines.empty());
  EXPECT_EQ(session.finish(other, {"{}"}).lines.size(), 1U);
}

TEST_F(McpSession, an_id_that_is_under_way_is_not_taken_twice) {
  initialize();
  const auto number = take(call(1)).calls.at(0).number;
  EXPECT_EQ(answer(call(1))["error"]["code"], -32600);
  std::ignore = session.finish(number, {"{}"});
  EXPECT_EQ(take(call(1)).calls.size(), 1U);
}

TEST_F(McpSession, a_batch_is_answered_together_when_its_last_call_ends) {
  initialize("2025-03-26");
  const Step step = take(Json::array({request(1, "ping"), call(2), call(3), call(4), cancel(4)}));
  EXPECT_TRUE(step.lines.empty());
  ASSERT_EQ(step.calls.size(), 2U) << "what was cancelled in the same line does not begin";
  EXPECT_TRUE(session.finish(step.calls[1].number, {"{}"}).lines.empty());
  const Step last = session.finish(step.calls[0].number, {"{}"});
  const Json said = Json::parse(last.lines.at(0));
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ((std::set<int>{said[0]["id"], said[1]["id"], said[2]["id"]}), (std::set{1, 2, 3}));
  EXPECT_TRUE(take(Json::array({cancel(9)})).lines.empty());
  Json many = Json::array();
  for (std::size_t i = 0; i <= kBatchMax; ++i) many.push_back(request(i, "ping"));
  EXPECT_EQ(answer(many)["error"]["code"], -32600);
}

TEST_F(McpSession, only_the_version_that_has_batches_takes_one) {
  EXPECT_EQ(answer(Json::array({request(1, "ping")}))["error"]["code"], -32600)
      << "before initialize";
  initialize("2025-06-18");
  EXPECT_EQ(answer(Json::array({request(1, "ping")}))["error"]["code"], -32600);
}

TEST(McpLineBuffer, lines_come_whole_however_they_arrive) {
  LineBuffer lines(10);
  std::vector<std::string> seen;
  for (const char c : std::string("one\n\ntwo\nthr")) {
    lines.add({&c, 1});
    while (auto taken = lines.next()) seen.push_back(taken->line);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "", "two"}));
}

TEST(McpLineBuffer, a_line_that_is_too_long_is_lost_and_the_next_one_is_not) {
  for (const std::size_t piece : {1U, 3U, 100U}) {
    LineBuffer lines(10);
    const std::string bytes = std::string(10, 'a') + "\n" + std::string(11, 'b') + "\nc\n";
    std::vector<std::pair<std::string, bool>> seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      lines.add(std::string_view(bytes).substr(at, piece));
      while (auto taken = lines.next()) seen.emplace_back(taken->line, taken->too_long);
    }
    const std::vector<std::pair<std::string, bool>> expected = {
        {std::string(10, 'a'), false}, {"", true}, {"c", false}};
    EXPECT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace tidemark::cli::mcp
