// What 1, 2 and 8 processes read in the same time, and how much of that is left while another
// process syncs 100 changed rows each second.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "tests/support/temp_folder.h"
#include "tidemark/capture.h"
#include "tidemark/syncer.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRows = 20'000;
constexpr std::size_t kRowBytes = 1'300;
constexpr std::size_t kListed = 100;
constexpr std::chrono::milliseconds kSlice{300};
constexpr std::chrono::milliseconds kPassInterval{1'000};  // and the slice that has one pass in it

enum class Work : std::uint8_t { get, list, scan, by_index };

struct Kind {
  Work work;
  std::string id;
  std::string what;  // in the unit that is counted
};

// One operation; the rows that it read.
std::uint64_t read_once(const Snapshot& snapshot, Work work, const std::vector<std::string>& keys,
                        std::mt19937& random) {
  if (work == Work::get) {
    require(snapshot.get("episodes", keys[random() % keys.size()]).has_value(), "get");
    return 1;
  }
  Query query{.collection = "episodes"};
  if (work == Work::list) query.limit = kListed;
  if (work == Work::by_index) {
    query = {.collection = "patterns", .limit = kListed, .where_index = "pattern_type"};
    query.where_value = "kind " + std::to_string(random() % 50);
  }
  std::uint64_t rows = 0;
  require(snapshot.scan(query, [&](const Row& row) { return row.column_count() > 0 && ++rows > 0; })
              .has_value(),
          "scan");
  require(rows > 0, "rows");
  return rows;
}

// Memory that a process shares with those that it forks.
template <typename T>
class Shared {
 public:
  Shared() {
    void* const memory =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "mmap");
    value_ = new (memory) T;
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

// Shared by the processes: a reader adds its rows, and ends when it is told to.
struct Board {
  std::atomic<int> ready = 0;
  std::atomic<bool> go = false;
  std::atomic<bool> end = false;
  std::atomic<std::uint64_t> rows = 0;
};

[[noreturn]] void read_for_long(const std::string& cache, Work work,
                                const std::vector<std::string>& keys, Board& board) {
  std::mt19937 random(static_cast<unsigned>(::getpid()));
  const auto reader = Reader::open(cache);
  require(reader.has_value(), "open");
  ++board.ready;
  while (!board.go) std::this_thread::yield();
  while (!board.end) {
    const auto snapshot = reader->snapshot();
    require(snapshot.has_value(), "snapshot");
    std::uint64_t rows = 0;
    for (int i = 0; i < 100 && !board.end; ++i) rows += read_once(*snapshot, work, keys, random);
    board.rows += rows;
  }
  ::_exit(0);
}

// Rows a second by all `processes` together.
double rate(const std::string& cache, Work work, int processes,
            const std::vector<std::string>& keys, std::chrono::milliseconds slice) {
  const Shared<Board> shared;
  Board& board = *shared;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) read_for_long(cache, work, keys, board);
    children.push_back(child);
  }
  while (board.ready < processes) std::this_thread::yield();
  const double took = time_of(Clock::wall, [&] {
    board.go = true;
    std::this_thread::sleep_for(slice);
    board.end = true;
  });
  for (const pid_t child : children) {
    int status = 0;
    require(::waitpid(child, &status, 0) == child && status == 0, "a reader");
  }
  return static_cast<double>(board.rows) / took;
}

// Another process that changes 100 rows and syncs them, each second, for as long as this lives.
class Writer {
 public:
  Writer(const std::string& database, const std::string& cache) {
    child_ = ::fork();
    if (child_ == 0) run(database, cache);
  }
  ~Writer() {
    *end_ = true;
    int status = 0;
    require(::waitpid(child_, &status, 0) == child_ && status == 0, "the writer");
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  [[noreturn]] void run(const std::string& database, const std::string& cache) const {
    constexpr std::chrono::milliseconds kLook{10};
    support::SqliteSource source(database);
    SyncConfig config;
    config.max_episodes_cache = kRows;
    auto syncer = Syncer::open("file:" + database, cache, config);
    for (int turn = 0; !*end_; ++turn) {
      const auto next = std::chrono::steady_clock::now() + kPassInterval;
      source.run("UPDATE episodes SET task_type = '" + std::to_string(::getpid()) + " " +
                 std::to_string(turn) + "' WHERE rowid % 200 = " + std::to_string(turn % 200));
      const auto report = syncer->sync();
      require(report.has_value(), report ? "" : report.error().message);
      require(report->mode == "delta" && report->episodes_synced == 100, "a delta");
      while (!*end_ && std::chrono::steady_clock::now() < next) std::this_thread::sleep_for(kLook);
    }
    ::_exit(0);
  }

  const Shared<std::atomic<bool>> end_;
  pid_t child_ = -1;
};

std::vector<std::string> make_cache(const std::string& database, const std::string& cache) {
  make_memories(database, kRows, kRowBytes);
  support::SqliteSource source(database);
  source.run("PRAGMA journal_mode = WAL");
  source.run("CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, detail TEXT)");
  source.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
      " INSERT INTO patterns SELECT 'p' || i, 'kind ' || (i % 50), hex(zeroblob(100)) FROM n");
  auto admin = CaptureAdmin::open("file:" + database);
  const auto plan = admin->plan({});
  require(plan && admin->apply(*plan, {}).has_value(), "install capture");
  SyncConfig config;
  config.max_episodes_cache = kRows;
  require(Syncer::open("file:" + database, cache, config)->sync().has_value(), "fill");
  return source.column("SELECT episode_id FROM episodes");
}

struct Paths {
  std::string database;
  std::string cache;
};

// Seconds for one, without a writer and beside one.
Pairs beside_a_writer(const Paths& paths, Work work, int processes,
                      const std::vector<std::string>& keys) {
  Pairs pairs;
  for (int round = 0; round < kRoundsMin; ++round) {
    const double alone = rate(paths.cache, work, processes, keys, kPassInterval);
    const Writer writer(paths.database, paths.cache);
    pairs.add(1 / alone, 1 / rate(paths.cache, work, processes, keys, kPassInterval));
  }
  return pairs;
}

void run(const Record& record) {
  const support::TempFolder folder;
  const std::string database = folder.file("source.db");
  const std::string cache = folder.file("cache.redb");
  const auto keys = make_cache(database, cache);
  const std::vector<Kind> kinds = {{Work::get, "get", "gets"},
                                   {Work::list, "list", "rows, the newest 100 a time"},
                                   {Work::scan, "scan", "rows, all 20,000 a time"},
                                   {Work::by_index, "by-index", "rows, 100 of a value a time"}};
  for (const Kind& kind : kinds) {
    for (const int processes : {1, 2, 8}) {
      const std::string id = kind.id + "-" + std::to_string(processes);
      const std::string who = std::to_string(processes) + (processes == 1 ? " reader" : " readers");
      std::vector<double> rates;
      for (int round = 0; round < kRoundsMin; ++round) {
        rates.push_back(rate(cache, kind.work, processes, keys, kSlice));
      }
      record.value({"rate-" + id, who + ": " + kind.what, ""}, rates, "a second");
      if (kind.work != Work::get && processes != 8) continue;
      record.ratio(
          {"beside-" + id, who + ", time of one, beside a pass of 100 rows a second", "without it"},
          beside_a_writer({database, cache}, kind.work, processes, keys));
    }
  }
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::run({argc, argv}); }
