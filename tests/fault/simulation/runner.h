// Runs one simulation from its seed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/engine.h"
#include "tests/fault/simulation/judge.h"
#include "tests/fault/simulation/source_double.h"
#include "tests/support/temp_folder.h"

namespace tidemark::simulation {

struct Failure {
  std::size_t step = 0;
  std::string text;  // what is wrong, and what happened before
};

// Plain counters of what a simulation did.
struct Tally {
  std::size_t steps = 0;
  std::size_t changes = 0;  // of the source
  std::size_t passes = 0;
  std::size_t failed = 0;  // of the passes
  std::size_t killed = 0;
  std::size_t fills = 0;
  std::size_t resumed = 0;  // of the fills
  std::size_t looks = 0;    // at a cache, whole
  std::size_t exact = 0;    // of the looks: compared with one state of the source
  void add(const Tally& other);
};

// One thread. Several caches follow one source.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, Plant plant = Plant::none);

  // From now on the clock jumps at each step, by up to an hour or half a year, forth
  // or back.
  void let_the_clock_jump() { restless_clock_ = true; }
  // nullopt: nothing went wrong.
  [[nodiscard]] std::optional<Failure> run(std::size_t steps);
  [[nodiscard]] const Tally& tally() const { return tally_; }
  // Of everything that happened, in its order.
  [[nodiscard]] std::size_t trace() const { return trace_; }

 private:
  struct PassPlan {
    Weather weather;
    std::uint64_t fail_after = 0;  // operations of the cache's storage
    std::string kill_phase;
    bool full = false;
    bool audits = false;
    [[nodiscard]] bool killed() const { return weather.kill_at || !kill_phase.empty(); }
    [[nodiscard]] bool calm() const { return weather.calm() && fail_after == 0 && !killed(); }
    [[nodiscard]] std::string text() const;
  };
  struct Cache {
    CacheUnderTest tested;
    bool uncertain = false;  // a commit failed: it may be found done later
    PlantMemory memory;
    // A change of the source that no log tells of is not in it, until everything was read.
    bool blind = false;
  };

  void step();
  void jump(std::chrono::seconds most);
  void change(Dice& dice, bool during_pass);
  void bad_pass();
  void calm_pass(Cache& cache);
  [[nodiscard]] PassPlan plan_pass();
  void pass(Cache& cache, const PassPlan& plan);
  [[nodiscard]] Result<SyncReport> run_pass(Cache& cache, const PassPlan& plan, Met& met);
  [[nodiscard]] std::optional<Error> run_to_its_death(Cache& cache, const PassPlan& plan);
  void judge_failure(const PassPlan& plan, const Met& met, const Error& error, bool source_changed);
  void judge_audit(Cache& cache, const SyncReport& report, const Met& met);
  std::optional<Seen> look(Cache& cache, bool quiet = false);
  void update_replica();
  void say(std::string event);
  void wrong(const std::string& what);

  bool restless_clock_ = false;
  const Plant plant_;
  Dice dice_;
  support::TempFolder folder_{support::memory_folder()};
  StepClock clock_;
  History history_;
  Database source_;
  Operations operations_;
  Judge judge_{history_};
  bool unlogged_ = false;            // something was written that no log tells of
  bool logged_ = false;              // the source has a change log
  std::function<void()> note_pass_;  // while a pass runs: tells the judge when it began
  std::vector<std::unique_ptr<Cache>> caches_;
  std::optional<std::size_t> replica_state_;
  std::deque<std::string> events_;
  std::optional<Failure> failure_;
  Tally tally_;
  std::size_t trace_ = 0;
};

}  // namespace tidemark::simulation
