// The first fill over a line with latency and a bandwidth, made by support/slow_link.py between
// the program and the real server, against what such a line needs at the least.
#include <filesystem>

#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"
#include "tidemark/syncer.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRowBytes = 1'300;

struct Line {
  int latency_ms;  // there and back
  int megabits;    // a second, in each direction
  std::size_t rows;
};

class SlowLink {
 public:
  SlowLink(int port, const Line& line)
      : child_({"/usr/bin/python3", TIDEMARK_SLOW_LINK, std::to_string(port),
                std::to_string(line.latency_ms), std::to_string(line.megabits)},
               support::ChildProcess::Output::pipe),
        port_(child_.read_line(std::chrono::seconds(10))) {}
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port_; }

 private:
  support::ChildProcess child_;
  const std::string port_;
};

SyncReport fill(const std::string& url, const std::string& cache, std::size_t rows) {
  std::filesystem::remove(cache);
  SyncConfig config;
  config.max_episodes_cache = rows;
  auto syncer = Syncer::open(url, cache, config);
  require(syncer.has_value(), "open");
  auto report = syncer->sync();
  require(report.has_value(), report ? "" : report.error().message);
  require(report->mode == "fill" && report->episodes_synced == rows, "the fill");
  return std::move(*report);
}

void measure(const Record& record, const Line& line) {
  const support::TempFolder folder;
  make_memories(folder.file("source.db"), line.rows, kRowBytes);
  const support::TursoServer server(folder.file("source.db"));
  const SlowLink link(server.port(), line);
  Pairs pairs;
  for (int round = 0; round < kRoundsMin; ++round) {
    std::uint64_t bytes = 0;
    const double took = time_of(Clock::wall, [&] {
      bytes = fill(link.url(), folder.file("cache.redb"), line.rows).bytes_received;
    });
    const double transfer = static_cast<double>(bytes) * 8 / (line.megabits * 1e6);
    pairs.add(1.5 * transfer + 4 * line.latency_ms / 1e3, took);
  }
  const std::string latency = std::to_string(line.latency_ms);
  const std::string megabits = std::to_string(line.megabits);
  record.ratio({"link-" + latency + "ms-" + megabits + "mbit",
                "first fill of " + std::string(line.rows == 20'000 ? "20,000" : "2,000") +
                    " x 1.3 KB over " + latency + " ms and " + megabits + " Mbit/s",
                "1.5 x bytes / bandwidth + 4 round trips"},
               pairs);
}

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  const tidemark::bench::Record record(argc, argv);
  const bool full = !record.arguments().empty();
  for (const int latency_ms : {0, 20, 100}) {
    tidemark::bench::measure(record, {latency_ms, 100, 20'000});
    if (full || latency_ms == 20) tidemark::bench::measure(record, {latency_ms, 10, 2'000});
  }
}
