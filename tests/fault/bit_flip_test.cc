// One flipped bit anywhere in a cache file: reading never crashes, hangs or gives a wrong value.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::World;

constexpr int kEpisodes = 60;
constexpr std::size_t kHeadBytes = 4096;  // redb's header page: every byte of it
constexpr int kRandomFlips = 500;
constexpr unsigned kDeadlineSeconds = 20;  // of one reader; SIGALRM ends it

// What a reader process of a damaged file says by its exit code.
enum Outcome : int { harmless = 0, refused = 1, fewer_rows = 2, wrong_value = 3 };

std::string description(int i) { return "episode " + std::to_string(i) + std::string(40, 'x'); }

bool is_right(const Row& row) {
  const std::string key(row.key());
  const auto text = row.at("task_description");
  return text && key.starts_with("e") && text->bytes() == description(std::stoi(key.substr(1)));
}

bool is_damage(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::needs_repair ||
         error.code == ErrorCode::invalid || error.code == ErrorCode::unsupported ||
         error.code == ErrorCode::internal;
}

// Reads everything that a reader can, by both ways.
Outcome read_all(const std::string& cache) {
  ReaderOptions options;
  options.repair = false;  // what stands in the file is judged, not a repair of it
  options.open_deadline = std::chrono::milliseconds(20);  // nobody else holds the file
  const auto reader = Reader::open(cache, options);
  if (!reader) return is_damage(reader.error()) ? refused : wrong_value;
  int rows = 0;
  bool wrong = false;
  const auto listed = reader->scan({.collection = "episodes"}, [&](const Row& row) {
    wrong = wrong || !is_right(row);
    ++rows;
    return true;
  });
  int hits = 0;
  bool failed = !listed;
  for (int i = 0; i < kEpisodes; ++i) {
    const auto found = reader->get("episodes", "e" + std::to_string(i));
    failed = failed || !found;
    if (!found || !*found) continue;
    wrong = wrong || !is_right(found->row());
    ++hits;
  }
  if (wrong) return wrong_value;
  if (failed) return refused;
  return rows == kEpisodes && hits == kEpisodes ? harmless : fewer_rows;
}

struct Counts {
  int harmless = 0;
  int refused = 0;     // an error that names the damage
  int fewer_rows = 0;  // rows not found, with no other symptom: what a scrub is for
};

void judge(const std::string& cache, std::size_t bit, Counts& counts) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kDeadlineSeconds);
    ::_exit(read_all(cache));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "bit " << bit << ": signal " << WTERMSIG(status);
  const int outcome = WEXITSTATUS(status);
  ASSERT_LT(outcome, wrong_value) << "bit " << bit;
  counts.harmless += outcome == harmless ? 1 : 0;
  counts.refused += outcome == refused ? 1 : 0;
  counts.fewer_rows += outcome == fewer_rows ? 1 : 0;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(BitFlips, never_crash_hang_or_give_a_wrong_value) {
  const unsigned seed = 11;
  std::printf("seed %u\n", seed);
  std::mt19937_64 random(seed);
  World world;
  for (int i = 0; i < kEpisodes; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','" + description(i) +
                     "'," + std::to_string(i) + ",1,x'00')");
  }
  ASSERT_TRUE(world.sync());
  ASSERT_EQ(read_all(world.cache()), harmless);
  std::ifstream file(world.cache(), std::ios::binary);
  const std::string intact{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::size_t> bits;
  for (std::size_t byte = 0; byte < kHeadBytes; ++byte) bits.push_back(byte * 8 + random() % 8);
  for (int n = 0; n < kRandomFlips; ++n) bits.push_back(random() % (intact.size() * 8));
  Counts counts;
  const std::string damaged_path = world.folder.file("damaged.redb");
  for (const std::size_t bit : bits) {
    std::string damaged = intact;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write_file(damaged_path, damaged);
    ASSERT_NO_FATAL_FAILURE(judge(damaged_path, bit, counts));
  }
  std::printf("%zu flips in %zu bytes: %d harmless, %d refused, %d with fewer rows\n", bits.size(),
              intact.size(), counts.harmless, counts.refused, counts.fewer_rows);
  EXPECT_GT(counts.refused, 0);
}

TEST(BitFlips, a_file_cut_short_anywhere_is_refused_or_reads_right) {
  World world;
  for (int i = 0; i < kEpisodes; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','" + description(i) +
                     "'," + std::to_string(i) + ",1,x'00')");
  }
  ASSERT_TRUE(world.sync());
  std::ifstream file(world.cache(), std::ios::binary);
  const std::string intact{std::istreambuf_iterator<char>(file), {}};
  Counts counts;
  const std::string cut_path = world.folder.file("cut.redb");
  constexpr std::size_t kCuts = 100;
  for (std::size_t n = 0; n < kCuts; ++n) {
    const std::size_t size = intact.size() * n / kCuts;
    write_file(cut_path, intact.substr(0, size));
    ASSERT_NO_FATAL_FAILURE(judge(cut_path, size * 8, counts));
  }
  std::printf("%zu cuts: %d harmless, %d refused, %d with fewer rows\n", kCuts, counts.harmless,
              counts.refused, counts.fewer_rows);
  EXPECT_GT(counts.refused, 0);
}

}  // namespace
}  // namespace tidemark
