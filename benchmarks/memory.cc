// Peak memory of a fill, which must not follow the size of the database: the fill runs in a process
// of its own, whose peak the system tells. `bench_memory [ROWS]`.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "benchmarks/memories.h"
#include "benchmarks/timing.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"
#include "tidemark/syncer.h"

namespace tidemark::bench {
namespace {

constexpr double kPeakMiBMax = 96;
constexpr std::size_t kRowBytes = 200;

int fill(const std::string& url, const std::string& cache, std::size_t rows) {
  SyncConfig config;
  config.max_episodes_cache = rows;
  auto syncer = Syncer::open(url, cache, config);
  if (!syncer) return 1;
  const auto report = syncer->sync();
  if (!report) std::fprintf(stderr, "%s\n", report.error().message.c_str());
  return report && report->episodes_synced == rows ? 0 : 1;
}

struct Measured {
  double peak_mib = 0;
  double seconds = 0;
};

Measured measure(const std::string& program, const std::string& url, const std::string& cache,
                 std::size_t rows) {
  Measured out;
  const auto run = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string count = std::to_string(rows);
      ::execl(program.c_str(), program.c_str(), "fill", url.c_str(), cache.c_str(), count.c_str(),
              nullptr);
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    require(::wait4(child, &status, 0, &usage) == child && status == 0, "the fill");
    out.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  };
  out.seconds = time_of(run);
  return out;
}

void print(const char* from, std::size_t rows, const Measured& m) {
  std::printf("fill of %zu rows from %-8s peak %.1f MiB (at most %.0f: %s), %.2f us a row\n", rows,
              from, m.peak_mib, kPeakMiBMax, m.peak_mib <= kPeakMiBMax ? "met" : "missed",
              m.seconds * 1e6 / static_cast<double>(rows));
  std::fflush(stdout);
}

void run(const std::string& program, std::size_t rows) {
  const support::TempFolder folder;
  for (const std::size_t count : {rows / 10, rows}) {
    const std::string name = std::to_string(count);
    const std::string database = folder.file(name + ".db");
    make_memories(database, count, kRowBytes);
    print("a file", count,
          measure(program, "file:" + database, folder.file(name + ".file.redb"), count));
    const support::TursoServer server(database);
    print("a server", count,
          measure(program, server.url(), folder.file(name + ".http.redb"), count));
  }
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "fill") {
    return tidemark::bench::fill(argv[2], argv[3], std::stoul(argv[4]));
  }
  tidemark::bench::run("/proc/self/exe", argc > 1 ? std::stoul(argv[1]) : 1'000'000);
}
