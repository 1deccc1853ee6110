// tidemark as a program uses its library, driven by lines on standard input like the peers it is
// compared with: `capture`, `fill`, `pull`, `open`, `close`, `get`, `count`, `value`. Each answers
// one line of JSON.
#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/support/timing.h"
#include "tidemark/capture.h"
#include "tidemark/reader.h"
#include "tidemark/syncer.h"

namespace tidemark::bench {
namespace {

constexpr std::size_t kKeysRead = 1'000;  // as many as a cache has by default

using Words = std::vector<std::string>;

template <typename T>
T value_of(Result<T> result) {
  require(result.has_value(), result ? "" : result.error().message);
  return std::move(*result);
}

std::string seconds_text(double seconds) {
  char text[64];
  std::snprintf(text, sizeof text, R"("seconds": %.9f)", seconds);
  return text;
}

class TidemarkPeer {
 public:
  // The members of the JSON object that answers these words.
  std::string answer(const Words& words) {
    const std::string& name = words.front();
    if (name == "fill" && words.size() == 4) return fill(words[1], words[2], words[3]);
    if (name == "pull") return pull();
    if (name == "get" && words.size() == 3) return get(words[1] == "snapshot", words[2]);
    if (name == "count") return count();
    if (name == "close") return close();
    if (name == "value" && words.size() == 2) return value(words[1]);
    if (name == "capture" && words.size() == 2) return capture(words[1]);
    if (name == "open" && words.size() == 2) return open(words[1]);
    return R"("error": "no such command")";
  }

 private:
  // Has the source log its changes, as `tidemark capture install` does.
  static std::string capture(const std::string& source) {
    auto admin = value_of(CaptureAdmin::open(source));
    static_cast<void>(value_of(admin.apply(value_of(admin.plan({})), {})));
    return {};
  }

  std::string close() {
    keys_.clear();
    reader_.reset();
    syncer_.reset();
    return {};
  }

  // Reads a cache that another process syncs.
  std::string open(const std::string& cache) {
    reader_.emplace(value_of(Reader::open(cache)));
    return count();
  }

  // The first copy, of a window of so many episodes; a cache that is there is brought in step.
  std::string fill(const std::string& source, const std::string& cache, const std::string& window) {
    SyncConfig config;
    config.max_episodes_cache = std::stoull(window);
    config.heartbeat = std::chrono::hours(1);  // what a pass without news leaves out
    SyncReport report;
    auto work = [&] {
      syncer_.emplace(value_of(Syncer::open(source, cache, config)));
      report = value_of(syncer_->sync());
    };
    const double seconds = time_of(Clock::wall, work);
    require(report.skipped.empty() && !report.validation.failed(), "a pass that caches everything");
    reader_.emplace(value_of(Reader::open(cache)));
    return seconds_text(seconds) + ", " + count();
  }

  std::string pull() {
    SyncReport report;
    auto work = [&] { report = value_of(syncer_->sync()); };
    const double seconds = time_of(Clock::wall, work);
    return seconds_text(seconds) + R"(, "mode": ")" + report.mode + R"(")";
  }

  // One column of one episode at a time, by key: 1,000 keys from all over the cache, again and
  // again.
  std::string get(bool in_snapshot, const std::string& reads) {
    if (keys_.empty()) list_keys();
    const std::size_t wanted = std::stoull(reads);
    const auto snapshot = value_of(reader_->snapshot());
    std::size_t bytes = 0;
    auto work = [&] {
      for (std::size_t read = 0; read < wanted; ++read) {
        const std::string& key = keys_[(read % kKeysRead) * (keys_.size() / kKeysRead)];
        const Lookup found =
            value_of(in_snapshot ? snapshot.get("episodes", key) : reader_->get("episodes", key));
        bytes += found.row().at("context")->bytes().size();
      }
    };
    const double seconds = time_of(Clock::wall, work);
    return seconds_text(seconds) + R"(, "bytes": )" + std::to_string(bytes);
  }

  void list_keys() {
    const auto list = [&](const Row& row) {
      keys_.emplace_back(row.key());
      return true;
    };
    require(reader_->scan({.collection = "episodes"}, list).has_value(), "scan");
  }

  // Rows of each collection; "rows" are the episodes.
  std::string count() {
    const auto snapshot = value_of(reader_->snapshot());
    std::string out = R"("rows": )" + std::to_string(value_of(snapshot.count("episodes")));
    for (const auto& name : value_of(reader_->collections())) {
      out += ", \"" + name + "\": " + std::to_string(value_of(snapshot.count(name)));
    }
    return out;
  }

  std::string value(const std::string& key) {
    const Lookup found = value_of(reader_->get("episodes", key));
    const std::string presence = R"("presence": ")" + std::string(to_string(found.presence()));
    if (!found) return presence + R"(", "value": null)";
    return presence + R"(", "value": ")" + std::string(found.row().at("task_type")->bytes()) + '"';
  }

  std::optional<Syncer> syncer_;
  std::optional<Reader> reader_;
  Words keys_;  // of the episodes, once asked for
};

void run() {
  TidemarkPeer peer;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    Words words;
    for (std::string word; in >> word;) words.push_back(word);
    if (words.empty()) continue;
    const std::string answer = peer.answer(words);
    std::cout << "{" << answer << "}" << std::endl;
  }
}

}  // namespace
}  // namespace tidemark::bench

int main() { tidemark::bench::run(); }
