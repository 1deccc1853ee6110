// Single items over HTTP, beside what the command says of them.
#include "daemon/tuning.h"
#include "tests/integration/daemon_http.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::DaemonHttp;
using support::HttpAnswer;
using support::Json;

struct DaemonItems : public DaemonHttp {
  // Its JSON, which must come with this status.
  [[nodiscard]] Json item(const std::string& path, int status) const {
    const HttpAnswer answer = may("/v1/items/" + path);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    EXPECT_NE(answer.head.find("Content-Type: application/json"), std::string::npos) << path;
    return Json::parse(answer.body);
  }
};

std::string encoded(const std::string& key) {
  std::string out;
  for (const char c : key) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned char>(c));
    out += text;
  }
  return out;
}

TEST_F(DaemonItems, an_item_is_what_the_command_gets_whatever_its_key) {
  const std::vector<std::string> keys = {
      "a/b",  "it's \"so\"", "100%", "a b+c", "../../etc/passwd", "\xc3\xa9\xe6\xbc\xa2",
      "?x=1", "#",           ""};
  for (const std::string& key : keys) {
    std::string quoted;
    for (const char c : key) quoted += c == '\'' ? "''" : std::string(1, c);
    world.source.run("INSERT INTO patterns VALUES('" + quoted + "','odd','{}')");
  }
  world.source.run("INSERT INTO heuristics VALUES(9007199254740993,'large'),(-7,'small')");
  world.source.run("UPDATE episodes SET reward=9e999 WHERE episode_id='e2'");
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  std::vector<std::pair<std::string, std::string>> items = {
      {"episodes", "e1"},  {"episodes", "e2"},   {"episodes", "e3"},
      {"patterns", "p1"},  {"embeddings", "v1"}, {"heuristics", "9007199254740993"},
      {"heuristics", "-7"}};
  for (const std::string& key : keys) items.emplace_back("patterns", key);
  for (const auto& [collection, key] : items) {
    const Json got = item(collection + "/" + encoded(key), 200);
    const Json command = envelope(words({"get", "--", collection, key}), 0);
    EXPECT_EQ(got["presence"], "hit");
    EXPECT_EQ(got["result"], command["result"]) << key;
    EXPECT_FALSE(got["result"][0]["row"].empty());
    EXPECT_EQ(got["freshness"]["state"], "fresh");
    EXPECT_EQ(got["error"], nullptr);
  }
  EXPECT_EQ(item("episodes/e1", 200)["result"][0]["row"]["raw"], Json({{"base64", "AA=="}}));
  EXPECT_EQ(item("patterns/a/b", 200)["result"][0]["key"], "a/b");
  stop(program);
}

TEST_F(DaemonItems, what_is_not_there_says_whether_the_source_has_it) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  for (const auto& [path, presence] : {std::pair{"patterns/none", "absent"},
                                       {"episodes/none", "absent"},
                                       {"episodes/%00", "absent"},
                                       {"embeddings/none", "unknown"}}) {
    const Json got = item(path, 404);
    EXPECT_EQ(got["presence"], presence) << path;
    EXPECT_EQ(got["result"][0]["presence"], presence) << path;
    EXPECT_EQ(got["result"][0]["row"], nullptr);
    EXPECT_EQ(got["freshness"]["state"], "fresh");
  }
  for (const char* wrong : {"episodes", "episodes/%zz", "episodes/%", "episodes/%ff%fe"}) {
    EXPECT_EQ(may("/v1/items/" + std::string(wrong)).status, 400) << wrong;
  }
  for (const char* path : {"none/e1", "../status", "%2e%2e/status", "/e1", "%00/e1"}) {
    const Json got = item(path, 404);
    EXPECT_EQ(got["presence"], nullptr);
    EXPECT_EQ(got["error"]["code"], "invalid");
    EXPECT_NE(got["error"].dump().find("episodes"), std::string::npos) << got;
  }
  EXPECT_EQ(item("episodes/" + std::string(7'000, 'x'), 404)["presence"], "absent");
  EXPECT_EQ(may("/v1/items/episodes/" + std::string(8'192, 'x')).status, 431);
  stop(program);
}

TEST_F(DaemonItems, an_item_follows_the_passes_and_new_generations) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  const auto title_of_e1 = [&] {
    return item("episodes/e1", 200)["result"][0]["row"]["task_description"];
  };
  EXPECT_EQ(title_of_e1(), "one");
  world.source.run("UPDATE episodes SET task_description='new' WHERE episode_id='e1'");
  EXPECT_EQ(title_of_e1(), "one");
  ASSERT_TRUE(ask());
  EXPECT_EQ(title_of_e1(), "new");
  world.source.run("UPDATE episodes SET task_description='newer' WHERE episode_id='e1'");
  ASSERT_TRUE(ask(daemon::Work::rebuild));
  EXPECT_EQ(title_of_e1(), "newer");
  stop(program);
}

TEST_F(DaemonItems, a_cache_that_cannot_be_read_is_an_error_and_nothing_else) {
  configure_http("http://127.0.0.1:1");
  ChildProcess program = start_and_wait();
  const Json none = item("episodes/e1", 503);
  EXPECT_EQ(none["presence"], nullptr);
  EXPECT_EQ(none["error"]["code"], "invalid");
  write("cache.redb", "no cache at all");
  EXPECT_FALSE(item("episodes/e1", 503)["error"]["message"].empty());
  EXPECT_EQ(support::text_of(world.cache()), "no cache at all");
  EXPECT_EQ(get("/healthz").status, 200);
  stop(program);
}

}  // namespace
}  // namespace tidemark
