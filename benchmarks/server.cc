// Whole passes over HTTP from the real server on this machine: the first fill and a pass that finds
// nothing changed, against bare curl with the same requests and bare redb with the same rows.
#include <algorithm>
#include <filesystem>

#include "benchmarks/bare_curl.h"
#include "benchmarks/memories.h"
#include "benchmarks/rows.h"
#include "source/source.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turso_server.h"
#include "tidemark/syncer.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRows = 20'000;
constexpr std::size_t kRowBytes = 1'300;
constexpr std::uint64_t kNonce = 1;
constexpr std::size_t kPageRows = 1'000;  // what the page sizer comes to for such rows

std::string body_of(std::vector<turso::Statement> statements) {
  statements.insert(statements.begin(), source::schema_statement());
  return turso::hrana::encode_pipeline({std::move(statements)}, false, kNonce);
}

// The requests of a fill, as tidemark makes them: the list of keys, then the rows in pages.
struct Requests {
  std::vector<std::string> first;  // each needs the reply of the one before
  std::vector<std::string> pages;
};

Requests make_requests(const std::string& url) {
  const model::Collection collection = memories();
  Requests requests;
  requests.first.push_back(body_of({}));
  source::ListRequest list;
  list.limit = kRows + 1;
  requests.first.push_back(body_of({source::list_statement(collection, list)}));
  const auto replies = post_each(url, requests.first);
  const auto listed = turso::hrana::decode_pipeline(replies.back(), 2, kNonce);
  require(listed.has_value(), "the list");
  const auto places = source::read_list(collection, listed->results[1]);
  require(places && places->places.size() == kRows, "the list's rows");
  std::vector<Value> keys;
  for (const auto& place : places->places) keys.push_back(place.key);
  for (std::size_t at = 0; at < keys.size(); at += kPageRows) {
    const auto page = std::span(keys).subspan(at, std::min(kPageRows, keys.size() - at));
    requests.pages.push_back(body_of(source::rows_statements(collection, page)));
  }
  return requests;
}

class ServerBench {
 public:
  ServerBench() : database_(folder_.file("source.db")) {
    make_memories(database_, kRows, kRowBytes);
    server_.emplace(database_);
    pipeline_ = server_->url() + "/v2/pipeline";
    requests_ = make_requests(pipeline_);
    rows_ = make_rows(kRows, kRowBytes);
    std::ranges::sort(rows_, {}, &cache::EncodedRow::key);
  }

  void run() {
    std::vector<double> fills;
    std::vector<double> passes;
    std::vector<double> wires;
    std::vector<double> writes;
    for (int round = -1; round < kRoundsMin; ++round) {  // the first does not count
      const double wire = time_of_call([&] { fetch_bare(); });
      const double write = time_of_call([&] { fill_bare(folder_.file("bare.redb"), rows_); });
      std::filesystem::remove(cache());
      const double fill = time_of_call([&] { pass("fill"); });
      const double again = time_of_call([&] { pass("scan"); });
      if (round < 0) continue;
      wires.push_back(wire);
      writes.push_back(write);
      fills.push_back(fill / std::max(wire, write));
      passes.push_back(again / wire);
    }
    const auto line = [](const char* name, const std::vector<double>& sample, const char* unit) {
      const Spread s = spread_of(sample);
      std::printf("%-34s %6.2f %s (quartiles %.2f-%.2f)\n", name, s.median, unit, s.low, s.high);
    };
    line("floor, bare curl", wires, "s");
    line("floor, bare redb", writes, "s");
    line("first fill, 20000 x 1.3 KB", fills, "x the larger floor");
    line("unchanged pass (scan)", passes, "x bare curl");
    std::printf("%-34s %6.2f MB bare, %.2f MB tidemark\n", "bytes received",
                static_cast<double>(bare_bytes_) / 1e6, static_cast<double>(fill_bytes_) / 1e6);
  }

 private:
  template <typename Work>
  static double time_of_call(Work work) {
    return time_of(Clock::wall, work);
  }

  [[nodiscard]] std::string cache() const { return folder_.file("cache.redb"); }

  void fetch_bare() {
    bare_bytes_ = post_all(pipeline_, requests_.pages);
    for (const auto& reply : post_each(pipeline_, requests_.first)) bare_bytes_ += reply.size();
  }

  void pass(const std::string& mode) {
    SyncConfig config;
    config.max_episodes_cache = kRows;
    auto syncer = Syncer::open(server_->url(), cache(), config);
    require(syncer.has_value(), "open");
    const auto report = syncer->sync();
    require(report.has_value(), report ? "" : report.error().message);
    require(report->mode == mode && report->collections.at("episodes").skipped == 0, "the pass");
    if (mode == "fill") require(report->episodes_synced == kRows, "rows of the fill");
    fill_bytes_ = report->bytes_received;
  }

  const support::TempFolder folder_;
  const std::string database_;
  std::optional<support::TursoServer> server_;
  std::string pipeline_;
  Requests requests_;
  std::vector<cache::EncodedRow> rows_;
  std::uint64_t bare_bytes_ = 0;
  std::uint64_t fill_bytes_ = 0;
};

}  // namespace
}  // namespace tidemark::bench

int main() { tidemark::bench::ServerBench().run(); }
