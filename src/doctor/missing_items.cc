// Missing items: no cache, damage, skipped rows, a scope that is too small, counts that differ.
#include <algorithm>

#include "base/figures.h"
#include "doctor/findings.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

using base::grouped;

// False: there is nothing to ask more of.
bool judge_readable(const Measurements& m, Findings& out) {
  if (m.cache.readable) {
    if (m.cache.freshness.state != FreshnessState::needs_repair) return true;
    out.problem("the cache is damaged, and calls nothing absent", "`tidemark repair`");
    return true;
  }
  if (!m.cache.exists) {
    const bool filled = m.lock.has_value();
    out.add(filled ? Severity::notice : Severity::problem,
            "there is no cache at " + m.subject.cache + (filled ? " yet" : ""),
            filled ? m.lock->name + " is filling it: wait for that"
                   : "`tidemark sync`" + std::string(m.subject.source ? "" : " --source URL"));
    return false;
  }
  const Error& error = *m.cache.problem;
  out.problem("the cache cannot be read: " + error.message,
              error.hint.empty() ? "`tidemark repair`" : error.hint);
  return false;
}

void judge_skipped(const Measurements& m, Findings& out) {
  const std::uint64_t skipped = m.cache.freshness.incomplete;
  if (skipped == 0) return;
  std::string text = grouped(skipped) +
                     (skipped == 1 ? " row of the source is" : " rows of the source are") +
                     " not cached";
  if (m.last_pass && !m.last_pass->skipped.empty()) {
    const SkippedItem& first = m.last_pass->skipped.front();
    text += ", the first " + first.collection + " " + first.key + ": " + first.reason;
  }
  out.problem(std::move(text), "`tidemark status` lists them: correct them at the source");
}

std::optional<std::uint64_t> episodes_there(const Measurements& m) {
  if (!m.source) return std::nullopt;
  const auto found = m.source->rows.find("episodes");
  return found == m.source->rows.end() ? std::nullopt : std::optional(found->second);
}

std::string larger_scope(const Measurements& m) {
  std::uint64_t episodes = m.cache.scope.max_episodes_cache * 2;
  if (const auto all = episodes_there(m)) episodes = std::min(episodes, *all);
  return "`tidemark sync --max-episodes-cache " + std::to_string(episodes) + " --set-scope`";
}

std::string what_answers_more(const Measurements& m) {
  const Scope& scope = m.cache.scope;
  if (!scope.sync_patterns) return "`tidemark sync --sync-patterns --set-scope`";
  if (!scope.sync_embeddings) return "`tidemark sync --sync-embeddings --set-scope`";
  if (!m.cache.window_complete) return larger_scope(m) + ", or `tidemark get --read-through`";
  return "`tidemark get --read-through`: all of the scope is cached";
}

void judge_hits(const Measurements& m, Findings& out) {
  if (!m.cache.reads) return;
  const ReadCounts& reads = *m.cache.reads;
  const std::uint64_t all = reads.all();
  if (all == 0) return;
  const std::uint64_t rate = reads.answered() * 100 / all;
  const auto severity = all < kReadsMin      ? Severity::ok
                        : rate < kHitRateBad ? Severity::problem
                        : rate < kHitRateLow ? Severity::notice
                                             : Severity::ok;
  out.add(severity,
          "the cache answered " + std::to_string(rate) + " % of " + grouped(all) + " reads",
          what_answers_more(m));
}

void judge_window(const Measurements& m, Findings& out) {
  const auto cached = m.cache.counts.find("episodes");
  if (cached == m.cache.counts.end()) return;
  std::string text = grouped(cached->second) + " episodes are cached";
  if (const auto all = episodes_there(m)) text += " of the source's " + grouped(*all);
  if (m.cache.window_complete) return out.ok(text + ": one that is not, the source has not");
  out.ok(text + ": an older one is unknown, not absent");
}

// A pass of one process refuses the scope that another was told.
void judge_scope(const Measurements& m, Findings& out) {
  const Scope& scope = m.cache.scope;
  const bool other =
      m.subject.max_episodes_named.value_or(scope.max_episodes_cache) != scope.max_episodes_cache ||
      m.subject.sync_patterns_named.value_or(scope.sync_patterns) != scope.sync_patterns ||
      m.subject.sync_embeddings_named.value_or(scope.sync_embeddings) != scope.sync_embeddings;
  if (!other) return;
  out.problem("the configured scope is not the cache's, so that passes refuse to run",
              "`tidemark sync --set-scope`, or take the scope's settings out of the configuration");
}

std::uint64_t skipped_of(const Measurements& m, const std::string& table) {
  if (!m.last_pass) return 0;
  return static_cast<std::uint64_t>(
      std::ranges::count(m.last_pass->skipped, table, &SkippedItem::collection));
}

// Of what the cache has whole: all but embeddings, whose parents choose them.
void judge_counts(const Measurements& m, Findings& out) {
  if (!m.source || m.source_identity != m.cache.source || m.cache.freshness.incomplete > 100)
    return;
  for (const auto& [table, there] : m.source->rows) {
    if (table.starts_with("embeddings")) continue;
    const auto cached = m.cache.counts.find(table);
    if (cached == m.cache.counts.end()) continue;
    const bool episodes = table == "episodes";
    if (!episodes && !m.cache.scope.sync_patterns) continue;
    const std::uint64_t wanted =
        episodes ? std::min(there, m.cache.scope.max_episodes_cache) : there;
    const std::uint64_t here = cached->second + skipped_of(m, table);
    if (here == wanted) continue;
    out.notice("the cache has " + grouped(here) + " " + table + ", of which the source now has " +
                   grouped(wanted) + " in scope",
               "`tidemark sync`; `tidemark validate --against-source`, if they still differ");
  }
}

void judge_validation(const Measurements& m, Findings& out) {
  if (!m.last_pass || m.last_pass->validation.problems.empty()) return;
  out.problem("the last pass found a difference: " + m.last_pass->validation.problems.front(),
              "`tidemark sync`; if it stays, `tidemark repair`");
}

}  // namespace

void judge_missing_items(const Measurements& m, Findings& out) {
  if (!judge_readable(m, out)) return;
  judge_window(m, out);
  judge_skipped(m, out);
  judge_hits(m, out);
  judge_scope(m, out);
  judge_counts(m, out);
  judge_validation(m, out);
}

}  // namespace tidemark::doctor
