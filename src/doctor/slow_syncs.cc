// Slow syncs: the way to the source, the size of pages, what a pass must read.
#include <algorithm>

#include "base/figures.h"
#include "doctor/findings.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

using base::counted;
using base::format_bytes;
using base::format_duration;
using base::format_moment;
using base::grouped;
using std::chrono::microseconds;

constexpr const char* kInstall = "`tidemark capture install`: a pass reads only what changed";

// Two digits: a figure to type.
std::uint64_t rounded(std::uint64_t number) {
  std::uint64_t unit = 1;
  while (number / unit >= 100) unit *= 10;
  return number / unit * unit;
}

std::uint64_t rows_in_scope(const Measurements& m) {
  std::uint64_t rows = 0;
  for (const auto& [name, count] : m.cache.counts) rows += count;
  return rows;
}

std::string narrower_scope(const Measurements& m) {
  const std::uint64_t now =
      m.cache.readable ? m.cache.scope.max_episodes_cache : m.subject.config.max_episodes_cache;
  return "`tidemark sync --max-episodes-cache " +
         std::to_string(std::max<std::uint64_t>(rounded(now / 2), 1)) + " --set-scope` (it is " +
         grouped(now) + ")";
}

void judge_round_trip(const Measurements& m, Findings& out) {
  const auto& round_trip = m.source->round_trip;
  if (!round_trip) return;
  const auto severity = at_least(*round_trip, kRoundTripLong, kRoundTripBad);
  out.add(severity,
          "a round trip to " + m.source->name + " takes " + format_moment(*round_trip) +
              "; the first, which connects, took " + format_moment(*m.source->first_answer),
          is_captured(m) ? "run tidemark in the region of the database, or a replica of it here"
                         : "`tidemark capture install`: a pass with nothing to do is then one "
                           "round trip; else run it nearer to the database");
  const microseconds connecting = *m.source->first_answer - *round_trip;
  if (connecting < kConnectLong) return;
  out.notice("connecting to " + m.source->name + " takes " + format_moment(connecting),
             "look at name resolution and at the proxy (https_proxy) of this machine");
}

void judge_page_size(const Measurements& m, const sync::ProbedPage& page, Findings& out) {
  const auto& round_trip = m.source->round_trip;
  const bool all_latency =
      round_trip && *round_trip >= kRoundTripFelt && page.took <= *round_trip * 2;
  const auto total = m.source->rows.find("episodes");
  const bool more = total == m.source->rows.end() || total->second > page.rows;
  const bool full = page.rows >= m.subject.config.batch_size;
  if (!all_latency || !more || !full || page.bytes >= kPageBytesSmall) return;
  const std::uint64_t row_bytes = std::max<std::uint64_t>(page.bytes / page.rows, 1);
  const std::uint64_t good = std::min(rounded(kPageBytesGood / row_bytes), kPageRowsGood);
  if (good <= m.subject.config.batch_size) return;
  out.notice("a first page of " + grouped(page.rows) + " rows is only " + format_bytes(page.bytes) +
                 " and takes no longer than two round trips: larger ones cost nothing",
             "[sync] batch_size = " + std::to_string(good));
}

void judge_page(const Measurements& m, Findings& out) {
  const auto& page = m.source->page;
  if (!page || page->rows == 0) return;
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(page->took.count(), 1));
  constexpr std::uint64_t kSecond = 1'000'000;
  const auto severity = at_least(page->took, kPageLong, kPageBad);
  const std::uint64_t rows_a_second = page->rows * kSecond / us;
  out.add(severity,
          "a page of " + grouped(page->rows) + " episodes (" + format_bytes(page->bytes) +
              ") takes " + format_moment(page->took) + ": " + grouped(rows_a_second) + " rows/s, " +
              format_bytes(page->bytes * kSecond / us) + "/s",
          page->rows == 1
              ? narrower_scope(m)
              : "[sync] batch_size = " + std::to_string(std::clamp<std::uint64_t>(
                                             rounded(rows_a_second), 1, page->rows / 2)));
  judge_page_size(m, *page, out);
}

void judge_capture(const Measurements& m, Findings& out) {
  if (!m.source->capture) return;
  const CaptureStatus& capture = *m.source->capture;
  if (!capture.installed && capture.trouble.empty()) {
    const std::uint64_t rows = rows_in_scope(m);
    const std::string now = m.cache.readable ? ", " + grouped(rows) + " rows now" : "";
    return out.add(rows >= kScanRowsMany ? Severity::notice : Severity::ok,
                   "without change capture each pass reads the whole scope" + now, kInstall);
  }
  if (!capture.healthy) {
    std::string why = capture.trouble;
    for (const CapturedTable& table : capture.tables) {
      if (why.empty() && !table.healthy) why = table.table + ": " + table.reason;
    }
    return out.problem("change capture is installed, but not healthy (" + why +
                           "): each pass reads the whole scope",
                       "`tidemark capture install` mends it");
  }
  const auto apart = std::ranges::find(capture.tables, false, &CapturedTable::healthy);
  if (apart == capture.tables.end()) return out.ok("change capture is healthy");
  out.notice("change capture is healthy, but " + apart->table + " " + apart->reason +
                 ": where that is in scope, each pass reads all of it",
             "`tidemark capture status` says what hinders each table");
}

std::string how_to_shorten(const Measurements& m, const SyncReport& pass) {
  const bool whole = pass.mode == "scan" || pass.mode == "reconcile";
  if (whole && m.source && m.source->capture && !m.source->capture->installed) return kInstall;
  const auto latency = m.source ? m.source->round_trip : std::nullopt;
  if (latency && *latency * static_cast<std::int64_t>(pass.requests) > pass.duration / 2) {
    return "[sync] batch_size = " +
           std::to_string(std::min(m.subject.config.batch_size * 4, kPageRowsGood)) +
           ": latency is most of it, and larger pages are fewer";
  }
  return narrower_scope(m);
}

void judge_last_pass(const Measurements& m, Findings& out) {
  if (!m.last_pass) return;
  const SyncReport& pass = *m.last_pass;
  std::string text = "the last pass (" + pass.mode + ") took " + format_duration(pass.duration) +
                     " and " + counted(pass.requests, "request");
  const bool again = pass.mode != "fill";  // a fill comes once
  const bool overruns = again && pass.duration >= m.subject.interval;
  const bool slow = again && pass.duration >= kPassLong;
  if (overruns)
    text += ", longer than the interval between two (" + format_duration(m.subject.interval) + ")";
  out.add(overruns ? Severity::problem
          : slow   ? Severity::notice
                   : Severity::ok,
          std::move(text), how_to_shorten(m, pass));
  if (pass.retries < kRetriesMin || pass.retries * kRequestsPerRetryFew < pass.requests) return;
  const bool bad = pass.retries * kRequestsPerRetryBad >= pass.requests;
  out.add(bad ? Severity::problem : Severity::notice,
          "the last pass repeated " + grouped(pass.retries) + " of its " + grouped(pass.requests) +
              " requests",
          "[sync] max_concurrent_fetches = " +
              std::to_string(std::max(m.subject.config.max_concurrent_fetches / 2, 1U)) +
              ", if the source is too busy; else look at the network between");
}

}  // namespace

void judge_slow_syncs(const Measurements& m, Findings& out) {
  if (m.source && !m.source->error) {
    judge_round_trip(m, out);
    judge_page(m, out);
    judge_capture(m, out);
  }
  judge_last_pass(m, out);
  if (!m.cache.missed_by_capture) return;
  std::uint64_t changes = 0;
  for (const auto& [table, count] : m.cache.missed_by_capture->tables) changes += count;
  out.problem("change capture missed " + counted(changes, "change") +
                  ", so that each pass reads the whole scope again",
              "`tidemark capture install --renew`, once nothing writes with triggers off");
}

}  // namespace tidemark::doctor
