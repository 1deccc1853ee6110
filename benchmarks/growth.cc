// What a first fill takes as the table grows: time for a row, and the peak memory of the process,
// which must follow neither the table nor the cache; and what a reader of the largest takes.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRowBytes = 200;
constexpr std::size_t kFew = 100'000;
constexpr std::size_t kMany = 1'000'000;

struct Measured {
  double peak_mib = 0;
  double seconds = 0;
};

// A run of the program, whose peak the system tells; its output goes nowhere.
Measured measure(std::vector<std::string> arguments) {
  Measured out;
  arguments.insert(arguments.begin(), TIDEMARK_PROGRAM);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const auto run = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::execv(TIDEMARK_PROGRAM, argv.data());
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    require(::wait4(child, &status, 0, &usage) == child && status == 0, arguments[1]);
    out.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  };
  out.seconds = time_of(Clock::wall, run);
  return out;
}

Measured fill(const std::string& url, const std::string& cache, std::size_t rows) {
  std::filesystem::remove(cache);
  return measure({"--quiet", "--cache", cache, "sync", "--source", url, "--max-episodes-cache",
                  std::to_string(rows)});
}

// Seconds for a row of the large fill against the small one, in turns, and the large one's peak.
void grow(const Record& record, const std::string& id, const std::string& from,
          const std::string& few, const std::string& many, const std::string& cache) {
  Pairs pairs;
  std::vector<double> peaks;
  for (int round = 0; round < kRoundsMin; ++round) {
    const double small = fill(few, cache + ".few", kFew).seconds / kFew;
    const Measured large = fill(many, cache, kMany);
    pairs.add(small, large.seconds / kMany);
    peaks.push_back(large.peak_mib);
  }
  record.ratio({"growth-" + id, "first fill of 1,000,000 x 200 B from " + from + ", a row",
                "a row of 100,000"},
               pairs);
  record.value(
      {"rss-writer-" + id, "peak memory of a first fill of 1,000,000 x 200 B from " + from, ""},
      peaks, "MiB");
}

void read(const Record& record, const std::string& cache) {
  std::vector<double> peaks;
  for (int round = 0; round < kRoundsMin; ++round) {
    peaks.push_back(measure({"--cache", cache, "list", "episodes"}).peak_mib);
  }
  record.value({"rss-reader", "peak memory of a process that lists 1,000,000 rows", ""}, peaks,
               "MiB");
}

void run(const Record& record) {
  const support::TempFolder folder;
  const std::string few = folder.file("few.db");
  const std::string many = folder.file("many.db");
  make_memories(few, kFew, kRowBytes);
  make_memories(many, kMany, kRowBytes);
  const std::string cache = folder.file("file.redb");
  grow(record, "file", "a file", "file:" + few, "file:" + many, cache);
  read(record, cache);
  const support::TursoServer small(few);
  const support::TursoServer large(many);
  grow(record, "server", "tursodb", small.url(), large.url(), folder.file("http.redb"));
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::run({argc, argv}); }
