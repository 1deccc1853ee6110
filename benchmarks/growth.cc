// Peak memory of `tidemark sync`, which must not follow the size of the database: the system tells
// the peak of the program's process. `bench_memory [ROWS]`.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "benchmarks/memories.h"
#include "benchmarks/timing.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"

namespace tidemark::bench {
namespace {

constexpr double kPeakMiBMax = 96;
constexpr std::size_t kRowBytes = 200;

struct Measured {
  double peak_mib = 0;
  double seconds = 0;
};

Measured measure(const std::string& url, const std::string& cache, std::size_t rows) {
  Measured out;
  const auto run = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string count = std::to_string(rows);
      ::execl(TIDEMARK_PROGRAM, TIDEMARK_PROGRAM, "-q", "--cache", cache.c_str(), "sync",
              "--source", url.c_str(), "--max-episodes-cache", count.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    require(::wait4(child, &status, 0, &usage) == child && status == 0, "the fill");
    out.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  };
  out.seconds = time_of(Clock::wall, run);
  return out;
}

void print(const char* from, std::size_t rows, const Measured& m) {
  std::printf("fill of %zu rows from %-8s peak %.1f MiB (at most %.0f: %s), %.2f us a row\n", rows,
              from, m.peak_mib, kPeakMiBMax, m.peak_mib <= kPeakMiBMax ? "met" : "missed",
              m.seconds * 1e6 / static_cast<double>(rows));
  std::fflush(stdout);
}

void run(std::size_t rows) {
  const support::TempFolder folder;
  for (const std::size_t count : {rows / 10, rows}) {
    const std::string name = std::to_string(count);
    const std::string database = folder.file(name + ".db");
    make_memories(database, count, kRowBytes);
    print("a file", count, measure("file:" + database, folder.file(name + ".file.redb"), count));
    const support::TursoServer server(database);
    print("a server", count, measure(server.url(), folder.file(name + ".http.redb"), count));
  }
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  tidemark::bench::run(argc > 1 ? std::stoul(argv[1]) : 1'000'000);
}
