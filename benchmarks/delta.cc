// Passes that follow the change log of the real server on this machine: one with nothing to do, one
// with 100 updates among 20,000 rows, and the same beside a table of 1,000,000.
#include <filesystem>

#include "benchmarks/bare_curl.h"
#include "benchmarks/memories.h"
#include "benchmarks/rows.h"
#include "source/changes.h"
#include "source/guard.h"
#include "sync/tuning.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"
#include "tidemark/capture.h"
#include "tidemark/syncer.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kCached = 20'000;
constexpr std::size_t kUpdates = 100;
constexpr std::size_t kRowBytes = 300;
constexpr std::uint64_t kNonce = 1;

// A server whose newest 20,000 of `rows` episodes are cached and followed.
class Followed {
 public:
  explicit Followed(std::size_t rows) : rows_(rows), database_(folder_.file("source.db")) {
    make_memories(database_, rows, kRowBytes);
    server_.emplace(database_);
    pipeline_ = server_->url() + "/v2/pipeline";
    auto admin = CaptureAdmin::open(server_->url());
    require(admin.has_value(), "open the source");
    const auto plan = admin->plan({});
    require(plan.has_value(), "plan the capture");
    require(admin->apply(*plan, {}).has_value(), "install capture");
    SyncConfig config;
    config.max_episodes_cache = kCached;
    config.heartbeat = std::chrono::hours(1);  // what a pass without news leaves out
    auto syncer = Syncer::open(server_->url(), folder_.file("cache.redb"), config);
    require(syncer.has_value(), "open the cache");
    syncer_.emplace(std::move(*syncer));
    require(pass().mode == "fill", "the fill");
    require(pass().mode == "delta", "the first delta");
  }

  // 100 rows of the window, spread over it; other rows each time.
  void update() {
    const std::string turn = std::to_string(++turns_);
    const std::string step = std::to_string(kCached / kUpdates);
    turso::Statement statement{"UPDATE episodes SET task_type = 'task " + turn +
                                   "' WHERE rowid > " + std::to_string(rows_ - kCached) +
                                   " AND rowid % " + step + " = " + turn + " % " + step,
                               {}};
    static_cast<void>(post_each(pipeline_, {body_of({statement})}));
  }

  void follow(std::size_t changes) {
    const SyncReport report = pass();
    require(report.mode == "delta" && report.requests == 1, "one request of a delta");
    require(report.commits == (changes == 0 ? 0 : 1), "a commit for each delta, none without news");
    require(report.episodes_synced == changes, "the rows of a delta");
  }

  // What follow() sends, and nothing else.
  void request_bare() { static_cast<void>(post_each(pipeline_, {follow_body()})); }

 private:
  static std::string body_of(std::vector<turso::Statement> statements) {
    return turso::hrana::encode_pipeline({std::move(statements)}, false, kNonce);
  }

  [[nodiscard]] std::string follow_body() const {
    const source::ChangeRange range{position_, sync::kChangesPerRange};
    auto statements = source::guard_statements({position_, std::nullopt});
    for (auto& s : source::changes_statements(range)) statements.push_back(std::move(s));
    statements.push_back(source::touched_rows_statement(memories(), range));
    return body_of(std::move(statements));
  }

  SyncReport pass() {
    auto report = syncer_->sync();
    require(report.has_value(), report ? "" : report.error().message);
    position_ = static_cast<std::int64_t>(report->position);
    return std::move(*report);
  }

  const support::TempFolder folder_;
  const std::size_t rows_;
  const std::string database_;
  std::optional<support::TursoServer> server_;
  std::string pipeline_;
  std::optional<Syncer> syncer_;
  std::int64_t position_ = 0;
  std::size_t turns_ = 0;
};

// Bare redb: opens the file, stores the rows, commits, closes.
class BareStore {
 public:
  BareStore() {
    std::ranges::sort(rows_, {}, &cache::EncodedRow::key);
    fill_bare(path_, rows_);
  }

  void store() {
    redb::Database db = open_bare(path_);
    auto txn = db.begin_write();
    std::vector<redb::Change> changes;
    const std::size_t step = kCached / kUpdates;
    for (std::size_t at = ++turns_ % step; at < rows_.size(); at += step) {
      changes.push_back({rows_[at].key, rows_[(at + turns_) % rows_.size()].bytes});
    }
    require(txn->apply({"episodes"}, changes).has_value(), "bare apply");
    require(std::move(*txn).commit().has_value(), "bare commit");
    require(std::move(db).close().has_value(), "bare close");
  }

 private:
  const support::TempFolder folder_;
  const std::string path_ = folder_.file("bare.redb");
  std::vector<cache::EncodedRow> rows_ = make_rows(kCached, kRowBytes);
  std::size_t turns_ = 0;
};

void run(std::size_t many) {
  constexpr int kRounds = 15;
  Followed small(kCached);
  print("a pass with nothing to do",
        compare(Clock::wall, 4 * kRounds, [&] { small.request_bare(); }, [&] { small.follow(0); }));

  BareStore bare;
  std::vector<double> floors;
  std::vector<double> passes;
  std::vector<double> others;
  Followed large(many);
  for (int round = -1; round < kRounds; ++round) {  // the first does not count
    small.update();
    large.update();
    auto floor = [&] {
      small.request_bare();
      bare.store();
    };
    auto pass = [&] { small.follow(kUpdates); };
    auto other = [&] { large.follow(kUpdates); };
    const double least = time_of(Clock::wall, floor);
    const double here = time_of(Clock::wall, pass);
    const double there = time_of(Clock::wall, other);
    if (round < 0) continue;
    floors.push_back(least);
    passes.push_back(here / least);
    others.push_back(there / here);
  }
  const auto line = [](const std::string& name, const std::vector<double>& sample,
                       const char* unit) {
    const Spread s = spread_of(sample);
    std::printf("%-34s %6.3f %s (quartiles %.3f-%.3f, %zu rounds)\n", name.c_str(), s.median, unit,
                s.low, s.high, sample.size());
  };
  line("floor, request and bare redb", floors, "s");
  line("100 updates among 20000 rows", passes, "x the floor");
  line("the same, in a table of " + std::to_string(many), others, "x that among 20000");
}

}  // namespace
}  // namespace tidemark::bench

// The rows of the large table may be given.
int main(int argc, char** argv) {
  tidemark::bench::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000);
}
