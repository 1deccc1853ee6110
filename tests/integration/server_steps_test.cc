// A fault at each request of a small pass over the peer: met once, it is made good; met from there
// on, it ends the pass with its code and leaves the cache as it was.
#include <filesystem>

#include "tests/integration/serving.h"

namespace tidemark {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using support::HranaPeer;
using Contents = std::map<std::string, std::vector<std::string>>;

// Few requests, and yet one of each sort.
constexpr const char* kSchema = R"(
PRAGMA journal_mode=WAL;
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, start_time INTEGER, note TEXT);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_data TEXT);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_data TEXT);
INSERT INTO episodes VALUES('e1', 1, 'one'), ('e2', 2, 'two'), ('e3', 3, 'three');
INSERT INTO patterns VALUES('p1', 'first'), ('p2', 'second');
INSERT INTO embeddings VALUES('v1', 'e2', 'episode', '[1,2]'), ('v2', 'p1', 'pattern', '[3]');
)";
// Changes, additions and deletions of each.
constexpr const char* kChanges = R"(
UPDATE episodes SET note = 'new' WHERE episode_id = 'e2';
INSERT INTO episodes VALUES('e4', 4, 'four');
DELETE FROM episodes WHERE episode_id = 'e1';
UPDATE patterns SET pattern_data = 'new' WHERE pattern_id = 'p2';
UPDATE embeddings SET embedding_data = '[4]' WHERE embedding_id = 'v2';
DELETE FROM embeddings WHERE embedding_id = 'v1';
)";

struct Fault {
  std::string name;
  json script;
  ErrorCode code = ErrorCode::unavailable;  // when it stays
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class ServerSteps : public ::testing::Test {
 protected:
  ServerSteps() { source_.run(kSchema); }

  Result<SyncReport> sync(const std::string& cache, const std::string& url) {
    auto syncer = Syncer::open(url, cache, config_);
    if (!syncer) return std::unexpected(syncer.error());
    return syncer->sync();
  }
  static Contents contents(const std::string& cache) {
    return support::contents(cache, {"episodes", "patterns", "embeddings"});
  }
  // What the pass over the file leaves.
  Contents truth() {
    const std::string cache = folder_.file("truth.redb");
    EXPECT_TRUE(sync(cache, "file:" + database_));
    return contents(cache);
  }
  // A cache of what the source holds now; then the source changes.
  void make_stale_cache() {
    ASSERT_TRUE(sync(stale_, peer_.url()));
    before_ = contents(stale_);
    source_.run(kChanges);
  }
  // The cache as each pass finds it: none, or the stale one.
  void put_cache() {
    if (before_.empty()) {
      std::filesystem::remove(cache_);
    } else {
      std::filesystem::copy_file(stale_, cache_, std::filesystem::copy_options::overwrite_existing);
    }
  }
  void expect_untouched(const std::string& where) const {
    if (before_.empty()) {
      EXPECT_FALSE(std::filesystem::exists(cache_)) << where;
    } else {
      EXPECT_EQ(contents(cache_), before_) << where;
    }
    EXPECT_FALSE(std::filesystem::exists(cache_ + ".next")) << where;
    EXPECT_FALSE(std::filesystem::exists(cache_ + ".next.packed")) << where;
  }
  // Requests of one pass without faults; what it leaves is the truth.
  std::size_t requests_of_a_pass(const Contents& expected) {
    put_cache();
    peer_.script({});
    peer_.reset_stats();
    const auto report = sync(cache_, peer_.url());
    EXPECT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->retries, 0U);
    EXPECT_EQ(contents(cache_), expected);
    return peer_.count("requests");
  }

  void expect_made_good(const Fault& fault) {
    const Contents expected = truth();
    const std::size_t requests = requests_of_a_pass(expected);
    ASSERT_GE(requests, 6U);
    // Short where silence is met, which must end; long where a busy machine may be slow.
    if (fault.script["kind"] == "hang") config_.request_deadline = milliseconds(300);
    for (std::size_t at = 1; at <= requests; ++at) {
      const std::string where = fault.name + " at request " + std::to_string(at);
      put_cache();
      json script = fault.script;
      script["at"] = at;
      peer_.script({script});
      peer_.reset_stats();
      const auto report = sync(cache_, peer_.url());
      ASSERT_TRUE(report) << where << ": " << report.error().message;
      EXPECT_EQ(contents(cache_), expected) << where;
      EXPECT_GT(peer_.count("requests"), requests) << where << " was not met";
    }
  }

  void expect_ended(const Fault& fault) {
    const Contents expected = truth();
    const std::size_t requests = requests_of_a_pass(expected);
    ASSERT_GE(requests, 6U);
    for (std::size_t from = 1; from <= requests; ++from) {
      const std::string where = fault.name + " from request " + std::to_string(from);
      put_cache();
      json script = fault.script;
      script["from"] = from;
      peer_.script({script});
      const auto report = sync(cache_, peer_.url());
      ASSERT_FALSE(report) << where;
      EXPECT_EQ(report.error().code, fault.code) << where << ": " << report.error().message;
      expect_untouched(where);
      peer_.script({});
      const auto after = sync(cache_, peer_.url());
      ASSERT_TRUE(after) << where << ": " << after.error().message;
      EXPECT_EQ(contents(cache_), expected) << where;
    }
  }

  support::TempFolder folder_;
  const std::string database_ = folder_.file("source.db");
  const std::string cache_ = folder_.file("cache.redb");
  const std::string stale_ = folder_.file("stale.redb");
  support::SqliteSource source_{database_};
  HranaPeer peer_{database_};
  SyncConfig config_;
  Contents before_;
};

class OneFault : public ServerSteps, public ::testing::WithParamInterface<Fault> {};

// Each of these may pass, so the request is sent again and the pass succeeds.
TEST_P(OneFault, at_any_request_of_a_fill_is_made_good) { expect_made_good(GetParam()); }

TEST_P(OneFault, at_any_request_of_a_reconcile_is_made_good) {
  make_stale_cache();
  expect_made_good(GetParam());
}

std::string name_of(const ::testing::TestParamInfo<Fault>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Each, OneFault,
    ::testing::Values(Fault{"closed_before_the_reply", {{"kind", "close_before"}}},
                      Fault{"closed_in_the_body", {{"kind", "close_mid_body"}}},
                      Fault{"internal_error", {{"kind", "status"}, {"status", 500}}},
                      Fault{"garbage", {{"kind", "garbage"}}},
                      Fault{"too_few_results", {{"kind", "wrong_count"}, {"drop", 1}}},
                      Fault{"silence", {{"kind", "hang"}}}),
    name_of);

class LastingFault : public ServerSteps, public ::testing::WithParamInterface<Fault> {};

TEST_P(LastingFault, from_any_request_of_a_fill_on_leaves_no_cache) { expect_ended(GetParam()); }

TEST_P(LastingFault, from_any_request_of_a_reconcile_on_leaves_the_cache_as_it_was) {
  make_stale_cache();
  expect_ended(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Each, LastingFault,
    ::testing::Values(Fault{"closed_in_the_body", {{"kind", "close_mid_body"}}},
                      Fault{"an_sql_error",
                            {{"kind", "sql_error"}, {"message", "SQLite error: datatype mismatch"}},
                            ErrorCode::invalid}),
    name_of);

// HTTP/1.1 has no name for a reply: a connection out of step gives one request the reply of
// another, here of the same shape.
TEST(ServerMisplaced, a_reply_to_another_request_is_never_cached_and_ends_the_sharing) {
  support::Serving world;
  const std::string by_file = world.folder.file("by-file.redb");
  ASSERT_TRUE(world.sync_into(by_file, "file:" + world.database()));
  const Contents expected = support::contents(by_file);
  HranaPeer peer(world.database());
  ASSERT_TRUE(world.sync(peer.url()));
  for (const std::size_t at : {2U, 3U, 5U}) {
    peer.script({json{{"kind", "previous"}, {"at", at}}});
    peer.reset_stats();
    const auto report = world.sync(peer.url());
    ASSERT_TRUE(report) << "at " << at << ": " << report.error().message;
    EXPECT_GT(report->retries, 0U) << at;
    EXPECT_EQ(support::contents(world.cache()), expected) << at;
    const std::size_t shared = at + 2;  // those before, the misplaced one, one on its way
    EXPECT_GT(peer.count("requests"), 20U) << at;  // most of them after it
    EXPECT_GE(peer.count("connections") + shared, peer.count("requests")) << at;
  }
  peer.script({json{{"kind", "previous"}, {"from", 2}}});
  const auto lost = world.sync(peer.url());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::unavailable) << lost.error().message;
  EXPECT_EQ(support::contents(world.cache()), expected);
}

// Long keys: a list of all is beyond what the server sends, a page of rows is not.
TEST(ServerLists, that_are_too_large_are_asked_for_in_smaller_chunks) {
  support::TempFolder folder;
  const std::string database = folder.file("source.db");
  support::SqliteSource source(database);
  source.run(kSchema);
  source.run(
      "CREATE TABLE n(i); INSERT INTO n WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL "
      "SELECT i + 1 FROM c WHERE i < 300) SELECT i FROM c;"
      "INSERT INTO episodes SELECT printf('%0200d', i), i / 2, 'n' FROM n;"
      "INSERT INTO patterns SELECT printf('p%0200d', i), 'd' FROM n;"
      "INSERT INTO embeddings SELECT printf('v%0200d', i), printf('p%0200d', i), 'pattern',"
      "  '[1]' FROM n; DROP TABLE n");
  SyncConfig config;
  config.batch_size = 5;
  const auto sync = [&](const std::string& cache, const std::string& url) {
    auto syncer = Syncer::open(url, cache, config);
    return syncer ? syncer->sync() : Result<SyncReport>(std::unexpected(syncer.error()));
  };
  ASSERT_TRUE(sync(folder.file("by-file.redb"), "file:" + database));
  const std::vector<std::string> names = {"episodes", "patterns", "embeddings"};
  const Contents expected = support::contents(folder.file("by-file.redb"), names);
  HranaPeer peer(database, {{"reply_bytes_max", 20'000}});
  for (const char* const pass : {"fill", "reconcile"}) {
    peer.reset_stats();
    const auto report = sync(folder.file("cache.redb"), peer.url());
    ASSERT_TRUE(report) << pass << ": " << report.error().message;
    EXPECT_TRUE(report->skipped.empty()) << pass;
    EXPECT_EQ(support::contents(folder.file("cache.redb"), names), expected) << pass;
    // 300 keys of 200 bytes are four times the limit, so each of the three lists was refused.
    EXPECT_GE(peer.count("too_large"), 3U) << pass;
  }
}

}  // namespace
}  // namespace tidemark
