// What filling a cache costs over bare redb that is given the same rows in the best order, and how
// much larger than its rows the file is.
#include <filesystem>

#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
#include "tests/support/temp_folder.h"

namespace tidemark::bench {
namespace {

std::size_t bytes_of(const std::vector<cache::EncodedRow>& rows) {
  std::size_t bytes = 0;
  for (const auto& row : rows) bytes += row.key.size() + row.bytes.size();
  return bytes;
}

void fill(const Record& record, std::size_t count, std::size_t row_bytes) {
  const support::TempFolder folder;
  const auto rows = make_rows(count, row_bytes);
  auto sorted = rows;
  std::ranges::sort(sorted, {}, &cache::EncodedRow::key);
  const std::string bare = folder.file("bare.redb");
  const std::string ours = folder.file("cache.redb");
  const auto pairs = compare(
      Clock::wall, kRoundsMin, [&] { fill_bare(bare, sorted); }, [&] { fill_cache(ours, rows); });
  const std::string id = std::to_string(count / 1'000) + "k";
  const std::string what = std::to_string(count) + " rows of " + std::to_string(row_bytes) + " B";
  record.ratio({"store-" + id, "storing " + what + ", keys at random", "bare redb, keys in order"},
               pairs, static_cast<double>(count));
  const auto stored = static_cast<double>(bytes_of(rows));
  record.value({"file-" + id, "the file of " + what, ""},
               {static_cast<double>(std::filesystem::file_size(ours)) / stored}, "x its rows");
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  const tidemark::bench::Record record(argc, argv);
  tidemark::bench::fill(record, 20'000, 1'300);
  tidemark::bench::fill(record, 100'000, 300);
}
