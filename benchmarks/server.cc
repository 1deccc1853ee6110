// Whole passes over HTTP from the real server on this machine: the first fill and a pass that finds
// nothing changed, against bare curl with the same requests and bare redb with the same rows.
#include <algorithm>
#include <filesystem>

#include "benchmarks/support/bare_curl.h"
#include "benchmarks/support/memories.h"
#include "benchmarks/support/record.h"
#include "benchmarks/support/rows.h"
#include "source/source.h"
#include "sync/pages.h"
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
  const auto statements = source::list_statements(collection, list);
  requests.first.push_back(body_of(statements));
  const auto replies = post_each(url, requests.first);
  const auto listed = turso::hrana::decode_pipeline(replies.back(), statements.size() + 1, kNonce);
  require(listed.has_value(), "the list");
  const auto places = source::read_list(collection, list, listed->results[1]);
  require(places && places->places.size() == kRows, "the list's rows");
  std::vector<Value> keys;
  for (const auto& place : places->places) keys.push_back(place.key);
  sync::sort_by_key(keys);
  for (std::size_t at = 0; at < keys.size(); at += kPageRows) {
    const auto page = std::span(keys).subspan(at, std::min(kPageRows, keys.size() - at));
    requests.pages.push_back(
        body_of({source::range_statement(collection, page.front(), page.back(), 2 * kPageRows)}));
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

  void run(const Record& record) {
    Pairs fills;
    Pairs scans;
    for (int round = -1; round < kRoundsMin; ++round) {  // the first does not count
      const double wire = time_of(Clock::wall, [&] { fetch_bare(); });
      const double write =
          time_of(Clock::wall, [&] { fill_bare(folder_.file("bare.redb"), rows_); });
      std::filesystem::remove(cache());
      const double fill = time_of(Clock::wall, [&] { pass("fill"); });
      const double again = time_of(Clock::wall, [&] { pass("scan"); });
      if (round < 0) continue;
      fills.add(std::max(wire, write), fill);
      scans.add(wire, again);
    }
    record.ratio({"fill-20k", "first fill, 20,000 x 1.3 KB, from tursodb",
                  "the larger of bare libcurl and bare redb"},
                 fills);
    record.ratio({"scan-20k", "a pass that reads it all and finds it unchanged", "bare libcurl"},
                 scans);
  }

 private:
  [[nodiscard]] std::string cache() const { return folder_.file("cache.redb"); }

  void fetch_bare() {
    static_cast<void>(post_all(pipeline_, requests_.pages));
    static_cast<void>(post_each(pipeline_, requests_.first));
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
  }

  const support::TempFolder folder_;
  const std::string database_;
  std::optional<support::TursoServer> server_;
  std::string pipeline_;
  Requests requests_;
  std::vector<cache::EncodedRow> rows_;
};

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) { tidemark::bench::ServerBench().run({argc, argv}); }
