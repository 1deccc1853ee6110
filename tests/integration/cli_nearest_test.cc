// The built program's `nearest`.
#include <cstring>

#include "cache/lock.h"
#include "cache/writer.h"
#include "tests/integration/cli.h"

namespace tidemark {
namespace {

using support::Cli;
using support::Json;
using support::Said;

struct CliNearest : public Cli {
  CliNearest() {  // beside v1 of e3: (1, 2)
    world.source.run(
        "INSERT INTO embeddings VALUES('v2','p1','pattern',NULL,x'0000803F00000000',2),"
        "('v3','e2','episode',NULL,x'000000000000803F',2),"
        "('v4','p2','pattern',NULL,x'000080BF00000000',2)");
  }
  std::vector<std::string> nearest(std::vector<std::string> more) {
    more.insert(more.begin(), {"nearest", "--cache", world.cache()});
    return more;
  }
  std::string keys(std::vector<std::string> more) {
    std::string keys;
    const Json result = envelope(nearest(std::move(more)), 0)["result"];
    for (const auto& one : result["neighbours"]) keys += std::string(one["key"]) + " ";
    return keys;
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(CliNearest, prints_what_is_like_an_item_and_what_was_searched) {
  ASSERT_EQ(run(sync()).exit, 0);
  for (const char* key : {"e3", "v1"}) {  // the item's, and the embedding's own
    const Said said = run(nearest({"--like", key}));
    EXPECT_EQ(said.exit, 0);
    EXPECT_EQ(said.out,
              " 0.894427  embeddings  v3  episodes e2\n"
              " 0.447214  embeddings  v2  patterns p1\n"
              "-0.447214  embeddings  v4  patterns p2\n");
    EXPECT_TRUE(said.err.starts_with(
        "searched 4 vectors of 2 floats; the source had no others, fresh, checked "))
        << said.err;
  }
  EXPECT_EQ(run(nearest({"--like", "e3", "-q"})).err, "");
}

TEST_F(CliNearest, each_flag_narrows_or_orders) {
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_EQ(keys({"--like", "e3"}), "v3 v2 v4 ");
  EXPECT_EQ(keys({"--like", "e3", "-k", "1"}), "v3 ");
  EXPECT_EQ(keys({"--like", "e3", "--of", "patterns"}), "v2 v4 ");
  EXPECT_EQ(keys({"--like", "v2", "--similarity", "l2"}), "v3 v1 v4 ");
  EXPECT_EQ(keys({"--like", "v2", "--similarity", "dot"}), "v1 v3 v4 ");
  EXPECT_EQ(keys({"--like", "e3", "--collection", "embeddings", "--model", ""}), "v3 v2 v4 ");
  write("vector.json", "[1, 0.25]\n");
  EXPECT_EQ(keys({"--vector", "vector.json"}), "v2 v1 v3 v4 ");
  write("vector.f32", std::string("\x00\x00\x80\x3f\x00\x00\x80\x3e", 8));
  EXPECT_EQ(keys({"--vector", "vector.f32"}), "v2 v1 v3 v4 ");
}

TEST_F(CliNearest, json_has_scores_parents_rows_without_vectors_and_coverage) {
  ASSERT_EQ(run(sync()).exit, 0);
  const Json json = envelope(nearest({"--like", "e3", "--of", "episodes"}), 0);
  EXPECT_EQ(json["command"], "nearest");
  EXPECT_EQ(json["freshness"]["state"], "fresh");
  const Json& result = json["result"];
  EXPECT_EQ(result["like"]["key"], "v1");
  EXPECT_EQ(result["like"]["collection"], "embeddings");
  EXPECT_EQ(result["similarity"], "cosine");
  EXPECT_EQ(result["dimension"], 2);
  ASSERT_EQ(result["neighbours"].size(), 1U);
  const Json& one = result["neighbours"][0];
  EXPECT_NEAR(one["score"], 0.894427191, 1e-9);
  EXPECT_EQ(one["collection"], "embeddings");
  EXPECT_EQ(one["parent"], (Json{{"collection", "episodes"}, {"key", "e2"}}));
  EXPECT_EQ(one["row"]["item_id"], "e2");
  EXPECT_FALSE(one["row"].contains("embedding_vector") || one["row"].contains("embedding_data"));
  EXPECT_EQ(result["coverage"]["searched"], 2);
  EXPECT_EQ(result["coverage"]["other_parent"], 2);
  EXPECT_EQ(result["coverage"]["complete"], true);
}

TEST_F(CliNearest, says_what_the_source_may_have_beyond_the_cache) {
  ASSERT_EQ(run(sync({"--max-episodes-cache", "2"})).exit, 0);
  const Said all = run(nearest({"--like", "v1"}));
  EXPECT_TRUE(has(all.err, "the source may have others: older episodes are not cached")) << all.err;
  const Said patterns = run(nearest({"--like", "v1", "--of", "patterns"}));
  EXPECT_TRUE(has(patterns.err, "left out: 2 of other collections; the source had no others"))
      << patterns.err;
}

TEST_F(CliNearest, a_key_without_a_cached_embedding_is_unknown) {
  ASSERT_EQ(run(sync()).exit, 0);
  for (const char* key : {"e1", "nothing"}) {
    const Said said = run(nearest({"--like", key}));
    EXPECT_EQ(said.exit, 9);
    EXPECT_EQ(said.out, "");
    EXPECT_EQ(said.err,
              std::string(key) + ": unknown: no embedding of it is cached, ask the source\n");
    const Json json = envelope(nearest({"--like", key}), 9);
    EXPECT_TRUE(json["result"].is_null() && json["error"].is_null());
  }
}

TEST_F(CliNearest, a_key_that_means_several_embeddings_is_refused_with_their_names) {
  world.source.run("INSERT INTO embeddings VALUES('v5','e3','episode',NULL,x'0000803F0000803F',2)");
  ASSERT_EQ(run(sync()).exit, 0);
  const Json error = envelope(nearest({"--like", "e3"}), 2)["error"];
  EXPECT_TRUE(has(error["message"], "e3 means 2 embeddings: ")) << error;
  EXPECT_TRUE(has(error["message"], "embeddings v5 (no model, 2 floats)")) << error;
  EXPECT_TRUE(has(error["hint"], "name the key of one")) << error;
  EXPECT_EQ(keys({"--like", "v5", "-k", "1"}), "v1 ");
}

TEST_F(CliNearest, what_means_nothing_is_a_usage_error) {
  ASSERT_EQ(run(sync()).exit, 0);
  write("zero.json", "[0,0]");
  write("bad.json", "[1,\"two\"]");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{},
                                             {"--like", "e3", "--vector", "zero.json"},
                                             {"--vector", "zero.json"},
                                             {"--vector", "bad.json"},
                                             {"--vector", "missing.json"},
                                             {"--vector", "-"},  // stdin is empty
                                             {"--like", "e3", "-k", "0"},
                                             {"--like", "e3", "-k", "-1"},
                                             {"--like", "e3", "--similarity", "manhattan"},
                                             {"--like", "e3", "--of", "embeddings"},
                                             {"--like", "e3", "--collection", "nothing"},
                                             {"--like", "e3", "--collection", "episodes"}}) {
    const Json error = envelope(nearest(words), 2)["error"];
    EXPECT_NE(error["message"], "");
    EXPECT_NE(error["hint"], "") << error;
  }
}

TEST_F(CliNearest, max_age_withholds_and_without_it_old_data_comes_with_a_warning) {
  ASSERT_EQ(run(sync()).exit, 0);
  {
    const auto lock = cache::CacheLock::acquire(world.cache(), 0600);
    auto writer = cache::Writer::open(world.cache(), {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    session->edit_meta().state.checked_at_us = 1;
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
  }
  const Said refused = run(nearest({"--like", "e3", "--max-age", "1h"}));
  EXPECT_EQ(refused.exit, 6);
  EXPECT_EQ(refused.out, "");
  const Said served = run(nearest({"--like", "e3"}));
  EXPECT_EQ(served.exit, 0);
  EXPECT_TRUE(served.err.starts_with("warning: the cache is stale")) << served.err;
}

TEST_F(CliNearest, flags_and_values_complete) {
  ASSERT_EQ(run(sync()).exit, 0);
  const auto completed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--cache", world.cache(), "nearest"});
    return run(words).out;
  };
  EXPECT_EQ(completed({"--li"}), "--like\n");
  EXPECT_EQ(completed({"--similarity", ""}), "cosine\ndot\nl2\n");
  EXPECT_EQ(completed({"--of", "p"}), "patterns\n");
  EXPECT_EQ(completed({"--collection", ""}), "embeddings\n");
  EXPECT_EQ(completed({"--vector", ""}), ":files\n");
}

}  // namespace
}  // namespace tidemark
