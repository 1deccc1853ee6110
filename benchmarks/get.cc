// What a read through the library costs over the same read of bare redb through the same C ABI.
#include <filesystem>

#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
#include "cache/meta_store.h"
#include "cache/read_handle.h"
#include "tests/support/temp_folder.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRows = 20'000;
constexpr std::size_t kRowBytes = 1'300;
constexpr std::size_t kReads = 2'000;  // a round
constexpr int kRounds = 51;

std::vector<std::string> keys_to_read(const std::vector<cache::EncodedRow>& rows) {
  std::mt19937 random(2);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kReads; ++i) keys.push_back(rows[random() % rows.size()].key);
  return keys;
}

// What a get is for: one column of the row that it found.
void require_column(const Result<Lookup>& found) {
  require(found && *found && found->row().at("start_time")->as_int64() > 0, "get");
}

// Read transaction, table, key: as a program does it that has redb alone.
void bare_one_shot(const redb::Database& db, const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    const auto txn = db.begin_read();
    require(txn && txn->get({"episodes"}, key)->has_value(), "bare one-shot");
  }
}

void one_shot(const Record& record, const Reader& reader, const redb::Database& db,
              const std::vector<std::string>& keys) {
  const auto ours = [&] {
    for (const auto& key : keys) require_column(reader.get("episodes", key));
  };
  record.ratio({"get-one-shot", "one-shot get of one column of 1.3 KB", "bare redb"},
               compare(Clock::cpu, kRounds, [&] { bare_one_shot(db, keys); }, ours), kReads);
}

void in_snapshot(const Record& record, const Reader& reader, const redb::Database& db,
                 const std::vector<std::string>& keys) {
  const auto txn = db.begin_read();
  const auto snapshot = reader.snapshot();
  const auto bare = [&] {
    for (const auto& key : keys) require(txn->get({"episodes"}, key)->has_value(), "bare get");
  };
  const auto ours = [&] {
    for (const auto& key : keys) require_column(snapshot->get("episodes", key));
  };
  record.ratio({"get-snapshot", "get of one column of 1.3 KB in a snapshot", "bare redb"},
               compare(Clock::cpu, kRounds, bare, ours), kReads);
  // The library has checked every byte of the row; a bare get has not looked at one.
  std::uint64_t sum = 0;
  const auto bare_and_read = [&] {
    for (const auto& key : keys) {
      const auto found = txn->get({"episodes"}, key);
      for (const char byte : (*found)->bytes()) sum += static_cast<unsigned char>(byte);
    }
  };
  record.ratio({"get-snapshot-read", "the same", "bare redb whose bytes are read"},
               compare(Clock::cpu, kRounds, bare_and_read, ours), kReads);
  require(sum > 0, "sum");
}

// A program that opens the cache, reads once and ends.
void open_and_read(const Record& record, const std::string& path, const std::string& key) {
  redb::OpenOptions options;
  options.page_cache_bytes = ReaderOptions{}.page_cache_bytes;
  options.check_pages = false;
  const auto bare = [&] {
    const auto db = redb::Database::open(path, options);
    require(db.has_value(), "open bare");
    bare_one_shot(*db, {key});
  };
  const auto ours = [&] {
    const auto reader = Reader::open(path);
    require(reader.has_value(), "open");
    require_column(reader->get("episodes", key));
  };
  record.ratio({"open-first-get", "open and the first get", "bare redb"},
               compare(Clock::wall, kRounds, bare, ours));
}

// The same look-up with and without its count in CACHE.stats.
void counting(const Record& record, const std::string& path, const Reader& reader,
              const std::vector<std::string>& keys) {
  cache::ReadHandle handle(path, {});
  const auto view = handle.view();
  require(view.has_value(), "view");
  const auto snapshot = reader.snapshot();
  const auto uncounted = [&] {
    for (const auto& key : keys) require_column(cache::lookup(*view, "episodes", key));
  };
  const auto counted = [&] {
    for (const auto& key : keys) require_column(snapshot->get("episodes", key));
  };
  record.ratio({"get-counted", "a get that is counted in CACHE.stats", "one that is not"},
               compare(Clock::cpu, kRounds, uncounted, counted), kReads);
}

void run(const Record& record) {
  const support::TempFolder folder;
  const std::string path = folder.file("cache.redb");
  const auto rows = make_rows(kRows, kRowBytes);
  fill_cache(path, rows);
  const auto keys = keys_to_read(rows);
  const auto reader = Reader::open(path);
  require(reader.has_value(), "open");
  redb::OpenOptions options;
  options.page_cache_bytes = ReaderOptions{}.page_cache_bytes;
  options.check_pages = false;
  const auto db = redb::Database::open(path, options);
  require(db.has_value(), "open bare");
  one_shot(record, *reader, *db, keys);
  in_snapshot(record, *reader, *db, keys);
  counting(record, path, *reader, keys);
  open_and_read(record, path, keys.front());
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::run({argc, argv}); }
