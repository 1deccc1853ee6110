// What diagnose() says of locks and of the configuration, on both sides of each bound.
#include "tests/unit/doctor/healthy.h"

namespace tidemark::doctor {
namespace {

using namespace std::chrono_literals;
constexpr auto kLock = Heading::lock_errors;
constexpr auto kConfiguration = Heading::configuration;

TEST(LockErrors, a_writer_and_how_long_it_has_written) {
  Measurements m = healthy();
  m.lock = LockHolder{"pid 7", Process{7, "agent"}, 1s};
  expect_found(m, kLock, Severity::notice, "pid 7 (agent) holds CACHE.lock, for 1.0 s", "wait");
  m.lock->held = 599'999ms;
  expect_found(m, kLock, Severity::notice, "9 min", "wait");
  m.lock->held = 10min;
  expect_found(m, kLock, Severity::problem, "10 min", "`kill 7`");
  m.lock->held.reset();
  m.lock->process.reset();
  expect_found(m, kLock, Severity::notice, "pid 7 holds CACHE.lock", "wait");
}

TEST(LockErrors, the_daemons_own_passes_are_its_work) {
  Measurements m = healthy();
  m.lock = LockHolder{"pid 42", Process{42, "tidemark"}, 59'999ms};
  expect_healthy(m);
  m.lock->held = 60s;
  expect_found(m, kLock, Severity::notice, "the daemon (pid 42)", "wait");
}

TEST(LockErrors, a_daemon_that_does_not_answer) {
  Measurements m = healthy();
  m.daemon->status.reset();
  expect_found(m, kLock, Severity::problem, "pid 42", "`kill 42`");
  m.daemon->process.reset();  // the pid may be another's here
  expect_found(m, kLock, Severity::problem, "pid 42", "stop that process");
  m.daemon.reset();
  expect_healthy(m);
}

TEST(LockErrors, a_user_who_may_not_write) {
  Measurements m = healthy();
  m.cannot_write = Error{ErrorCode::invalid, "cannot write in /c", "another path", {}};
  expect_healthy(m);  // a daemon writes
  m.daemon.reset();
  expect_found(m, kLock, Severity::problem, "cannot write in /c", "another path");
  m = healthy();
  m.cannot_write = Error{ErrorCode::unsupported, "/c is on nfs", "a local disk", {}};
  expect_found(m, kLock, Severity::problem, "nfs", "a local disk");
}

TEST(LockErrors, a_file_that_grew_far_beyond_its_rows) {
  Measurements m = healthy();
  m.cache.live_bytes = 25 * kMiB + 1;
  expect_healthy(m);
  m.cache.live_bytes = 25 * kMiB;
  expect_found(m, kLock, Severity::notice, "100 MiB for 25 MiB", "tidemark rebuild");
  m.openers = {Process{9, "agent"}};
  expect_found(m, kLock, Severity::notice, "pid 9 (agent)", "end the process");
  m.cache.live_bytes = 10 * kMiB;
  expect_found(m, kLock, Severity::problem, "snapshot", "tidemark rebuild");
  m.cache.file_bytes = 64 * kMiB - 1;  // a small one has a fixed part
  m.cache.live_bytes = 1;
  expect_healthy(m);
}

TEST(Configuration, who_may_read_the_token) {
  Measurements m = healthy();
  m.subject.token_file = "/t/token";
  m.token_rights = Rights{0600, true, {}};
  expect_healthy(m);
  m.token_rights->mode = 0640;
  expect_found(m, kConfiguration, Severity::notice, "0640", "chmod 600 /t/token");
  for (const unsigned mode : {0604U, 0620U, 0602U}) {
    m.token_rights->mode = mode;
    expect_found(m, kConfiguration, Severity::problem, "/t/token", "chmod 600 /t/token");
  }
  m = healthy();
  m.token_problem = Error{ErrorCode::invalid, "cannot read /t/token", {}, {}};
  expect_found(m, kConfiguration, Severity::problem, "cannot read /t/token", "--token-file");
}

TEST(Configuration, who_may_write_the_cache_or_its_folder) {
  Measurements m = healthy();
  m.cache_rights->mode = 0640;
  expect_found(m, kConfiguration, Severity::notice, "0640", "chmod 0600 /c/cache.redb");
  m.subject.cache_mode = 0640;
  expect_healthy(m);
  m.cache_rights->mode = 0646;
  expect_found(m, kConfiguration, Severity::problem, "0646", "chmod o-w");
  m = healthy();
  m.folder_rights->mode = 01777;  // as /tmp: nobody can replace another's file
  expect_healthy(m);
  m.folder_rights->mode = 0777;
  expect_found(m, kConfiguration, Severity::problem, "0777", "another --cache path");
}

TEST(Configuration, what_is_wrong_with_it_and_no_source) {
  Measurements m = healthy();
  m.subject.wrong = Error{ErrorCode::invalid, "unknown key max_episode", {}, {}};
  expect_found(m, kConfiguration, Severity::problem, "unknown key", "config check");
  m = healthy();
  m.subject.source.reset();
  m.source.reset();
  expect_found(m, kConfiguration, Severity::notice, "no source", "--source");
}

}  // namespace
}  // namespace tidemark::doctor
