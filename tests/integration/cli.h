// The built program, run beside a source with a few memories.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/world.h"
#include "tests/support/program.h"

namespace tidemark::support {

using Json = nlohmann::json;

// A source with a few memories, and the program run beside it.
struct Cli : public ::testing::Test {
  Cli() {
    world.source.run(
        "INSERT INTO episodes VALUES('e1','one',1,1,x'00'),('e2','two',2,1,x''),"
        "('e3','three',3,1,NULL)");
    world.source.run("INSERT INTO patterns VALUES('p1','retry','{}'),('p2','plan','{}')");
    world.source.run(
        "INSERT INTO embeddings VALUES('v1','e3','episode',NULL,x'0000803F00000040',2)");
  }
  Said run(std::vector<std::string> words) {
    return run_program(TIDEMARK_PROGRAM, std::move(words), home(), environment, out_path);
  }
  // With --json: the envelope, whose exit is the program's.
  Json envelope(std::vector<std::string> words, int exit) {
    words.insert(words.begin(), "--json");
    const Said said = run(std::move(words));
    EXPECT_EQ(said.exit, exit) << said.out << said.err;
    Json json = Json::parse(said.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << said.out;
    if (!json.is_object()) return Json::object();
    EXPECT_EQ(json["v"], 1);
    EXPECT_EQ(json["exit"], exit);
    for (const char* name : {"command", "error", "freshness", "result"}) {
      EXPECT_TRUE(json.contains(name)) << name;
    }
    return json;
  }
  std::vector<std::string> sync(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"sync", "--source", world.url(), "--cache", world.cache()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(world.folder.file(name)) << text;
  }
  std::string home() { return world.folder.file(""); }

  World world;
  std::map<std::string, std::string> environment;
  std::string out_path;
};

}  // namespace tidemark::support
