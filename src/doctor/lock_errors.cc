// Lock errors: who writes, who hinders it, and readers that hold old pages.
#include "base/figures.h"
#include "doctor/findings.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

using base::format_bytes;
using base::format_duration;

bool is_daemon(const Measurements& m, const LockHolder& holder) {
  return m.daemon && m.daemon->name == holder.name;
}

std::string stop_text(const std::optional<Process>& process) {
  return process ? "`kill " + std::to_string(process->pid) + "`" : "stop that process";
}

void judge_holder(const Measurements& m, Findings& out) {
  if (!m.lock) return out.ok("nobody holds CACHE.lock");
  const LockHolder& holder = *m.lock;
  const std::string who = is_daemon(m, holder)
                              ? "the daemon (" + holder.name + ")"
                              : (holder.process ? name_of(*holder.process) : holder.name);
  std::string text = who + " holds CACHE.lock";
  if (holder.held) text += ", for " + format_duration(*holder.held) + " now";
  Severity severity = is_daemon(m, holder) ? Severity::ok : Severity::notice;
  if (holder.held) {
    severity = std::max(severity, at_least(*holder.held, kLockHeldLong, kLockHeldBad));
  }
  const bool hangs = severity == Severity::problem;
  out.add(severity, std::move(text),
          hangs
              ? stop_text(holder.process) + ", unless it fills a large cache: its last commit stays"
              : "wait for it to end: others get exit 5 (busy) meanwhile");
}

void judge_daemon(const Measurements& m, Findings& out) {
  if (!m.daemon) return out.ok("no daemon keeps this cache");
  if (!m.daemon->status) {
    return out.problem(
        "the daemon (" + m.daemon->name + ") holds CACHE.daemon, but does not answer",
        "look at its log; then " + stop_text(m.daemon->process) + ", and start it again");
  }
  const daemon::Status& status = *m.daemon->status;
  std::string text = "the daemon (" + m.daemon->name + ") answers";
  if (!status.running.empty()) text += ", and runs " + status.running;
  if (status.next_pass) text += "; its next pass is in " + format_duration(*status.next_pass);
  out.ok(std::move(text));
}

// Where a daemon keeps the cache, a user who only reads is no trouble.
void judge_rights(const Measurements& m, Findings& out) {
  if (!m.cannot_write) return;
  const Error& error = *m.cannot_write;
  const bool reads_only = m.daemon && m.cache.readable && error.code == ErrorCode::invalid;
  if (reads_only) return out.ok("this user may read the cache, but not write it");
  out.problem("no pass can run here: " + error.message,
              error.hint.empty() ? "give a --cache path in a folder of yours" : error.hint);
}

std::string names_of(const std::vector<Process>& processes) {
  std::string names;
  for (const Process& process : processes) {
    names += (names.empty() ? "" : ", ") + name_of(process);
  }
  return names;
}

// redb does not say who holds a snapshot: the file's growth does, and who has it open.
void judge_growth(const Measurements& m, Findings& out) {
  if (!m.cache.readable || !m.cache.live_bytes) return;
  const std::uint64_t live = std::max<std::uint64_t>(*m.cache.live_bytes, 1);
  const std::uint64_t ratio = m.cache.file_bytes / live;
  std::string text = "the file has " + format_bytes(m.cache.file_bytes) + " for " +
                     format_bytes(*m.cache.live_bytes) + " of rows";
  const bool large = m.cache.file_bytes >= kFileBytesLarge;
  const auto severity = large ? at_least(ratio, kFileRatioLarge, kFileRatioBad) : Severity::ok;
  if (severity != Severity::ok) text += ": a reader holds an old snapshot, or held one";
  if (!m.openers.empty()) text += "; open in " + names_of(m.openers);
  out.add(severity, std::move(text),
          m.openers.empty() ? "`tidemark rebuild`; hold snapshots for milliseconds only"
                            : "end the process whose snapshots live long, then `tidemark rebuild`");
}

}  // namespace

void judge_lock_errors(const Measurements& m, Findings& out) {
  judge_holder(m, out);
  judge_daemon(m, out);
  judge_rights(m, out);
  judge_growth(m, out);
}

}  // namespace tidemark::doctor
