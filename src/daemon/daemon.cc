#include "daemon/daemon.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <random>
#include <stop_token>
#include <utility>

#include "cache/read_stats.h"
#include "daemon/control.h"
#include "daemon/describe.h"
#include "daemon/front.h"
#include "daemon/jobs.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/place.h"
#include "daemon/scrubbing.h"
#include "sync/worker.h"
#include "turso/connection.h"

namespace tidemark::daemon {
namespace {

using Clock = std::chrono::steady_clock;

Error stopping_error() { return {ErrorCode::cancelled, "the daemon stops", {}, {}}; }

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// How a pass ended, from the worker's thread.
struct Ended {
  Result<Done> result;
  std::chrono::milliseconds took;
  CacheStatus cache;
};

class Daemon {
 public:
  Daemon(Settings settings, const Load& load, Place place)
      : settings_(std::move(settings)),
        load_(load),
        place_(std::move(place)),
        schedule_(settings_.timing, random_seed(), Clock::now()),
        metrics_(settings_.build, settings_.max_staleness, look_at(settings_.setup.cache)) {}

  Result<void> run();

 private:
  [[nodiscard]] Result<void> listen();
  void await_signal();
  void watch();

  void step();
  void start(const Job& job);
  void tell(const Progress& progress);
  void ended(Ended ended);
  void scrubbed(const Slice& slice);

  void handle(const Request& request, const std::shared_ptr<Session>& session);
  void take(Ask ask, const std::shared_ptr<Session>& session);
  [[nodiscard]] Status status() const;
  [[nodiscard]] std::string metrics() const;
  [[nodiscard]] Result<void> reload();
  void stop();
  void abandon();
  void finish();

  Settings settings_;
  const Load& load_;
  Place place_;
  Schedule schedule_;
  Jobs jobs_;
  Metrics metrics_;
  std::string socket_;
  const Clock::time_point started_ = Clock::now();
  std::uint64_t passes_ = 0;
  std::string last_error_;
  std::optional<Progress> progress_;  // of the running job
  bool stopping_ = false;
  std::stop_source abandoned_;  // of all passes

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(loop_);
  asio::signal_set signals_{loop_};
  asio::steady_timer due_{loop_};       // the next automatic pass
  asio::steady_timer stopped_{loop_};   // the parts of stop_deadline
  asio::steady_timer watchdog_{loop_};  // the service manager's
  ControlServer control_{
      loop_, [this](const Request& request, const auto& session) { handle(request, session); }};
  Front front_{loop_,
               {[this] { return status(); }, [this] { return metrics(); },
                [this]() -> const CacheStatus& { return metrics_.cache(); }}};

  Scrubbing scrub_{loop_, worker_, [this](const Slice& slice) { scrubbed(slice); }};

  // The worker's own, until its job has ended.
  Clock::time_point told_{};
  sync::Worker worker_;  // last: its job uses what is above
};

// The engine's threads inherit the worker's mask: a signal never interrupts their calls.
void block_signals(int how) {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&taken, signal);
  pthread_sigmask(how, &taken, nullptr);
}

Result<void> Daemon::listen() {
  TIDEMARK_ASSIGN(socket, socket_path(settings_.setup.cache, settings_.socket));
  TIDEMARK_TRY(control_.listen(socket, settings_.setup.options.cache_mode));
  socket_ = socket;
  TIDEMARK_TRY(front_.listen(settings_));
  return place_.announce(socket);
}

Result<void> Daemon::run() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    IoError error;
    signals_.add(signal, error);
    if (error) return fail(ErrorCode::internal, "take signals: " + error.message());
  }
  TIDEMARK_TRY(listen());
  block_signals(SIG_BLOCK);
  worker_.run([] {});  // starts its thread
  front_.start();
  block_signals(SIG_UNBLOCK);
  await_signal();
  watch();
  log_line(Level::info, "keeping " + settings_.setup.cache + " in step with " +
                            shown_source(settings_.setup.source) + ", listening on " + socket_);
  notify_manager("READY=1\nSTATUS=starting");
  step();
  scrub_.start(settings_.setup.cache, settings_.setup.options.cache_mode, settings_.scrub_interval);
  loop_.run();
  block_signals(SIG_BLOCK);
  log_line(Level::info, "stopped");
  return {};
}

void Daemon::await_signal() {
  signals_.async_wait([this](const IoError& cancelled, int signal) {
    if (cancelled) return;
    await_signal();
    if (signal != SIGHUP) return stop();
    if (const auto reloaded = reload(); !reloaded) {
      log_line(Level::error, "configuration not changed: " + reloaded.error().message);
    }
  });
}

// A loop that hangs is restarted by the manager.
void Daemon::watch() {
  const auto interval = watchdog_interval();
  if (!interval) return;
  notify_manager("WATCHDOG=1");
  watchdog_.expires_after(*interval);
  watchdog_.async_wait([this](const IoError& cancelled) {
    if (!cancelled) watch();
  });
}

// Starts what waits or is due, else waits for that.
void Daemon::step() {
  if (stopping_ || jobs_.running() != nullptr) return;
  if (jobs_.waiting() == 0) {
    if (const auto trigger = schedule_.due(Clock::now())) jobs_.add(settings_.pass, *trigger);
  }
  if (const Job* const job = jobs_.start()) return start(*job);
  due_.expires_at(schedule_.next());
  due_.async_wait([this](const IoError& cancelled) {
    if (!cancelled) step();
  });
}

void Daemon::start(const Job& job) {
  due_.cancel();
  schedule_.pass_started();
  notify_manager("STATUS=" + std::string(to_string(job.ask.work)) + " runs (" +
                 std::string(to_string(job.trigger)) + ")");
  front_.status_changed();
  Setup setup = settings_.setup;
  if (!job.listeners.empty()) setup.config.heartbeat = {};  // what it saw is told to readers
  worker_.run([this, setup = std::move(setup), ask = job.ask] {
    told_ = {};
    const auto began = Clock::now();
    auto result = perform(setup, ask, abandoned_.get_token(),
                          [this](const Progress& progress) { tell(progress); });
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    Ended end{std::move(result), took, look_at(setup.cache)};
    asio::post(loop_, [this, end = std::move(end)]() mutable { ended(std::move(end)); });
  });
}

// On the worker's thread.
void Daemon::tell(const Progress& progress) {
  const auto now = Clock::now();
  if (now - told_ < kProgressSpacing) return;
  told_ = now;
  asio::post(loop_, [this, progress] {
    progress_ = progress;
    jobs_.progress(progress);
    front_.progress(progress);
  });
}

void Daemon::ended(Ended ended) {
  const Result<Done>& result = ended.result;
  const Job& job = *jobs_.running();
  const bool own = job.ask == settings_.pass;
  const Outcome outcome = judge(result, own);
  ++passes_;
  progress_.reset();
  metrics_.pass_ended(job.ask.work, result, ended.took, std::move(ended.cache),
                      std::chrono::system_clock::now());
  if (outcome.end != PassEnd::ignored) {
    last_error_ = result ? std::string() : result.error().message;
  }
  schedule_.pass_ended(outcome.end, Clock::now());
  log_line(outcome.level, std::string(to_string(job.ask.work)) + " (" +
                              std::string(to_string(job.trigger)) + "): " + outcome.text);
  notify_manager("STATUS=" + (last_error_.empty() ? "in step" : last_error_));
  front_.pass_ended(job, result, ended.took);
  jobs_.end(result);
  front_.status_changed();
  if (stopping_) return finish();
  step();
}

// What is damaged and marked, a sync repairs first of all.
void Daemon::scrubbed(const Slice& slice) {
  metrics_.scrubbed(slice, std::chrono::system_clock::now());
  if (slice.ended != WalkEnd::damaged) return;
  Ask healing = settings_.pass;
  if (!slice.marked) healing.work = Work::repair;
  jobs_.add(healing, Trigger::scrub);
  step();
}

void Daemon::handle(const Request& request, const std::shared_ptr<Session>& session) {
  switch (request.command) {
    case Command::perform:
      return take(request.ask, session);
    case Command::status:
      return session->reply(status());
    case Command::nudge:
      schedule_.nudge(Clock::now());
      metrics_.nudged();
      session->reply(Acknowledged{});
      return step();
    case Command::reload: {
      const auto reloaded = reload();
      return session->reply(reloaded ? Reply(Acknowledged{}) : Reply(reloaded.error()));
    }
    case Command::stop:
      session->reply(Acknowledged{});
      return stop();
  }
}

void Daemon::take(Ask ask, const std::shared_ptr<Session>& session) {
  if (stopping_) return session->refuse(stopping_error());
  if (auto error = other_source(ask.source, settings_.setup.source)) {
    return session->refuse(std::move(*error));
  }
  ask.source.clear();
  const Ask& own = settings_.pass;
  if (!ask.max_episodes_cache) ask.max_episodes_cache = own.max_episodes_cache;
  if (!ask.sync_patterns) ask.sync_patterns = own.sync_patterns;
  if (!ask.sync_embeddings) ask.sync_embeddings = own.sync_embeddings;
  jobs_.ask(ask, {[session](const Progress& progress) { session->reply(progress); },
                  [session](const Result<Done>& done) {
                    session->reply(done ? Reply(*done) : Reply(done.error()));
                  }});
  step();
}

Status Daemon::status() const {
  const auto ms = [](auto time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
  };
  const auto now = Clock::now();
  Status s;
  s.pid = ::getpid();
  s.source = shown_source(settings_.setup.source);
  s.cache = settings_.setup.cache;
  s.uptime = ms(now - started_);
  s.passes = passes_;
  s.failures = schedule_.failures();
  s.last_error = last_error_;
  const Job* const job = jobs_.running();
  s.trigger = to_string(job == nullptr ? schedule_.coming() : job->trigger);
  if (job != nullptr) {
    s.running = to_string(job->ask.work);
    s.progress = progress_;
  } else {
    s.next_pass = std::max(ms(schedule_.next() - now), std::chrono::milliseconds(0));
  }
  if (settings_.scrub_interval.count() > 0) s.scrub = metrics_.scrub();
  return s;
}

std::string Daemon::metrics() const {
  return metrics_.text({std::chrono::system_clock::now(), cache::total_reads(settings_.setup.cache),
                        schedule_.failures()});
}

// What cannot change while it runs is not changed at all.
Result<void> Daemon::reload() {
  if (stopping_) return std::unexpected(stopping_error());
  notify_manager("RELOADING=1");
  auto loaded = load_();
  notify_manager("READY=1");
  if (!loaded) return std::unexpected(std::move(loaded).error());
  if (loaded->setup.cache != settings_.setup.cache || loaded->socket != settings_.socket ||
      loaded->listen != settings_.listen) {
    return fail(ErrorCode::invalid,
                "the cache, the socket and listen cannot change while the daemon runs",
                "restart it");
  }
  TIDEMARK_TRY(front_.reload(*loaded));
  settings_ = std::move(*loaded);
  schedule_.reload(settings_.timing, Clock::now());
  metrics_.reload(settings_.max_staleness, std::chrono::system_clock::now());
  scrub_.reload(settings_.scrub_interval);
  log_line(Level::info, "configuration read again");
  front_.status_changed();
  step();
  return {};
}

void Daemon::stop() {
  if (stopping_) return abandon();  // told twice
  stopping_ = true;
  notify_manager("STOPPING=1");
  due_.cancel();
  scrub_.stop();
  control_.close();
  front_.close();
  jobs_.refuse_waiting(stopping_error());
  if (jobs_.running() == nullptr) return finish();
  stopped_.expires_after(settings_.stop_deadline / kStopGraceDivisor);
  stopped_.async_wait([this](const IoError& cancelled) {
    if (!cancelled) abandon();
  });
}

// The last commit stays; the next pass goes on from there.
void Daemon::abandon() {
  if (abandoned_.stop_requested() || jobs_.running() == nullptr) return;
  log_line(Level::info, "abandoning the pass that runs");
  abandoned_.request_stop();
  stopped_.expires_after(settings_.stop_deadline - settings_.stop_deadline / kStopGraceDivisor);
  stopped_.async_wait([](const IoError& cancelled) {
    if (cancelled) return;
    log_line(Level::error, "the pass did not end within stop_deadline: it is cut off");
    ::_exit(1);  // as a kill would: the last commit stays
  });
}

// Nothing is left to wait for but replies on their way.
void Daemon::finish() {
  IoError ignored;
  signals_.cancel(ignored);
  stopped_.cancel();
  watchdog_.cancel();
  work_.reset();
}

}  // namespace

Result<void> run_daemon(Settings settings, const Load& load) {
  TIDEMARK_TRY(turso::parse_source_url(settings.setup.source));
  TIDEMARK_TRY(settings.setup.config.validate());
  TIDEMARK_ASSIGN(place, Place::claim(settings.setup.cache, settings.setup.options.cache_mode));
  Daemon daemon(std::move(settings), load, std::move(place));
  return daemon.run();
}

}  // namespace tidemark::daemon
