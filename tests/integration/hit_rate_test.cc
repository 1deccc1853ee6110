// How many reads the cache answered: counted by each process, told by the daemon and by `status`.
#include <sys/wait.h>

#include "tests/integration/daemon.h"
#include "tests/support/exposition.h"
#include "tests/support/http_call.h"

namespace tidemark {
namespace {

using support::Exposition;
using support::Json;

// Reads by their answer. Without patterns beside those cached a miss is absent; an embedding's is
// unknown.
struct Mix {
  int hits = 0;
  int absent = 0;
  int unknown = 0;

  [[nodiscard]] int all() const { return hits + absent + unknown; }
  [[nodiscard]] double ratio() const { return static_cast<double>(hits + absent) / all(); }
  Mix& operator+=(const Mix& other) {
    hits += other.hits;
    absent += other.absent;
    unknown += other.unknown;
    return *this;
  }
};

// What each of the processes reads. The last one is the program, once for each read.
const std::vector<Mix> kBefore = {
    {4'000, 300, 71}, {700, 2'000, 5}, {13, 1, 1'500}, {0, 0, 900}, {3, 2, 1}};
const std::vector<Mix> kAfter = {{10, 0, 1}, {500, 77, 0}, {0, 0, 0}, {900, 31, 4}, {1, 1, 2}};

Mix sum(const std::vector<Mix>& mixes) {
  Mix all;
  for (const Mix& mix : mixes) all += mix;
  return all;
}

// The exit status of a process of its own: 0 when each read was answered as scripted.
int read_all(const std::string& cache, Mix left) {
  const auto reader = Reader::open(cache);
  if (!reader) return 2;
  const auto read = [&](const char* collection, const char* key, Presence wanted, int& todo) {
    if (todo == 0) return true;
    --todo;
    const auto found = reader->get(collection, key);
    return found && found->presence() == wanted;
  };
  while (left.all() > 0) {
    if (!read("episodes", "e1", Presence::hit, left.hits) ||
        !read("patterns", "none", Presence::absent, left.absent) ||
        !read("embeddings", "none", Presence::unknown, left.unknown)) {
      return 1;
    }
  }
  return 0;
}

struct HitRate : public support::DaemonWorld {
  int port = support::free_port();

  [[nodiscard]] Exposition metrics() const {
    return Exposition(support::call({.port = port, .path = "/metrics"}).body);
  }
  // All at the same time.
  void read_in_processes(const std::vector<Mix>& mixes) {
    std::vector<pid_t> children;
    for (std::size_t n = 0; n + 1 < mixes.size(); ++n) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(read_all(world.cache(), mixes[n]));
      children.push_back(child);
    }
    const Mix& last = mixes.back();
    for (int n = 0; n < last.hits; ++n) EXPECT_EQ(run(words({"get", "episodes", "e1"})).exit, 0);
    for (int n = 0; n < last.absent; ++n) {
      EXPECT_EQ(run(words({"get", "patterns", "none"})).exit, 8);
    }
    for (int n = 0; n < last.unknown; ++n) {
      EXPECT_EQ(run(words({"get", "embeddings", "none"})).exit, 9);
    }
    for (const pid_t child : children) {
      int status = -1;
      EXPECT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
  }
  // `ever`: all reads; `since_pass`: those since the last pass.
  void expect_told(const Mix& ever, const Mix& since_pass) {
    const Exposition told = metrics();
    EXPECT_EQ(told.at("tidemark_cache_reads_total{presence=\"hit\"}"), ever.hits);
    EXPECT_EQ(told.at("tidemark_cache_reads_total{presence=\"absent\"}"), ever.absent);
    EXPECT_EQ(told.at("tidemark_cache_reads_total{presence=\"unknown\"}"), ever.unknown);
    EXPECT_DOUBLE_EQ(told.at("tidemark_cache_hit_ratio{since=\"start\"}"), ever.ratio());
    const char* const since = "tidemark_cache_hit_ratio{since=\"last_pass\"}";
    ASSERT_EQ(told.has(since), since_pass.all() > 0);
    if (told.has(since)) {
      EXPECT_DOUBLE_EQ(told.at(since), since_pass.ratio());
    }
    const Json wanted = {{"hits", ever.hits}, {"absent", ever.absent}, {"unknown", ever.unknown}};
    EXPECT_EQ(envelope(words({"status"}), 0)["result"]["reads"], wanted);
    const std::string rate =
        "; hit rate " + std::to_string(static_cast<int>(ever.ratio() * 100)) + " %\n";
    if (ever.all() > 0) {
      EXPECT_NE(run(words({"status"})).out.find(rate), std::string::npos) << rate;
    }
  }
};

TEST_F(HitRate, of_five_processes_is_told_exactly_before_and_after_a_pass) {
  configure(world.url(),
            "interval = \"1h\"\n[daemon]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n");
  support::ChildProcess program = start_and_wait();
  EXPECT_FALSE(metrics().has("tidemark_cache_hit_ratio{since=\"start\"}"));
  const Mix before = sum(kBefore);
  read_in_processes(kBefore);
  expect_told(before, before);

  ASSERT_TRUE(ask());
  expect_told(before, {});
  const Mix after = sum(kAfter);
  read_in_processes(kAfter);
  Mix all = before;
  all += after;
  expect_told(all, after);
  stop(program);

  // Another daemon counts from its start; the reads of before are counted still.
  program = start_and_wait();
  const Exposition told = metrics();
  EXPECT_EQ(told.at("tidemark_cache_reads_total{presence=\"hit\"}"), all.hits);
  EXPECT_FALSE(told.has("tidemark_cache_hit_ratio{since=\"start\"}"));
  stop(program);
}

}  // namespace
}  // namespace tidemark
