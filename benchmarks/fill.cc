// What filling a cache costs over bare redb that is given the same rows in the best order, and how
// much larger than its rows the file is.
#include <sys/stat.h>

#include <filesystem>

#include "benchmarks/rows.h"
#include "tests/support/temp_folder.h"

namespace tidemark::bench {
namespace {

std::size_t bytes_of(const std::vector<cache::EncodedRow>& rows) {
  std::size_t bytes = 0;
  for (const auto& row : rows) bytes += row.key.size() + row.bytes.size();
  return bytes;
}

// The end of a file that redb grew may be a hole: what it takes on the disk is said apart.
void print_size(const std::string& name, const std::string& path, double rows_bytes) {
  struct stat info{};
  require(::stat(path.c_str(), &info) == 0, "stat");
  std::printf("%-34s %5.2f x its rows, on the disk %.2f x\n", name.c_str(),
              static_cast<double>(info.st_size) / rows_bytes,
              static_cast<double>(info.st_blocks) * 512 / rows_bytes);
}

void fill(std::size_t count, std::size_t row_bytes) {
  const support::TempFolder folder;
  const auto rows = make_rows(count, row_bytes);
  auto sorted = rows;
  std::ranges::sort(sorted, {}, &cache::EncodedRow::key);
  const std::string bare = folder.file("bare.redb");
  const std::string ours = folder.file("cache.redb");
  const auto result = compare(
      Clock::wall, kRoundsMin, [&] { fill_bare(bare, sorted); }, [&] { fill_cache(ours, rows); });
  const std::string name = std::to_string(count) + " rows of " + std::to_string(row_bytes) + " B";
  print("fill, " + name, result, static_cast<double>(count));
  const auto stored = static_cast<double>(bytes_of(rows));
  print_size("file, " + name, ours, stored);
  print_size("bare file, " + name, bare, stored);
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  if (argc == 3) {
    tidemark::bench::fill(std::stoul(argv[1]), std::stoul(argv[2]));
    return 0;
  }
  tidemark::bench::fill(20'000, 1'300);
  tidemark::bench::fill(100'000, 300);
}
