#include "tests/fault/simulation/runner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fault/simulation/log_watch.h"
#include "tests/fault/simulation/tables.h"

namespace tidemark::simulation {
namespace {

constexpr std::size_t kEventsShown = 25;
constexpr int kKilled = 1;
// What no page can be cut below: two guards in one request, 4.2 KB each where all five tables are
// captured. A million steps met 8,243.
constexpr std::size_t kReplyBytesMin = 10'000;
constexpr std::chrono::hours kHalfYear{24 * 183};

std::int64_t to_us(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string name_of(const std::string& path) { return std::filesystem::path(path).stem().string(); }

// Where a synced commit costs no disk: the same system calls, ten times the passes.
std::filesystem::path memory_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

void Tally::add(const Tally& other) {
  steps += other.steps;
  changes += other.changes;
  passes += other.passes;
  failed += other.failed;
  killed += other.killed;
  fills += other.fills;
  resumed += other.resumed;
  looks += other.looks;
  exact += other.exact;
}

std::string Simulation::PassPlan::text() const {
  std::string out = weather.text();
  if (fail_after > 0) out += ", storage fails after " + std::to_string(fail_after);
  if (!kill_phase.empty()) out += ", killed in " + kill_phase;
  return out + (full ? ", full" : "") + (audits ? ", audits" : "");
}

Simulation::Simulation(std::uint64_t seed, Plant plant)
    : plant_(plant),
      dice_(seed),
      folder_(memory_folder()),
      source_(folder_.file("source.db")),
      operations_(source_, folder_.file("")) {
  make_tables(source_);
  if (dice_.one_in(2)) source_.run("CREATE INDEX episodes_by_start ON episodes(start_time)");
  if (dice_.one_in(2)) {
    operations_.capture(dice_);
    judge_.expect_log();
    logged_ = true;
  }
  history_.append(source_.read());
  const std::vector<Scope> scopes = {
      {3, true, true}, {1'000, true, true}, {10, false, true}, {6, true, false}};
  for (const Scope& scope : scopes) {
    const std::string path = folder_.file("cache" + std::to_string(caches_.size()) + ".redb");
    caches_.push_back(std::make_unique<Cache>(Cache{{path, scope}, false, {}, false}));
  }
}

std::optional<Failure> Simulation::run(std::size_t steps) {
  while (!failure_ && tally_.steps < steps) {
    ++tally_.steps;
    step();
  }
  for (auto& cache : caches_) {
    if (!failure_) calm_pass(*cache);
  }
  return failure_;
}

void Simulation::step() {
  const std::size_t choice = dice_.below(100);
  if (choice < 60) {
    change(dice_, false);
  } else if (choice < 88) {
    bad_pass();
  } else if (choice < 96) {
    calm_pass(*caches_[dice_.below(caches_.size())]);
  } else if (choice < 98) {
    jump(std::chrono::hours(1));
  } else {
    update_replica();
  }
  clock_.advance(std::chrono::milliseconds(dice_.below(5'000)));
  if (restless_clock_) jump(dice_.one_in(4) ? kHalfYear : std::chrono::hours(1));
  look(*caches_[dice_.below(caches_.size())]);
}

// By up to `most`, forth or back.
void Simulation::jump(std::chrono::seconds most) {
  const auto range = static_cast<std::size_t>(2 * most.count());
  const std::chrono::seconds by(static_cast<std::int64_t>(dice_.below(range)) - most.count());
  clock_.jump(by);
  say("the clock jumps by " + std::to_string(by.count()) + " s");
}

void Simulation::change(Dice& dice, bool during_pass) {
  const LogWatch log(source_);
  const std::string what = operations_.change(dice, history_.now(), during_pass);
  if (plant_ == Plant::loses_log_entries) operations_.erase_newest_log_entry();
  const std::size_t before = history_.last();
  history_.append(source_.read());
  ++tally_.changes;
  say((during_pass ? "  meanwhile: " : "") + what +
      (history_.last() == before ? " (nothing changed)" : ""));
  // A restored log is that of another time.
  const bool restored = what.starts_with("restore") || what.starts_with("replace file");
  const bool unlogged = logged_ && what.starts_with("write unlogged");
  unlogged_ = unlogged_ || unlogged;
  if (unlogged || (restored && unlogged_)) {
    for (auto& cache : caches_) cache->blind = true;
  }
  if (restored || unlogged) return;
  const std::string missed = log.missed(history_.at(before), history_.now());
  if (!missed.empty()) wrong(missed);
}

void Simulation::update_replica() {
  const std::string path = folder_.file("replica.db");
  source_.save_to(path);
  replica_state_ = history_.last();
  say("the replica catches up");
}

Simulation::PassPlan Simulation::plan_pass() {
  PassPlan plan;
  plan.full = dice_.one_in(12);
  plan.audits = dice_.one_in(plant_ == Plant::hides_log_from_audit ? 1 : 6);
  Weather& weather = plan.weather;
  weather.held = dice_.one_in(3);
  weather.capacity = 1 + dice_.below(4);
  if (dice_.one_in(3)) weather.reply_bytes_max = kReplyBytesMin + dice_.below(kReplyBytesMin / 2);
  const auto sometimes = [&](std::size_t n) { return dice_.one_in(n) ? 2 + dice_.below(12) : 0; };
  switch (dice_.below(6)) {
    case 0:
      plan.fail_after = 1 + dice_.below(150);
      return plan;
    case 1:
      weather.kill_at = 1 + dice_.below(18);
      return plan;
    case 2:
      plan.kill_phase = dice_.of(std::vector<std::string>{"open", "validate", "commit", "install"});
      return plan;
    case 3:
      weather.cancel_at = 1 + dice_.below(18);
      [[fallthrough]];
    default:
      weather.unavailable = sometimes(3);
      weather.lost = sometimes(3);
      weather.delayed = sometimes(2);
      weather.repeated = sometimes(2);
      weather.writes = plant_ == Plant::keeps_old_file ? 0 : sometimes(2);
      if (!weather.held && replica_state_) weather.stale = sometimes(4);
      return plan;
  }
}

void Simulation::bad_pass() { pass(*caches_[dice_.below(caches_.size())], plan_pass()); }

void Simulation::calm_pass(Cache& cache) {
  PassPlan plan;
  plan.weather.held = dice_.one_in(2);
  plan.weather.capacity = 1 + dice_.below(3);
  plan.audits = cache.blind || dice_.one_in(6);
  pass(cache, plan);
}

void Simulation::pass(Cache& cache, const PassPlan& plan) {
  CacheUnderTest& tested = cache.tested;
  while (tested.passes.contains(to_us(clock_.wall()))) clock_.advance(StepClock::Micros(1));
  const auto began = clock_.wall();
  const auto began_steady = clock_.steady();
  const std::size_t from = history_.last();
  const std::optional<Seen> before = look(cache);
  say("pass of " + name_of(tested.path) + ": " + plan.text());
  ++tally_.passes;
  Met met;
  std::optional<Error> error;
  std::string how = "done";
  std::string problem;  // as the pass itself sees it
  const auto note_pass = [&] {
    tested.passes[to_us(began)] = {met.stale ? std::min(from, *replica_state_) : from,
                                   history_.last()};
  };
  note_pass_ = note_pass;  // a pass may commit before it ends
  if (plan.killed()) {
    error = run_to_its_death(cache, plan);
  } else {
    auto report = run_pass(cache, plan, met);
    if (!report) error = report.error();
    if (report && report->mode == "fill") ++tally_.fills;
    if (report && report->resumed) ++tally_.resumed;
    if (report) how += " (" + report->mode + ": " + report->reason + ")";
    if (report) judge_audit(cache, *report, met);
    if (report && report->validation.failed()) problem = report->validation.problems.front();
  }
  clock_.advance_to(began_steady + std::chrono::hours(1));  // whatever the threads' order was
  const std::size_t to = history_.last();
  note_pass();
  note_pass_ = nullptr;
  say("  " + (error ? "failed: " + error->message : how));
  if (error) judge_failure(plan, met, *error, from != to);
  const bool quiet = !error && from == to && !met.stale;
  const std::optional<Seen> after = look(cache, quiet);
  if (quiet && !problem.empty()) wrong("a quiet pass fails its own validation: " + problem);
  // A pass that follows a log commits each range, and a doubt, before it goes on.
  const bool stays = error && plan.fail_after == 0 && !plan.killed() && !logged_ &&
                     !cache.uncertain && before && after;
  cache.uncertain = error && (cache.uncertain || plan.fail_after > 0);
  const std::string changed = stays && from == to ? difference(*before, *after) : std::string();
  if (!changed.empty()) wrong("a pass that failed changed the cache: it " + changed);
}

Result<SyncReport> Simulation::run_pass(Cache& cache, const PassPlan& plan, Met& met) {
  std::stop_source stop;
  const std::uint64_t seed = dice_.next();
  Outside outside{.clock = clock_,
                  .write = [this](Dice& dice) { change(dice, true); },
                  .look =
                      [&] {
                        if (note_pass_) note_pass_();
                        look(cache);
                      },
                  .cancel = [&] { stop.request_stop(); },
                  .replica = replica_state_ ? folder_.file("replica.db") : "",
                  .plant = plant_,
                  .memory = &cache.memory};
  if (plan.fail_after > 0) outside.look = [] {};
  // A connection that is kept does not outlive a fork.
  if (plant_ == Plant::keeps_old_file && plan.killed()) outside.memory = nullptr;
  sync::EngineSetup setup;
  TIDEMARK_ASSIGN(url, turso::parse_source_url("file:" + source_.path()));
  setup.url = url;
  setup.cache = cache.tested.path;
  setup.config.batch_size = 1 + dice_.below(7);
  setup.changes_per_range = 1 + dice_.below(40);
  setup.fill_commit_bytes = 1 + dice_.below(400);
  setup.config.max_episodes_cache = cache.tested.scope.max_episodes_cache;
  setup.config.sync_patterns = cache.tested.scope.sync_patterns;
  setup.config.sync_embeddings = cache.tested.scope.sync_embeddings;
  setup.config.validate_checksums = plan.audits && plant_ != Plant::never_audits;
  setup.fail_after_operations = plan.fail_after;
  setup.in_step = plan.weather.kill_at || plan.weather.cancel_at;  // a seed gives one history
  setup.clock = &clock_;
  setup.connect = [&](const turso::SourceUrl& to,
                      turso::ConnectOptions options) -> Result<std::unique_ptr<turso::Connection>> {
    auto connection =
        std::make_unique<SourceDouble>(to, std::move(options), plan.weather, outside, seed, met);
    TIDEMARK_TRY(connection->open());
    return connection;
  };
  SyncRequest request;
  request.full = plan.full;
  request.progress = [&](const Progress& progress) {
    if (!plan.kill_phase.empty() && progress.phase == plan.kill_phase) ::_exit(kKilled);
  };
  if (plant_ == Plant::fast_clock) clock_.skew(std::chrono::seconds(10));
  auto report = sync::run_pass(setup, stop.get_token(), request);
  clock_.skew(StepClock::Micros(0));
  return report;
}

// In a process of its own, which ends where the plan says, with nothing closed or undone.
std::optional<Error> Simulation::run_to_its_death(Cache& cache, const PassPlan& plan) {
  const pid_t child = ::fork();
  if (child == 0) {
    Met met;
    const auto report = run_pass(cache, plan, met);
    ::_exit(report ? 0 : 2);
  }
  static_cast<void>(dice_.next());  // as run_pass takes them
  static_cast<void>(dice_.next());
  static_cast<void>(dice_.next());
  static_cast<void>(dice_.next());
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kKilled) {
    ++tally_.killed;
    return Error{ErrorCode::cancelled, "killed", {}, {}};
  }
  return Error{ErrorCode::internal, "ended with status " + std::to_string(status), {}, {}};
}

void Simulation::judge_failure(const PassPlan& plan, const Met& met, const Error& error,
                               bool source_changed) {
  ++tally_.failed;
  const bool no_episodes = !history_.now().contains("episodes");
  if (no_episodes || plan.fail_after > 0) return;
  if (plan.killed() && error.code == ErrorCode::cancelled) return;
  const bool allowed = (error.code == ErrorCode::cancelled && plan.weather.cancel_at) ||
                       (error.code == ErrorCode::unavailable && (met.trouble || source_changed)) ||
                       (error.code == ErrorCode::invalid && source_changed) ||
                       (met.stale && error.code != ErrorCode::internal);
  if (!allowed) wrong("a pass failed without a reason: " + error.message);
}

// A log that tells of everything misses nothing; one that does not is trusted until an audit.
void Simulation::judge_audit(Cache& cache, const SyncReport& report, const Met& met) {
  if (report.missed_by_capture > 0 && !unlogged_) {
    wrong("an audit takes " + report.missed[0].collection + " '" + report.missed[0].key +
          "' for missed, which the log tells of");
  }
  const bool compared_all = report.mode != "delta" && !report.resumed;
  if (compared_all || plant_ == Plant::never_audits) cache.blind = false;
  if (met.stale && unlogged_) cache.blind = true;
}

std::optional<Seen> Simulation::look(Cache& cache, bool quiet) {
  if (failure_ || cache.blind) return std::nullopt;
  ++tally_.looks;
  std::string problem;
  auto seen = judge_.see(cache.tested, problem);
  if (seen && problem.empty()) problem = judge_.always(cache.tested, *seen);
  if (seen && problem.empty() && quiet) {
    problem = judge_.when_quiet(cache.tested, *seen);
    ++tally_.exact;
  }
  if (!seen && problem.empty() && quiet) problem = "cannot be read after a pass that succeeded";
  if (!problem.empty()) wrong(name_of(cache.tested.path) + " " + problem);
  return seen;
}

void Simulation::say(std::string event) {
  const std::string folder = folder_.file("");  // another one each time
  for (std::size_t at = 0; (at = event.find(folder, at)) != std::string::npos;) {
    event.erase(at, folder.size());
  }
  events_.push_back(std::to_string(tally_.steps) + ". " + std::move(event));
  trace_ = std::hash<std::string>{}(events_.back() + std::to_string(trace_));
  if (events_.size() > kEventsShown) events_.pop_front();
}

void Simulation::wrong(const std::string& what) {
  if (failure_) return;
  failure_ = Failure{tally_.steps, what + "\nwhat happened before:\n"};
  for (const std::string& event : events_) failure_->text += "  " + event + "\n";
}

}  // namespace tidemark::simulation
