// Passes that follow the change log of the real server on this machine: one with nothing to do, and
// 1, 100 and 10,000 updates, deletes and new dates, and a window that moves, among 20,000 rows and
// beside a table of 1,000,000.
#include <functional>

#include "benchmarks/support/bare_curl.h"
#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
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
constexpr std::size_t kMany = 1'000'000;
constexpr std::size_t kRowBytes = 300;
constexpr std::uint64_t kNonce = 1;
constexpr int kRounds = 15;

// A server whose newest 20,000 of `rows` episodes are cached and followed.
class Followed {
 public:
  explicit Followed(std::size_t rows) : last_(rows), database_(folder_.file("source.db")) {
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

  // Rows of the window, spread over it; other rows and values each time.
  void change(const std::string& sql, std::size_t count) {
    const std::string step = std::to_string(kCached / count);
    const std::string turn = std::to_string(++turns_);
    execute(sql + " WHERE rowid > " + std::to_string(last_ - kCached) + " AND rowid % " + step +
            " = " + turn + " % " + step);
  }
  void update(std::size_t count) {
    change("UPDATE episodes SET task_type = 'task " + std::to_string(turns_) + "'", count);
  }
  // Episodes newer than all, which push as many out of the window.
  void insert(std::size_t count) {
    execute("INSERT INTO episodes SELECT lower(hex(randomblob(16))), 'task', context, " +
            std::to_string(kFirstStartTime + last_) +
            " + rowid FROM episodes WHERE rowid <= " + std::to_string(count));
    last_ += count;
  }

  // A pass that must find so many changed rows, or nothing.
  void follow(std::size_t changes) {
    const SyncReport report = pass();
    require(report.mode == "delta", "a delta");
    if (changes == 0) {
      require(report.requests == 1 && report.commits == 0, "a pass for nothing");
      return;
    }
    require(report.collections.contains("episodes"), "a delta that found nothing");
    const CollectionReport& rows = report.collections.at("episodes");
    require(rows.upserted + rows.deleted >= changes, "the rows of a delta");
  }

  // The request of follow() for `changes` in the log, and nothing else.
  void request_bare(std::size_t changes = 0) {
    std::size_t at = 0;
    do {
      static_cast<void>(post_each(pipeline_, {follow_body(at)}));
      at += sync::kChangesPerRange;
    } while (at < changes);
  }

 private:
  static std::string body_of(std::vector<turso::Statement> statements) {
    return turso::hrana::encode_pipeline({std::move(statements)}, false, kNonce);
  }

  void execute(const std::string& sql) {
    const auto replies = post_each(pipeline_, {body_of({{sql, {}}})});
    require(turso::hrana::decode_pipeline(replies.front(), 1, kNonce).has_value(), sql);
  }

  [[nodiscard]] std::string follow_body(std::size_t beyond) const {
    const source::ChangeRange range{position_ + static_cast<std::int64_t>(beyond),
                                    sync::kChangesPerRange};
    auto statements = source::guard_statements({range.after, std::nullopt});
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
  std::size_t last_;  // rowid of the newest
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

  void store(std::size_t count) {
    redb::Database db = open_bare(path_);
    auto txn = db.begin_write();
    std::vector<redb::Change> changes;
    const std::size_t step = kCached / count;
    ++turns_;
    for (std::size_t at = turns_ % step; at < rows_.size(); at += step) {
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

struct Workload {
  std::string id;
  std::string what;
  std::size_t changes;  // rows
  std::function<void(Followed&)> write;
};

std::vector<Workload> workloads() {
  std::vector<Workload> out;
  for (const std::size_t count : {1, 100, 10'000}) {
    const std::string number = std::to_string(count);
    out.push_back({"delta-" + number, number + " updated among 20,000 rows", count,
                   [count](Followed& source) { source.update(count); }});
  }
  out.push_back({"delta-window", "100 new episodes that push 100 out of a window of 20,000", 100,
                 [](Followed& source) { source.insert(100); }});
  out.push_back(
      {"delta-mixed", "50 deleted and 50 dated anew among 20,000", 100, [](Followed& source) {
         source.change("DELETE FROM episodes", 50);
         source.change("UPDATE episodes SET start_time = start_time + 1", 50);
       }});
  return out;
}

void measure(const Record& record, const Workload& work, BareStore& bare, Followed& small,
             Followed& large) {
  Pairs over_floor;
  Pairs over_small;
  for (int round = -1; round < kRounds; ++round) {  // the first does not count
    work.write(small);
    work.write(large);
    const double floor = time_of(Clock::wall, [&] {
      small.request_bare(work.changes);
      bare.store(work.changes);
    });
    const double here = time_of(Clock::wall, [&] { small.follow(work.changes); });
    const double there = time_of(Clock::wall, [&] { large.follow(work.changes); });
    if (round < 0) continue;
    over_floor.add(floor, here);
    over_small.add(here, there);
  }
  record.ratio({work.id, work.what, "the bare request and bare redb"}, over_floor);
  record.ratio(
      {work.id + "-1m", work.what + ", in a table of 1,000,000", "that in a table of 20,000"},
      over_small);
}

void run(const Record& record) {
  Followed small(kCached);
  record.ratio(
      {"noop", "a pass with nothing to do", "the bare request"},
      compare(Clock::wall, 4 * kRounds, [&] { small.request_bare(); }, [&] { small.follow(0); }));
  BareStore bare;
  Followed large(kMany);
  for (const Workload& work : workloads()) measure(record, work, bare, small, large);
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::run({argc, argv}); }
