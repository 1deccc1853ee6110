// Runs one hot path COUNT times, for tools/count-instructions: two runs that differ in COUNT alone
// differ by the instructions of that many more.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

#include "benchmarks/support/rows.h"
#include "cache/read_handle.h"
#include "tests/support/temp_folder.h"
#include "tidemark/reader.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kRows = 8'000;  // the greatest COUNT, too
constexpr std::size_t kRowBytes = 1'300;
constexpr std::size_t kWarm = 500;  // keys that are read again and again
constexpr std::uint64_t kNonce = 7;

// A cache of kRows, and its Reader.
struct Cache {
  Cache() { fill_cache(path, rows); }
  [[nodiscard]] Reader reader() const {
    auto opened = Reader::open(path);
    require(opened.has_value(), "open");
    return std::move(*opened);
  }

  const support::TempFolder folder;
  const std::string path = folder.file("cache.redb");
  const std::vector<cache::EncodedRow> rows = make_rows(kRows, kRowBytes);
};

void get_in_snapshot(std::size_t count) {
  const Cache cache;
  const Reader reader = cache.reader();
  const auto snapshot = reader.snapshot();
  for (std::size_t i = 0; i < count; ++i) {
    require(snapshot->get("episodes", cache.rows[i % kWarm].key)->presence() == Presence::hit,
            "get");
  }
}

void get_one_shot(std::size_t count) {
  const Cache cache;
  const Reader reader = cache.reader();
  for (std::size_t i = 0; i < count; ++i) {
    require(reader.get("episodes", cache.rows[i % kWarm].key)->presence() == Presence::hit, "get");
  }
}

void scan_row(std::size_t count) {
  const Cache cache;
  const Reader reader = cache.reader();
  const auto snapshot = reader.snapshot();
  std::size_t seen = 0;
  const auto visit = [&](const Row&) { return ++seen < count; };
  require(snapshot->scan({.collection = "episodes"}, visit).has_value() && seen == count, "scan");
}

void encode_row(std::size_t count) {
  const model::Collection episodes = catalog().collections[0];
  const std::string context(kRowBytes, 'c');
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = std::to_string(1'000'000 + i);
    const std::vector<ValueView> cells = {ValueView::text(key),
                                          ValueView::int64(static_cast<std::int64_t>(i)),
                                          ValueView::text(context)};
    require(cache::encode_record(episodes, {key, cells}).bytes.size() > kRowBytes, "encode");
  }
}

// A server's reply to one statement of `rows` rows, as Hrana's specification has it.
std::string reply_of(std::size_t rows) {
  const auto result = [](const std::string& columns, const std::string& cells) {
    return R"({"cols":[)" + columns + R"(],"rows":[)" + cells +
           R"(],"affected_row_count":0,"last_insert_rowid":null})";
  };
  const std::string nonce =
      result(R"({"name":"n"})", R"([{"type":"text","value":")" + std::to_string(kNonce) + R"("}])");
  std::string cells;
  for (std::size_t i = 0; i < rows; ++i) {
    cells += std::string(i == 0 ? "" : ",") + R"([{"type":"text","value":")" +
             std::to_string(1'000'000 + i) + R"("},{"type":"integer","value":")" +
             std::to_string(1'760'000'000 + i) + R"("},{"type":"text","value":")" +
             std::string(kRowBytes, 'c') + R"("}])";
  }
  const std::string page =
      result(R"({"name":"episode_id"},{"name":"start_time"},{"name":"context"})", cells);
  const std::string none = result("", "");
  return R"({"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"batch",)"
         R"("result":{"step_results":[)" +
         none + "," + nonce + "," + page + "," + none +
         R"(,null],"step_errors":[null,null,null,null,null]}}}]})";
}

void decode_row(std::size_t count) {
  constexpr std::size_t kPageRows = 100;
  const std::string reply = reply_of(kPageRows);
  std::string body;
  for (std::size_t done = 0; done < count; done += kPageRows) {
    body.reserve(reply.size() + turso::hrana::kReplyPadding);
    body.assign(reply);
    const auto decoded = turso::hrana::decode_pipeline_in(body, 1, kNonce);
    require(decoded.has_value(), decoded ? "" : decoded.error().message);
    require(decoded->results[0].size() == kPageRows, "rows of the reply");
  }
}

void fill_row(std::size_t count) {
  const support::TempFolder folder;
  auto rows = make_rows(kRows, kRowBytes);
  rows.resize(count);
  fill_cache(folder.file("cache.redb"), rows);
}

const std::map<std::string, std::function<void(std::size_t)>> kPaths = {
    {"get_in_snapshot", get_in_snapshot}, {"get_one_shot", get_one_shot}, {"scan_row", scan_row},
    {"encode_row", encode_row},           {"decode_row", decode_row},     {"fill_row", fill_row},
};

}  // namespace
}  // namespace tidemark::bench

int main(int argc, char** argv) {
  using namespace tidemark::bench;
  const auto path = argc == 3 ? kPaths.find(argv[1]) : kPaths.end();
  const std::size_t count = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (path == kPaths.end() || count == 0 || count > kRows || count % 100 != 0) {
    std::fprintf(stderr, "hot_paths PATH COUNT (hundreds, up to %zu); paths:\n", kRows);
    for (const auto& [name, run] : kPaths) std::fprintf(stderr, "  %s\n", name.c_str());
    return 2;
  }
  path->second(count);
  return 0;
}
