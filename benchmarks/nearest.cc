// What a search over warm vectors costs over reading the same bytes from memory once; and what the
// first search, which reads and checks every row, costs.
#include <array>
#include <memory>
#include <random>

#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
#include "tests/support/temp_folder.h"
#include "tidemark/reader.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRows = 100'000;
constexpr std::size_t kDimension = 384;
constexpr int kRounds = 21;
constexpr const char* kFloor = "reading the same bytes from memory";

model::Collection embeddings() {
  model::Collection collection;
  collection.name = "embeddings";
  collection.kind = model::Kind::embeddings;
  collection.columns = {{"id", "TEXT"}, {"item_id", "TEXT"}, {"vector", "BLOB"}, {"model", "TEXT"}};
  collection.parent_column = 1;
  collection.parent_kind = model::Kind::episodes;
  collection.vector_column = 2;
  return collection;
}

std::vector<float> random_vector(std::mt19937_64& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  for (float& number : vector) number = normal(random);
  return vector;
}

void fill(const std::string& path) {
  const model::Collection table = embeddings();
  std::mt19937_64 random(1);
  std::vector<cache::EncodedRow> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    char key[20];
    std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(random()));
    const auto vector = random_vector(random);
    const std::vector<ValueView> cells = {
        ValueView::text(key), ValueView::text("e"),
        ValueView::vector({reinterpret_cast<const char*>(vector.data()), kDimension * 4}),
        ValueView::text("model")};
    rows.push_back(cache::encode_record(table, {key, cells}));
  }
  auto writer = cache::Writer::create(path, cache::Meta{}, {});
  require(writer.has_value(), "create");
  auto session = writer->begin();
  cache::Meta& meta = session->edit_meta();
  meta.catalog.catalog.collections = {table};
  for (const auto& column : table.columns) {
    meta.catalog.schemas[table.schema_id()].push_back(column.name);
  }
  meta.state.checked_at_us = 1;
  require(session->put(table, rows).has_value(), "put");
  require(std::move(*session).commit().has_value(), "commit");
  require(std::move(*writer).close().has_value(), "close");
}

// The floor: every byte, in order, with the widest loads that the search has too.
#ifdef __x86_64__
[[gnu::target_clones("avx2", "default")]]
#endif
std::uint64_t read_once(const std::vector<std::uint64_t>& words) {
  std::array<std::uint64_t, 16> sums{};
  for (std::size_t i = 0; i + sums.size() <= words.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += words[i + lane];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : sums) sum += lane;
  return sum;
}

void run(const Record& record) {
  const support::TempFolder folder;
  const std::string path = folder.file("cache.redb");
  fill(path);
  ReaderOptions options;
  const auto reader = Reader::open(path, options);
  options.vector_cache_bytes = 1;
  const auto uncached = Reader::open(path, options);
  require(reader.has_value() && uncached.has_value(), "open");
  std::mt19937_64 random(2);
  const auto vector = random_vector(random);
  const std::vector<std::uint64_t> words(kRows * kDimension * sizeof(float) / 8, 3);
  std::uint64_t sum = 0;
  const auto floor = [&] { sum += read_once(words); };
  for (const Similarity similarity : {Similarity::cosine, Similarity::dot, Similarity::l2}) {
    const auto ours = [&] {
      const auto found = reader->nearest({.vector = vector, .similarity = similarity});
      require(found && found->neighbours.size() == 10, "nearest");
    };
    const std::string name(to_string(similarity));
    record.ratio({"nearest-" + name, "ten nearest of 100,000 x 384, warm, by " + name, kFloor},
                 compare(Clock::cpu, kRounds, floor, ours));
  }
  const auto streamed = [&] {
    require(uncached->nearest({.vector = vector}).has_value(), "nearest without room");
  };
  record.ratio({"nearest-streamed", "the same without room to keep them", kFloor},
               compare(Clock::cpu, kRoundsMin, floor, streamed));
  const auto first = [&] {
    const auto fresh = Reader::open(path);
    require(fresh->nearest({.vector = vector}).has_value(), "first nearest");
  };
  record.ratio({"nearest-first", "open and the first search", kFloor},
               compare(Clock::cpu, kRoundsMin, floor, first));
  require(sum > 0, "sum");
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::run({argc, argv}); }
