#include "sync/applier.h"

#include <algorithm>
#include <tuple>

#include "cache/index.h"
#include "sync/plan.h"
#include "sync/tuning.h"

namespace tidemark::sync {

using model::Collection;
using model::Kind;

Applier::Applier(cache::WriteSession& session, const model::Catalog& catalog, const Scope& scope,
                 std::optional<Filling> filling, ObserveDifference observe)
    : session_(session),
      catalog_(catalog),
      scope_(scope),
      filling_(std::move(filling)),
      observe_(std::move(observe)) {}

Result<void> Applier::drop_out_of_scope(const model::Catalog& cached) {
  for (const Collection& collection : cached.collections) {
    if (sync::in_scope(collection, scope_)) continue;
    if (collection.kind != Kind::embeddings) {
      while (true) {  // row by row: their embeddings go with them
        TIDEMARK_ASSIGN(keys, session_.keys(collection.name, std::nullopt, kIndexSlice));
        if (keys.empty()) break;
        TIDEMARK_TRY(remove(collection, keys, false));
      }
    }
    TIDEMARK_ASSIGN(rows, session_.drop(collection));
    reports_[collection.name].evicted += rows;
  }
  return {};
}

Result<void> Applier::take(const ListedPlaces& event) {
  if (resumed_) return lower_window(event);
  Listed& listed = listed_[event.collection];
  listed.count += event.places.size();
  listed.ended = event.last;
  TIDEMARK_TRY(skip(*event.collection, event.skipped));
  if (event.collection->kind == Kind::episodes) {
    ++window_lists_;
    if (!event.by_key) return join_window(event);
    newest_key_ = event.newest;
    return {};
  }
  if (!compares_keys(*event.collection)) return {};
  for (const std::string& key : event.places) listed_keys_[event.collection].add(key);
  return {};
}

// Walks the newest-first index beside the list: both are in the same order. After a chunk the walk
// stands at the chunk's last place, so that rows put since are not met again.
Result<void> Applier::join_window(const ListedPlaces& event) {
  const auto& places = event.places;
  if (newest_key_.empty() && !places.empty()) newest_key_ = cache::key_of_place(places.front());
  auto next = places.begin();
  bool chunk_done = false;
  while (!chunk_done) {
    TIDEMARK_ASSIGN(entries, session_.newest(*event.collection, walked_to_, kIndexSlice));
    for (const auto& entry : entries) {
      while (next != places.end() && *next > entry.place) ++next;
      chunk_done = next == places.end() && !event.last;
      if (chunk_done) break;  // the rest belongs to the next chunk
      if (next == places.end() || *next != entry.place) {
        candidates_[event.collection].insert(entry.key);
      }
      walked_to_ = entry.place;
    }
    chunk_done = chunk_done || entries.size() < kIndexSlice;
  }
  if (!places.empty()) walked_to_ = lowest_place_ = places.back();
  if (event.last && !event.exhausted) boundary_ = lowest_place_;
  return {};
}

Result<void> Applier::take(ListedChildren event) {
  auto& known = keys_[event.collection];
  known.insert(event.children.begin(), event.children.end());
  if (begun_here()) return {};
  std::vector<std::string> gone;
  for (const std::string& parent : event.parents) {
    for (const auto kind : {std::optional<Kind>{}, std::optional(event.parent_kind)}) {
      TIDEMARK_ASSIGN(cached, session_.children(*event.collection, {parent, kind}));
      for (std::string& key : cached) {
        if (known.contains(key)) continue;
        if (resumed_) {
          gone.push_back(std::move(key));
        } else {
          candidates_[event.collection].insert(std::move(key));
        }
      }
    }
  }
  return remove(*event.collection, gone, true);
}

Result<bool> Applier::has_parent(const std::optional<model::Parent>& parent) {
  if (!parent) return false;
  for (const Collection& collection : catalog_.collections) {
    if (collection.kind == Kind::embeddings) continue;
    if (parent->kind.value_or(collection.kind) != collection.kind) continue;
    TIDEMARK_ASSIGN(found, session_.contains(collection.name, parent->key));
    if (found) return true;
  }
  return false;
}

Result<bool> Applier::in_scope(const FetchedRows& event, std::size_t row) {
  switch (event.collection->kind) {
    case Kind::episodes:
      return !confirming_ || boundary_.empty() || event.places[row] >= boundary_;
    case Kind::embeddings:
      return has_parent(event.parents[row]);
    case Kind::patterns:
    case Kind::heuristics:
      return true;
  }
  return true;
}

Result<void> Applier::take(FetchedRows event) {
  if (suspects_ != nullptr) suspects_->coming(event);
  Result<void> taken = take_rows(event);
  if (suspects_ != nullptr) suspects_->taken();
  return taken;
}

Result<void> Applier::take_rows(FetchedRows& event) {
  vectors_kept_raw_ += event.vectors_kept_raw;
  if (event.stored > 0) reports_[event.collection->name].unchanged += event.stored;
  if (resumed_ || confirm_round_ > 0) TIDEMARK_TRY(judge_skips(event));
  TIDEMARK_TRY(skip(*event.collection, event.skipped));
  std::vector<cache::EncodedRow> kept;
  std::vector<std::string> left;
  for (std::size_t i = 0; i < event.rows.size(); ++i) {
    TIDEMARK_ASSIGN(wanted, in_scope(event, i));
    if (wanted) {
      note_return(*event.collection, event.rows[i].key);
      kept.push_back(std::move(event.rows[i]));
    } else {
      left.push_back(std::move(event.rows[i].key));
    }
  }
  if (!confirming_ && !(event.missing.empty() && left.empty())) {
    listed_[event.collection].changed_under = true;
  }
  TIDEMARK_TRY(put(*event.collection, kept));
  TIDEMARK_TRY(remove(*event.collection, left, false));
  return remove(*event.collection, event.missing, true);
}

// An item that no list had is there after all: it came, or moved, since its list was read. So its
// embeddings were not listed either, and the list says no more how many there are.
void Applier::note_return(const Collection& collection, const std::string& key) {
  if (confirm_round_ != 1 || collection.kind == Kind::embeddings) return;
  candidates_[&collection].insert(key);
  listed_[&collection].changed_under = true;
}

Result<void> Applier::put(const Collection& collection, std::span<const cache::EncodedRow> rows) {
  if (rows.empty()) return {};
  TIDEMARK_ASSIGN(outcomes, session_.put(collection, rows));
  CollectionReport& report = reports_[collection.name];
  const auto unlisted = confirming_ ? candidates_.end() : candidates_.find(&collection);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (unlisted != candidates_.end() && unlisted->second.contains(rows[i].key)) {
      moved_.emplace(collection.name, rows[i].key);
    }
    const bool same = outcomes[i] == cache::PutOutcome::unchanged;
    if (suspects_ != nullptr) suspects_->put(collection, rows[i].key, outcomes[i]);
    if (!same && observe_) {
      observe_(
          collection.name, rows[i].key,
          outcomes[i] == cache::PutOutcome::inserted ? Difference::missing : Difference::different);
    }
    if (same && confirming_) continue;  // listed too, and counted then
    ++(same ? report.unchanged : report.upserted);
  }
  for (const auto& row : rows) uncommitted_bytes_ += row.key.size() + row.bytes.size();
  if (!filling_ || uncommitted_bytes_ < filling_->commit_bytes) return {};
  uncommitted_bytes_ = 0;
  ++commits_;
  if (filling_->before_commit) filling_->before_commit(session_.edit_meta());
  return session_.checkpoint();
}

Result<void> Applier::remove(const Collection& collection, const std::vector<std::string>& keys,
                             bool gone) {
  if (keys.empty()) return {};
  TIDEMARK_ASSIGN(found, session_.remove(collection, keys));
  CollectionReport& report = reports_[collection.name];
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // Listed, perhaps, but for a parent that is not cached.
    if (collection.kind == Kind::embeddings) keys_[&collection].erase(keys[i]);
    if (!found[i]) continue;
    // Listed, if at another place, and gone since.
    if (moved_.contains({collection.name, keys[i]})) listed_[&collection].changed_under = true;
    ++(gone ? report.deleted : report.evicted);
    // Another list may have been told meanwhile that this row is stored: it is asked for again.
    const bool relied_on = filling_ && filling_->resumed && confirm_round_ == 0;
    if (relied_on) candidates_[&collection].insert(keys[i]);
    if (observe_) observe_(collection.name, keys[i], Difference::surplus);
    if (suspects_ != nullptr) suspects_->removed(collection, keys[i], gone);
    if (collection.kind != Kind::embeddings) {
      TIDEMARK_TRY(remove_children(collection.kind, keys[i]));
    }
  }
  return {};
}

// Embeddings go with their parent. One that names no collection stays while another has the id.
Result<void> Applier::remove_children(Kind parent_kind, const std::string& parent_key) {
  TIDEMARK_ASSIGN(another, has_parent(model::Parent{parent_key, std::nullopt}));
  for (const Collection& embeddings : catalog_.collections) {
    if (embeddings.kind != Kind::embeddings) continue;
    TIDEMARK_ASSIGN(named, session_.children(embeddings, {parent_key, parent_kind}));
    TIDEMARK_TRY(remove(embeddings, named, false));
    if (another) continue;
    TIDEMARK_ASSIGN(unnamed, session_.children(embeddings, {parent_key, std::nullopt}));
    TIDEMARK_TRY(remove(embeddings, unnamed, false));
  }
  return {};
}

// A row that cannot be cached must not stay as it was.
Result<void> Applier::skip(const Collection& collection,
                           const std::vector<model::Skipped>& skipped) {
  for (const auto& item : skipped) {
    TIDEMARK_TRY(remove(collection, {item.key}, false));
    if (counted_.emplace(collection.name, item.key).second) ++reports_[collection.name].skipped;
    if (skips_.size() < cache::kSkipsMax) skips_[{item.collection, item.key}] = item.reason;
  }
  return {};
}

// A generation that this pass began has nothing but what was listed.
bool Applier::begun_here() const { return filling_ && !filling_->resumed; }

bool Applier::compares_keys(const Collection& collection) const {
  const bool by_key = collection.kind == Kind::patterns || collection.kind == Kind::heuristics;
  return by_key && scope_.sync_patterns && !begun_here();
}

// On from where it stopped, until it has enough: those not listed may be a million.
Result<void> Applier::find_unlisted() {
  const std::string from = compared_to_ ? compared_to_->first : "";
  bool reached = from.empty();
  for (const Collection& collection : catalog_.collections) {
    reached = reached || collection.name == from;
    if (!reached || !compares_keys(collection)) continue;
    TIDEMARK_ASSIGN(ended, find_unlisted(collection));
    if (!ended) return {};
    compared_to_.reset();
  }
  return {};
}

// False: enough were found before its end.
Result<bool> Applier::find_unlisted(const Collection& collection) {
  base::KeySet& listed = listed_keys_[&collection];
  std::set<std::string>& found = candidates_[&collection];
  while (true) {
    std::optional<std::string_view> after;
    if (compared_to_) after = compared_to_->second;
    TIDEMARK_ASSIGN(keys, session_.keys(collection.name, after, kIndexSlice));
    for (const std::string& key : keys) {
      if (!listed.contains(key)) found.insert(key);
    }
    if (keys.size() < kIndexSlice) return true;
    compared_to_ = {collection.name, keys.back()};
    if (found.size() >= kCandidatesMax) return false;
  }
}

Result<std::map<const Collection*, std::vector<std::string>>> Applier::candidates() {
  if (confirm_round_ == 0) TIDEMARK_TRY(find_unlisted());
  std::map<const Collection*, std::vector<std::string>> out;
  for (auto& [collection, keys] : candidates_) {
    if (!keys.empty()) out[collection] = {keys.begin(), keys.end()};
  }
  candidates_.clear();
  return out;
}

Result<void> Applier::finish(SyncReport& report) {
  cache::Meta& meta = session_.edit_meta();
  meta.boundary.place = boundary_;
  meta.state.window_complete = boundary_.empty();
  meta.skips.clear();
  for (const auto& [at, reason] : skips_) meta.skips.push_back({at.first, at.second, reason});
  report_counts(report);
  return validate(report);
}

void Applier::report_counts(SyncReport& report) const {
  for (const Collection& collection : catalog_.collections) {
    const auto found = reports_.find(collection.name);
    const CollectionReport counts = found == reports_.end() ? CollectionReport{} : found->second;
    CollectionReport& total = report.collections[collection.name];
    total.upserted += counts.upserted;
    total.deleted += counts.deleted;
    total.evicted += counts.evicted;
    total.unchanged += counts.unchanged;
    total.skipped += counts.skipped;
    switch (collection.kind) {
      case Kind::episodes:
        report.episodes_synced += counts.upserted;
        break;
      case Kind::patterns:
        report.patterns_synced += counts.upserted;
        break;
      case Kind::heuristics:
        report.heuristics_synced += counts.upserted;
        break;
      case Kind::embeddings:
        report.embeddings_synced += counts.upserted;
        break;
    }
  }
  report.skipped.clear();
  for (const auto& [at, reason] : skips_) {
    if (report.skipped.size() == kReportSkipsMax) break;
    report.skipped.push_back({at.first, at.second, reason});
  }
  report.vectors_kept_raw += vectors_kept_raw_;
}

Result<void> Applier::validate(SyncReport& report) {
  ValidationReport& result = report.validation;
  if (resumed_) {  // a delta learns nothing of the whole
    const auto episodes_sum = session_.meta().sums.find(catalog_.find(Kind::episodes)->name);
    const bool fits = episodes_sum == session_.meta().sums.end() ||
                      episodes_sum->second.count <= scope_.max_episodes_cache;
    if (!fits) result.problems.emplace_back("the cache has more episodes than its scope allows");
    result.episode_count = fits;
    return {};
  }
  const auto& sums = session_.meta().sums;
  const auto agree = [&](const Collection& collection) -> std::optional<bool> {
    const Listed& listed = listed_[&collection];
    if (!listed.ended || listed.changed_under) return std::nullopt;
    const auto sum = sums.find(collection.name);
    const std::uint64_t cached = sum == sums.end() ? 0 : sum->second.count;
    const CollectionReport& counts = reports_[collection.name];
    return cached <= listed.count && cached + counts.skipped >= listed.count;
  };
  const auto note = [&](std::optional<bool>& check, std::optional<bool> found,
                        const std::string& text) {
    if (check == false || !found) return;
    check = found;
    if (!*found) result.problems.push_back(text);
  };
  for (const Collection& collection : catalog_.collections) {
    const std::string differs =
        collection.name + ": the cache has another number of rows than the source";
    if (collection.kind == Kind::episodes) {
      note(result.episode_count, agree(collection), differs);
    } else if (collection.kind != Kind::embeddings && scope_.sync_patterns) {
      note(result.pattern_count, agree(collection), differs);
    } else if (collection.kind == Kind::embeddings && scope_.sync_embeddings) {
      const auto sum = sums.find(collection.name);
      const std::uint64_t cached = sum == sums.end() ? 0 : sum->second.count;
      const bool known = !listed_[&collection].changed_under;
      const bool same = cached + reports_[collection.name].skipped >= keys_[&collection].size();
      note(result.embeddings, known ? std::optional(same) : std::nullopt, differs);
    }
  }
  const Collection* const episodes = catalog_.find(Kind::episodes);
  if (episodes != nullptr && !newest_key_.empty() && !listed_[episodes].changed_under) {
    TIDEMARK_ASSIGN(present, session_.contains(episodes->name, newest_key_));
    const bool skipped = skips_.contains({episodes->name, newest_key_});
    note(result.newest_present, present || skipped,
         "the newest episode of the source is not cached");
  }
  return {};
}

}  // namespace tidemark::sync
