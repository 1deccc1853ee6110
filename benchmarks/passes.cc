// Passes over a SQLite file: first fills of the default window and of embeddings, a rebuild and an
// audit, against SQLite reading the same rows and bare redb storing them.
#include <filesystem>
#include <functional>

#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
#include "tests/support/temp_folder.h"
#include "tidemark/syncer.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kDimension = 384;

// Every cell of every row, looked at; the bytes of them.
std::uint64_t read_bare(const std::string& database, const std::string& sql) {
  sqlite3* db = nullptr;
  require(sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK,
          "open " + database);
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK, sql);
  std::uint64_t bytes = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      static_cast<void>(sqlite3_column_blob(statement, i));
      bytes += static_cast<std::uint64_t>(sqlite3_column_bytes(statement, i));
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return bytes;
}

// Each pattern has an embedding: no window hides one.
void make_embeddings(const std::string& path, std::size_t count) {
  support::SqliteSource source(path);
  source.run(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
      "CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, start_time INTEGER);"
      "CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT);"
      "CREATE TABLE embeddings(id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,"
      " embedding_data BLOB, dimension INTEGER, model TEXT);");
  const std::string n =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(count) + ") ";
  source.run(n + "INSERT INTO patterns SELECT 'p' || i, 'kind' FROM n");
  source.run(n + "INSERT INTO embeddings SELECT 'e' || i, 'p' || i, 'pattern', zeroblob(" +
             std::to_string(kDimension * sizeof(float)) + "), " + std::to_string(kDimension) +
             ", 'model' FROM n");
}

struct Source {
  std::string database;
  std::string sql;  // reads the rows of the scope
  SyncConfig config;
  std::vector<cache::EncodedRow> rows;  // as many and as large
  std::uint64_t count = 0;
};

void expect(const Source& source, const SyncReport& report) {
  require(report.mode == "fill", "a fill");
  require(report.episodes_synced + report.embeddings_synced == source.count, "its rows");
}

Syncer open(const Source& source, const std::string& cache) {
  auto syncer = Syncer::open("file:" + source.database, cache, source.config);
  require(syncer.has_value(), "open");
  return std::move(*syncer);
}

// A pass against the larger of its floors; what it leaves is thrown away before the next.
Pairs in_turns(const Source& source, const std::string& bare, const std::function<void()>& pass) {
  Pairs pairs;
  for (int round = -1; round < kRoundsMin; ++round) {  // the first does not count
    const double read =
        time_of(Clock::wall, [&] { require(read_bare(source.database, source.sql) > 0, "read"); });
    const double write =
        bare.empty() ? 0 : time_of(Clock::wall, [&] { fill_bare(bare, source.rows); });
    const double took = time_of(Clock::wall, pass);
    if (round >= 0) pairs.add(std::max(read, write), took);
  }
  return pairs;
}

constexpr const char* kBothFloors = "the larger of SQLite reading and bare redb storing them";

Pairs fill(const Source& source, const support::TempFolder& folder) {
  const std::string cache = folder.file("fill.redb");
  return in_turns(source, folder.file("bare.redb"), [&] {
    std::filesystem::remove(cache);
    const auto report = open(source, cache).sync();
    require(report.has_value(), report ? "" : report.error().message);
    expect(source, *report);
  });
}

Source episodes_of(const support::TempFolder& folder, std::size_t table, std::size_t window) {
  Source source;
  source.database = folder.file(std::to_string(table) + ".db");
  make_memories(source.database, table, 1'300);
  source.sql = "SELECT * FROM episodes ORDER BY start_time DESC LIMIT " + std::to_string(window);
  source.config.max_episodes_cache = window;
  source.rows = make_rows(window, 1'300);
  std::ranges::sort(source.rows, {}, &cache::EncodedRow::key);
  source.count = window;
  return source;
}

void default_window(const Record& record) {
  const support::TempFolder folder;
  const Source source = episodes_of(folder, 5'000, 1'000);
  record.ratio(
      {"fill-file-1k", "first fill of the default 1,000 episodes from a file", kBothFloors},
      fill(source, folder));
}

void whole_passes(const Record& record) {
  const support::TempFolder folder;
  const Source source = episodes_of(folder, 20'000, 20'000);
  record.ratio({"fill-file-20k", "first fill of 20,000 x 1.3 KB from a file", kBothFloors},
               fill(source, folder));
  Syncer syncer = open(source, folder.file("fill.redb"));
  const auto rebuild = [&] {
    const auto report = syncer.rebuild();
    require(report.has_value(), report ? "" : report.error().message);
    expect(source, *report);
  };
  record.ratio({"rebuild-file-20k", "a rebuild of that cache", kBothFloors},
               in_turns(source, folder.file("bare.redb"), rebuild));
  const auto audit = [&] {
    const auto report = syncer.validate();
    require(report && !report->differs() && report->collections.at("episodes").equal == 20'000,
            "the audit");
  };
  record.ratio({"audit-file-20k", "an audit of that cache", "SQLite reading them"},
               in_turns(source, "", audit));
}

void embeddings(const Record& record) {
  constexpr std::size_t kCount = 100'000;
  const support::TempFolder folder;
  Source source;
  source.database = folder.file("embeddings.db");
  make_embeddings(source.database, kCount);
  source.sql = "SELECT * FROM embeddings";
  source.rows = make_rows(kCount, kDimension * sizeof(float));
  std::ranges::sort(source.rows, {}, &cache::EncodedRow::key);
  source.count = kCount;
  record.ratio({"fill-embeddings-100k",
                "first fill of 100,000 embeddings of 384 floats from a file", kBothFloors},
               fill(source, folder));
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  const tidemark::bench::Record record(argc, argv);
  tidemark::bench::default_window(record);
  tidemark::bench::whole_passes(record);
  tidemark::bench::embeddings(record);
}
