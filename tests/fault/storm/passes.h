// The built program, run again and again as a syncing process that is often killed.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/fault/storm/rows.h"
#include "tests/support/child_process.h"
#include "tests/support/program.h"

namespace tidemark::storm {

// One thread.
class Passes {
 public:
  Passes(std::string url, std::string cache, unsigned seed)
      : url_(std::move(url)), cache_(std::move(cache)), random_(seed) {}

  // Passes until `end`; every second one is killed, unless it ends before.
  void run_until(std::chrono::steady_clock::time_point end, const std::atomic<bool>& give_up) {
    while (std::chrono::steady_clock::now() < end && !give_up && problem.empty()) one();
  }
  // A pass of its own that nobody kills. A reader that repairs the file of a killed writer holds
  // the lock for a moment: then it is busy, and tried again.
  int quiet(std::vector<std::string> more = {}) {
    while (true) {
      const int exit = finish(start(more), std::chrono::minutes(1));
      if (exit != 5) return exit;
    }
  }

  std::map<std::string, int> counts;  // by the mode of the report, or what happened instead
  std::string problem;

 private:
  support::ChildProcess start(const std::vector<std::string>& more) {
    std::vector<std::string> words = {TIDEMARK_PROGRAM, "--json"};
    if (more.empty()) words.emplace_back("sync");
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--source", url_, "--cache", cache_});
    return {words, support::ChildProcess::Output::pipe, cache_ + ".said"};
  }
  void one() {
    std::vector<std::string> more;
    const auto kind = random_() % 24;
    if (kind == 0) more = {"sync", "--full"};
    if (kind == 1) more = {"repair"};
    const bool doomed = random_() % 2 == 0;
    const std::chrono::milliseconds span(doomed ? 5 + random_() % 200 : 60'000);
    const int exit = finish(start(more), span);
    if (exit != 0 && exit != 3 && exit != 5 && exit != kKilled) {
      problem = "a pass ended with " + std::to_string(exit) + ": " + said_.substr(0, 3'000) +
                support::text_of(cache_ + ".said");
    }
  }
  // Waits for the end of the pass at most `span`, the random moment of its death.
  int finish(support::ChildProcess pass, std::chrono::milliseconds span) {
    if (!pass.ends_within(span)) {
      pass.signal(SIGKILL);
      pass.wait();
      ++counts["killed"];
      return kKilled;
    }
    said_ = pass.read_line(std::chrono::seconds(1));
    const int exit = pass.wait();
    const auto json = nlohmann::json::parse(said_, nullptr, false);
    if (exit == 0 && json.is_object() && json["result"].contains("mode")) {
      ++counts[json["result"]["mode"].get<std::string>()];
    } else if (exit == 0) {
      ++counts["repair"];
    } else {
      ++counts[exit == 3 ? "unavailable" : exit == 5 ? "busy" : "failed"];
    }
    return exit;
  }

  static constexpr int kKilled = -9;
  std::string url_;
  std::string cache_;
  std::string said_;  // by the last pass
  std::mt19937 random_;
};

}  // namespace tidemark::storm
