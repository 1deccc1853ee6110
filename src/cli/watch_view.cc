#include "cli/watch_view.h"

#include <algorithm>

#include "cli/output.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

std::string line(std::string label, const std::string& text) {
  constexpr std::size_t kLabelColumns = 11;
  label.resize(kLabelColumns, ' ');
  return label + one_line(text);
}

std::string rows_text(const CacheStatus& cache) {
  std::string text;
  for (const auto& [name, count] : cache.counts) {
    text += (text.empty() ? "" : ", ") + grouped(count) + " " + name;
  }
  return text;
}

std::string rate_text(const ReadCounts& reads) {
  const auto percent = hit_percent(reads);
  return percent ? std::to_string(*percent) + " % of " + base::counted(reads.all(), "read")
                 : "no reads";
}

std::string why_unreadable(const CacheStatus& cache) {
  if (!cache.exists) return cache.holder ? "is being filled" : "is not there yet";
  return cache.problem ? cache.problem->message : "cannot be read";
}

// Why it is not simply fresh; times are left out.
std::string flags_of(const Freshness& f) {
  std::string text;
  if (f.checked_at && !f.age) text += ", the clock went back";
  if (f.incomplete > 0) text += ", " + grouped(f.incomplete) + " skipped";
  if (!f.doubt.empty()) text += ", in doubt: " + f.doubt;
  if (f.catching_up) text += ", catching up";
  if (f.source_unavailable_since) {
    text += ", source unavailable: " + f.source_unavailable_reason;
  }
  if (f.source_refused_since) text += ", refused by the source: " + f.source_refused_reason;
  if (!f.consistent) text += ", not one snapshot";
  return text;
}

}  // namespace

std::vector<std::string> watch_lines(const StatusSeen& seen,
                                     const std::optional<ReadCounts>& at_start) {
  const CacheStatus& cache = seen.cache;
  std::vector<std::string> lines;
  const auto add = [&lines](const char* label, const std::string& text) {
    lines.push_back(line(label, text));
  };
  if (cache.readable) {
    add("freshness", freshness_text(cache.freshness));
    if (!cache.freshness.consistent) add("", "not one snapshot of the source");
  } else {
    add("freshness",
        std::string(to_string(cache.freshness.state)) + ": the cache " + why_unreadable(cache));
  }
  add("cache", cache.path);
  if (cache.readable) {
    add("source", cache.source);
    add("scope", scope_text(cache));
    add("rows", rows_text(cache));
    if (cache.missed_by_capture) add("capture", missed_text(*cache.missed_by_capture));
    if (const std::string pass = last_pass_text(cache); !pass.empty()) add("last pass", pass);
  }
  add("daemon", daemon_text(seen.daemon));
  if (seen.daemon && seen.daemon->failures > 0) {
    add("", grouped(seen.daemon->failures) + " failed in a row: " + seen.daemon->last_error);
  }
  if (seen.daemon && seen.daemon->scrub) add("scrub", scrub_text(*seen.daemon->scrub));
  add("writer", cache.holder ? *cache.holder + " holds the lock" : "none now");
  if (cache.reads) {
    add("hit rate", rate_text(at_start ? cache.reads->since(*at_start) : *cache.reads) +
                        " since this watch began; " + rate_text(*cache.reads) + " in total");
  }
  return lines;
}

std::string change_text(const StatusSeen& seen) {
  const CacheStatus& cache = seen.cache;
  std::string text(to_string(cache.freshness.state));
  if (cache.readable) {
    text += flags_of(cache.freshness) + "; " + rows_text(cache) + "; " + scope_text(cache);
    if (cache.missed_by_capture) text += "; capture missed changes";
  } else {
    text += "; the cache " + why_unreadable(cache);
  }
  if (!seen.daemon) return one_line(text + "; no daemon");
  text += "; daemon pid " + std::to_string(seen.daemon->pid);
  if (!seen.daemon->last_error.empty()) text += ", which failed: " + seen.daemon->last_error;
  return one_line(text);
}

std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t shown = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    constexpr unsigned kContinuationMask = 0xC0;
    constexpr unsigned kContinuation = 0x80;
    const bool begins = (static_cast<unsigned char>(text[at]) & kContinuationMask) != kContinuation;
    if (begins && ++shown > columns) return text.substr(0, at);
  }
  return text;
}

std::string Frames::next(const std::vector<std::string>& lines, ScreenSize size) {
  const bool resized = size_ && (size_->rows != size.rows || size_->columns != size.columns);
  // One write: the cursor is hidden and wrapping off only within it. Wide characters are cut by the
  // terminal itself.
  std::string frame = "\033[?25l\033[?7l\r";
  if (resized) frame += "\033[H\033[2J";  // the terminal may have moved the old lines
  if (!resized && rows_ > 0) frame += "\033[" + std::to_string(rows_) + "A";
  rows_ = std::min(lines.size(), std::max<std::size_t>(size.rows, 2) - 1);
  for (std::size_t i = 0; i < rows_; ++i) {
    frame += std::string(cut(lines[i], size.columns)) + "\033[K\r\n";
  }
  size_ = size;
  return frame + "\033[J\033[?7h\033[?25h";
}

}  // namespace tidemark::cli
