// Stale data: how old, and what keeps it so: the source, the clocks, the disk, the daemon's errors.
#include <algorithm>

#include "base/figures.h"
#include "doctor/findings.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

using base::format_bytes;
using base::format_duration;

constexpr const char* kSetClock = "`timedatectl set-ntp true`";

std::string help_of(const Error& error) {
  if (!error.hint.empty()) return error.hint;
  return error.code == ErrorCode::rejected ? "check the token and the certificates"
                                           : "check the URL and the network";
}

void judge_source(const Measurements& m, Findings& out) {
  if (!m.source) return;
  const std::string what = m.source->name.empty() ? "the source" : m.source->name;
  if (m.source->error) {
    const Error& error = *m.source->error;
    const bool away = error.code == ErrorCode::unavailable;
    std::string why = error.message;
    if (why.starts_with(what + ": ")) why.erase(0, what.size() + 2);  // named once is enough
    return out.problem(what + (away ? " cannot be had: " : " cannot be synced: ") + why,
                       help_of(error));
  }
  out.ok(what + " answers");
  for (const Error& error : m.source->not_learned) {
    if (error.code == ErrorCode::cancelled) continue;
    out.notice("not all of " + what + " was measured: " + error.message, help_of(error));
  }
  if (!m.cache.readable || m.source_identity.empty()) return;
  if (m.cache.source == m.source_identity) return;
  out.problem("the cache is one of " + m.cache.source + ", not of " + what,
              "another --cache path for this source, or `tidemark rebuild --adopt`");
}

// The command that ends the staleness.
std::string refresh(const Measurements& m) {
  if (m.source && m.source->error) return "see what is said of the source; then `tidemark sync`";
  if (m.daemon && m.daemon->status) return "`tidemark sync` asks the daemon for a pass";
  return "`tidemark daemon` keeps it fresh; `tidemark sync` brings it in step once";
}

void judge_age(const Measurements& m, Findings& out) {
  const Freshness& f = m.cache.freshness;
  if (f.checked_at && !f.age) {
    return out.problem("the cache was checked in the future: a clock went back",
                       std::string(kSetClock) + ", then `tidemark sync`");
  }
  const std::string age = f.age ? "checked " + format_duration(*f.age) + " ago" : "never checked";
  if (f.state == FreshnessState::never_synced) {
    return out.problem("no pass has ended yet", "`tidemark sync`");
  }
  if (f.state == FreshnessState::stale && f.doubt.empty()) {
    return out.problem("the cache is stale: " + age + ", and " +
                           format_duration(m.subject.max_staleness) + " is allowed",
                       refresh(m));
  }
  out.ok("the cache was " + age);
}

void judge_marks(const Measurements& m, Findings& out) {
  const Freshness& f = m.cache.freshness;
  if (!f.doubt.empty()) {
    out.problem("the cache is in doubt: " + f.doubt, "`tidemark sync` compares everything");
  }
  if (f.catching_up) out.notice("more changes are known to be waiting", "`tidemark sync`");
  if (f.source_refused_since) {
    out.problem("the source refused the last pass: " + f.source_refused_reason,
                "a token that may read it, in TURSO_AUTH_TOKEN or --token-file; then "
                "`tidemark sync`");
  }
  if (!f.source_unavailable_since) return;
  const bool back = m.source && !m.source->error;
  out.add(back ? Severity::notice : Severity::problem,
          "the last pass did not reach the source: " + f.source_unavailable_reason +
              (back ? "; it answers now" : ""),
          refresh(m));
}

void judge_daemon(const Measurements& m, Findings& out) {
  if (!m.daemon || !m.daemon->status || m.daemon->status->failures == 0) return;
  const daemon::Status& status = *m.daemon->status;
  out.add(status.failures >= kFailuresBad ? Severity::problem : Severity::notice,
          "the daemon's last " +
              (status.failures == 1 ? std::string("pass")
                                    : base::grouped(status.failures) + " passes") +
              " failed: " + status.last_error,
          "mend that, then `systemctl reload tidemark` (SIGHUP) makes it try at once");
}

void judge_clocks(const Measurements& m, Findings& out) {
  if (!m.source || !m.source->clock_ahead) return;
  const milliseconds ahead = *m.source->clock_ahead;
  const auto unsure = std::chrono::ceil<milliseconds>(
      m.source->round_trip.value_or(std::chrono::microseconds(0)) / 2);
  const milliseconds off = std::max(std::chrono::abs(ahead) - unsure, milliseconds(0));
  const auto severity = at_least(off, kClockOff, kClockBad);
  if (severity == Severity::ok) return out.ok("this machine's clock agrees with the source's");
  out.add(severity,
          "this machine's clock is " + format_duration(std::chrono::abs(ahead)) +
              (ahead.count() > 0 ? " behind" : " ahead of") + " the source's",
          kSetClock);
}

void judge_disk(const Measurements& m, Findings& out) {
  if (!m.disk) return;
  const std::uint64_t free = m.disk->free_bytes;
  const std::uint64_t needed = std::max(m.cache.file_bytes, kDiskBytesMin);
  std::string text = format_bytes(free) + " are free where the cache lies";
  if (free < needed) {
    return out.problem(
        text + ", and a fill needs about " + format_bytes(needed) + " for a second one beside it",
        "free " + format_bytes(needed - free) + " there, or another --cache path");
  }
  out.add(free < needed * kDiskCachesGood ? Severity::notice : Severity::ok, std::move(text),
          "free some: a fill needs about " + format_bytes(needed) + " beside the cache");
}

void judge_times(const Measurements& m, Findings& out) {
  const auto in_step = m.subject.config.heartbeat + m.subject.interval;
  if (m.subject.max_staleness >= in_step) return;
  out.problem("a cache in step would look stale: max_staleness is " +
                  format_duration(m.subject.max_staleness) + ", heartbeat and interval together " +
                  format_duration(in_step),
              "[sync] max_staleness = \"" + std::to_string(in_step.count()) + "ms\" or more");
}

}  // namespace

void judge_stale_data(const Measurements& m, Findings& out) {
  if (m.cache.readable) {
    judge_age(m, out);
    judge_marks(m, out);
  }
  judge_source(m, out);
  judge_daemon(m, out);
  judge_clocks(m, out);
  judge_disk(m, out);
  judge_times(m, out);
}

}  // namespace tidemark::doctor
