#include "doctor/measure.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cache/daemon_file.h"
#include "cache/files.h"
#include "cache/lock.h"
#include "daemon/client.h"
#include "doctor/tuning.h"
#include "turso/connection.h"

namespace tidemark::doctor {
namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string lock_path(const std::string& cache) { return cache + ".lock"; }

void look_at_cache(Measurements& m) {
  ReaderOptions options;
  options.max_staleness = m.subject.max_staleness;
  options.open_deadline = kOpenDeadline;
  options.repair = false;
  m.cache = inspect(m.subject.cache, options);
  if (m.cache.last_report_json) m.last_pass = daemon::report_from_json(*m.cache.last_report_json);
}

// The process that a file names as its holder, where it has that file open.
std::optional<Process> named_holder(const std::string& name, const std::string& path) {
  const auto pid = pid_in(name);
  if (!pid || *pid == ::getpid() || !has_open(*pid, path)) return std::nullopt;
  return process_of(*pid);
}

// The lock's file is written when it is taken, and not again.
std::optional<LockHolder> look_at_lock(const std::string& cache) {
  const auto name = cache::lock_holder(cache);
  if (!name) return std::nullopt;
  LockHolder holder{*name, named_holder(*name, lock_path(cache)), {}};
  if (const auto file = rights_of(lock_path(cache))) {
    const auto held =
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now() - file->changed);
    if (held.count() >= 0) holder.held = held;
  }
  return holder;
}

std::optional<DaemonFound> look_at_daemon(const std::string& cache) {
  const auto holder = cache::find_daemon(cache);
  if (!holder) return std::nullopt;
  DaemonFound found{holder->name,
                    named_holder(holder->name, cache::daemon_path(cache)),
                    daemon::daemon_status(cache, kDaemonPatience),
                    {}};
  if (found.process) found.memory = memory_of(found.process->pid);
  return found;
}

// As a pass would begin.
std::optional<Error> what_hinders_writing(const std::string& cache) {
  if (const auto standing = cache::examine(cache); !standing) return standing.error();
  const std::string path = lock_path(cache);
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    ::close(fd);
    return std::nullopt;
  }
  if (errno == ENOENT) return std::nullopt;  // made by the first pass
  return Error{ErrorCode::invalid,
               "cannot open the lock file " + path + ": " + std::strerror(errno),
               "run it as the cache's owner",
               {}};
}

void look_at_rights(Measurements& m) {
  m.cannot_write = what_hinders_writing(m.subject.cache);
  m.cache_rights = rights_of(m.subject.cache);
  m.folder_rights = rights_of(folder_of(m.subject.cache));
  m.disk = disk_of(folder_of(m.subject.cache));
  if (!m.subject.token_file.empty()) m.token_rights = rights_of(m.subject.token_file);
  if (!m.subject.token) return;
  if (const auto token = m.subject.token(); !token) m.token_problem = token.error();
}

void look_at_source(Measurements& m, std::chrono::steady_clock::time_point deadline,
                    const std::stop_token& stop) {
  if (!m.subject.source) return;
  if (const auto url = turso::parse_source_url(*m.subject.source)) {
    m.source_identity = url->identity;
  }
  m.source =
      sync::probe_source(*m.subject.source, {m.subject.token, m.subject.config, deadline}, stop);
}

}  // namespace

Measurements measure(const Subject& subject, std::chrono::milliseconds deadline,
                     const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  Measurements m;
  m.subject = subject;
  look_at_cache(m);
  m.lock = look_at_lock(subject.cache);
  m.daemon = look_at_daemon(subject.cache);
  m.openers = processes_with_open(subject.cache);
  look_at_rights(m);
  const bool known = m.daemon && m.daemon->process;
  m.memory = memory_seen_by(known ? m.daemon->process->pid : ::getpid());
  look_at_source(m, until, stop);
  return m;
}

}  // namespace tidemark::doctor
