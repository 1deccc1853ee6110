// The audit: everything is compared beside a log that the cache follows already, from its position
// on, so that what differs and is not logged since was missed by capture.
#include "sync/audit.h"

#include "sync/discover.h"
#include "sync/pass.h"
#include "sync/tuning.h"

namespace tidemark::sync {

using model::Collection;
using model::Kind;

Suspects::Suspects(const cache::Meta& before) : boundary_(before.boundary.place) {
  for (const auto& skip : before.skips) skipped_.emplace(skip.collection, skip.key);
}

void Suspects::coming(const FetchedRows& event) {
  event_ = &event;
  rows_.clear();
  unfit_.clear();
  for (std::size_t i = 0; i < event.rows.size(); ++i) rows_[event.rows[i].key] = i;
  for (std::size_t i = 0; i < event.skipped.size() && i < event.skipped_where.size(); ++i) {
    if (event.skipped_where[i]) unfit_.insert(event.skipped[i].key);
  }
}

void Suspects::taken() {
  event_ = nullptr;
  rows_.clear();
  unfit_.clear();
}

void Suspects::put(const Collection& collection, const std::string& key,
                   cache::PutOutcome outcome) {
  if (outcome == cache::PutOutcome::unchanged) return;
  const bool inserted = outcome == cache::PutOutcome::inserted;
  if (!inserted || should_have_been_there(collection, key)) keys_[collection.name].insert(key);
  if (inserted && collection.kind != Kind::embeddings) entered_.insert(key);
}

bool Suspects::should_have_been_there(const Collection& collection, const std::string& key) const {
  if (skipped_.contains({collection.name, key})) return false;
  const auto row = rows_.find(key);
  if (row == rows_.end()) return true;
  if (collection.kind == Kind::episodes) return event_->places[row->second] >= boundary_;
  if (collection.kind == Kind::embeddings) {
    const auto& parent = event_->parents[row->second];
    return !parent || !entered_.contains(parent->key);
  }
  return true;
}

void Suspects::removed(const Collection& collection, const std::string& key, bool gone) {
  if (gone || left_by_itself(collection, key)) keys_[collection.name].insert(key);
}

// Its own row says so, rather than its parent's removal or the window's end.
bool Suspects::left_by_itself(const Collection& collection, const std::string& key) const {
  if (event_ == nullptr || event_->collection != &collection) return false;
  if (unfit_.contains(key)) return true;
  const auto row = rows_.find(key);
  if (row == rows_.end()) return false;
  return collection.kind != Kind::episodes || event_->places[row->second] < boundary_;
}

void Suspects::explain(const source::Changes& changes) {
  for (const auto& [table, touched] : changes.touched) {
    const auto found = keys_.find(table);
    if (found == keys_.end()) continue;
    for (const Value& key : touched) found->second.erase(model::key_text(key));
    if (found->second.empty()) keys_.erase(found);
  }
}

std::optional<std::string> missed_before(const cache::AuditRecord& audit,
                                         const source::Guard& guard, const model::Catalog& catalog,
                                         const Scope& scope) {
  std::uint64_t changes = 0;
  std::string tables;
  for (const Collection& collection : catalog.collections) {
    const auto missed = audit.missed.find(collection.name);
    if (missed == audit.missed.end() || !in_scope(collection, scope)) continue;
    const auto epoch = guard.epochs.find(collection.name);
    if (epoch == guard.epochs.end() || epoch->second != missed->second.epoch) continue;
    changes += missed->second.changes;
    tables += (tables.empty() ? "" : ", ") + collection.name;
  }
  if (changes == 0) return std::nullopt;
  return "capture missed " + std::to_string(changes) +
         (changes == 1 ? " change of " : " changes of ") + tables +
         "; `tidemark capture install --renew` once every client writes with triggers on";
}

void forget_renewed(cache::AuditRecord& audit, const std::map<std::string, std::string>& epochs) {
  std::erase_if(audit.missed, [&](const auto& entry) {
    const auto epoch = epochs.find(entry.first);
    return epoch == epochs.end() || epoch->second != entry.second.epoch;
  });
}

Result<void> Pass::audit(const std::string& why, Fetcher& fetcher) {
  const cache::Meta& known = writer_ ? writer_->meta() : *meta_;
  const model::Catalog catalog = known.catalog.catalog;
  // From the cache's own position: whatever is logged since explains a difference.
  capture_ = std::make_shared<CaptureGuard>(catalog.fingerprint, guard_state(known));
  if (!held_snapshot_) fetcher.set_guard(capture_);
  suspects_.emplace(known);
  report_.mode = to_string(Mode::audit);
  report_.reason = why;
  report_.notes.insert(report_.notes.begin(), catalog.notes.begin(), catalog.notes.end());
  report_.roles = describe_roles(catalog);
  return finish_in_place(catalog, fetcher);
}

// The changes of the log in `range`; fewer where they come out too large together. A replica that
// lags shows none, though they were seen: it may catch up.
Result<source::Changes> Pass::logged_changes(Fetcher& fetcher, source::ChangeRange& range) {
  for (std::uint32_t tries = 1;; ++tries) {
    auto results = fetcher.ask_each(source::changes_statements(range));
    if (!results && turso::is_too_large(results.error()) && range.limit > 1) {
      range.limit /= 2;
      tries = 0;
      continue;
    }
    if (!results) return std::unexpected(std::move(results).error());
    TIDEMARK_ASSIGN(changes, source::read_changes(*results, range));
    if (changes.up > range.after) return std::move(changes);
    if (tries == kTriesMax) {
      return fail(ErrorCode::unavailable, "the source shows less of its change log than before",
                  "run `tidemark sync` again");
    }
    TIDEMARK_TRY(fetcher.pause(tries));
  }
}

// What was logged while the audit read is not missed. In the audit's own commit it is known, so
// that no kill can part what was repaired from why.
Result<void> Pass::explain_differences(Fetcher& fetcher) {
  source::ChangeRange range{capture_->seen().position, setup_.changes_per_range};
  // To the log's end as each reply shows it: of an item that is changed again the entry there may
  // be the only one.
  while (range.after < capture_->seen().ahead && !suspects_->empty()) {
    TIDEMARK_ASSIGN(changes, logged_changes(fetcher, range));
    suspects_->explain(changes);
    range.after = changes.up;
  }
  for (const auto& [table, keys] : suspects_->by_table()) {
    report_.missed_by_capture += keys.size();
    for (const std::string& key : keys) {
      if (report_.missed.size() == kAuditKeysMax) break;
      report_.missed.push_back({table, key});
    }
  }
  return {};
}

// Everything was compared. `meta` has the epochs of what is followed from here on.
void Pass::record_audit(cache::Meta& meta) const {
  // A fill that went on did not look again at the rows that it had: it keeps when it was begun.
  if (!report_.resumed) meta.audit.ended_at_us = wall_us();
  if (capture_ || !source_has_log_) forget_renewed(meta.audit, meta.capture.epochs);
  if (!suspects_) return;
  for (const auto& [table, keys] : suspects_->by_table()) {
    meta.audit.missed_at_us = wall_us();
    meta.audit.missed[table] = {keys.size(), meta.capture.epochs[table]};
  }
}

}  // namespace tidemark::sync
