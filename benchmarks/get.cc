// What a read through the library costs over the same read of bare redb through the same C ABI.
#include <filesystem>

#include "benchmarks/rows.h"
#include "cache/meta_store.h"
#include "cache/read_handle.h"
#include "cache/read_stats.h"
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

void one_shot(const Reader& reader, const redb::Database& db,
              const std::vector<std::string>& keys) {
  const auto bare = [&] {
    for (const auto& key : keys) {
      const auto txn = db.begin_read();
      require(txn && txn->get({"episodes"}, key)->has_value(), "bare one-shot");
    }
  };
  const auto ours = [&] {
    for (const auto& key : keys) {
      require(reader.get("episodes", key)->presence() == Presence::hit, "one-shot get");
    }
  };
  print("get, one-shot", compare(Clock::cpu, kRounds, bare, ours), kReads);
}

void in_snapshot(const Reader& reader, const redb::Database& db,
                 const std::vector<std::string>& keys) {
  const auto txn = db.begin_read();
  const auto snapshot = reader.snapshot();
  const auto bare = [&] {
    for (const auto& key : keys) require(txn->get({"episodes"}, key)->has_value(), "bare get");
  };
  const auto ours = [&] {
    for (const auto& key : keys) {
      require(snapshot->get("episodes", key)->presence() == Presence::hit, "snapshot get");
    }
  };
  print("get, in a snapshot", compare(Clock::cpu, kRounds, bare, ours), kReads);
  // The library has checked every byte of the row; a bare get has not looked at one.
  std::uint64_t sum = 0;
  const auto bare_and_read = [&] {
    for (const auto& key : keys) {
      const auto found = txn->get({"episodes"}, key);
      for (const char byte : (*found)->bytes()) sum += static_cast<unsigned char>(byte);
    }
  };
  print("the same, over a get that is read", compare(Clock::cpu, kRounds, bare_and_read, ours),
        kReads);
  require(sum > 0, "sum");
}

// The same look-up with and without its count in CACHE.stats.
void counting(const std::string& path, const Reader& reader, const std::vector<std::string>& keys) {
  cache::ReadHandle handle(path, {});
  const auto view = handle.view();
  require(view.has_value(), "view");
  const auto snapshot = reader.snapshot();
  const auto uncounted = [&] {
    for (const auto& key : keys) {
      require(cache::lookup(*view, "episodes", key)->presence() == Presence::hit, "lookup");
    }
  };
  const auto counted = [&] {
    for (const auto& key : keys) {
      require(snapshot->get("episodes", key)->presence() == Presence::hit, "snapshot get");
    }
  };
  print("counted, over not counted", compare(Clock::cpu, kRounds, uncounted, counted), kReads);
  cache::ReadStats stats(path);
  auto count = [&] {
    for (int i = 0; i < 1'000'000; ++i) stats.count(Presence::hit);
  };
  std::printf("%-34s %s\n", "one count", time_text(time_of(Clock::cpu, count) / 1e6).c_str());
}

void run() {
  const support::TempFolder folder;
  const std::string path = folder.file("cache.redb");
  const auto rows = make_rows(kRows, kRowBytes);
  fill_cache(path, rows);
  const auto keys = keys_to_read(rows);
  const auto reader = Reader::open(path);
  require(reader.has_value(), "open");
  redb::OpenOptions options;
  options.page_cache_bytes = ReaderOptions{}.page_cache_bytes;
  const auto db = redb::Database::open(path, options);
  require(db.has_value(), "open bare");
  one_shot(*reader, *db, keys);
  in_snapshot(*reader, *db, keys);
  counting(path, *reader, keys);
}

}  // namespace
}  // namespace tidemark::bench

int main() { tidemark::bench::run(); }
