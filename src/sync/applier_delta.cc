// The half of the applier that only a delta needs: the window, and what the skip list still holds.
#include <algorithm>

#include "sync/applier.h"
#include "sync/tuning.h"

namespace tidemark::sync {

using model::Collection;
using model::Kind;

void Applier::resume() {
  const cache::Meta& meta = session_.meta();
  resumed_ = true;
  confirming_ = true;
  boundary_ = meta.boundary.place;
  for (const auto& skip : meta.skips) skips_[{skip.collection, skip.key}] = skip.reason;
}

std::vector<std::string> Applier::skipped_keys(const Collection& collection) const {
  std::vector<std::string> keys;
  for (const auto& [at, reason] : skips_) {
    if (at.first == collection.name) keys.push_back(at.second);
  }
  return keys;
}

// A parent that cannot be cached is in scope all the same.
bool Applier::is_skipped(const model::Parent& parent) const {
  return std::ranges::any_of(catalog_.collections, [&](const Collection& collection) {
    return collection.kind != Kind::embeddings &&
           parent.kind.value_or(collection.kind) == collection.kind &&
           skips_.contains({collection.name, parent.key});
  });
}

// What came is off the skip list, and what cannot be cached goes onto it only where it is in scope.
Result<void> Applier::judge_skips(FetchedRows& event) {
  const Collection& collection = *event.collection;
  for (const auto& row : event.rows) skips_.erase({collection.name, row.key});
  for (const auto& key : event.missing) skips_.erase({collection.name, key});
  std::vector<model::Skipped> kept;
  std::vector<std::string> left;
  for (std::size_t i = 0; i < event.skipped.size(); ++i) {
    skips_.erase({collection.name, event.skipped[i].key});
    const auto* const where = i < event.skipped_where.size() && event.skipped_where[i]
                                  ? &*event.skipped_where[i]
                                  : nullptr;
    bool wanted = true;
    if (where != nullptr && collection.kind == Kind::embeddings) {
      TIDEMARK_ASSIGN(found, has_parent(where->parent));
      wanted = found || (where->parent && is_skipped(*where->parent));
    }
    if (where != nullptr && collection.kind == Kind::episodes) wanted = where->place >= boundary_;
    if (wanted) {
      kept.push_back(std::move(event.skipped[i]));
    } else {
      left.push_back(std::move(event.skipped[i].key));
    }
  }
  event.skipped = std::move(kept);
  return remove(collection, left, false);
}

std::map<const Collection*, std::vector<std::string>> Applier::skips_to_retry() const {
  std::map<const Collection*, std::vector<std::string>> keys;
  for (const auto& [at, reason] : skips_) {
    const Collection* const collection = catalog_.find(at.first);
    // A key that can never be cached is no key to ask for.
    if (collection == nullptr || reason.starts_with("the key is ")) continue;
    keys[collection].push_back(at.second);
  }
  return keys;
}

Result<std::uint64_t> Applier::settle_window(std::vector<std::string> skipped) {
  const Collection& episodes = *catalog_.find(Kind::episodes);
  std::erase_if(skipped, [this](const std::string& place) { return place < boundary_; });
  std::ranges::sort(skipped, std::greater<>{});  // the lowest is at the end
  const auto slots = [&]() -> std::uint64_t {
    const auto sum = session_.meta().sums.find(episodes.name);
    return (sum == session_.meta().sums.end() ? 0 : sum->second.count) + skipped.size();
  };
  if (slots() <= scope_.max_episodes_cache) {
    return boundary_.empty() ? 0 : scope_.max_episodes_cache - slots();
  }
  while (slots() > scope_.max_episodes_cache) TIDEMARK_TRY(evict_some(episodes, slots(), skipped));
  TIDEMARK_ASSIGN(lowest, session_.oldest(episodes, 1));
  boundary_ = lowest.empty() ? skipped.back() : lowest.front().place;
  if (!skipped.empty()) boundary_ = std::min(boundary_, skipped.back());
  return std::uint64_t{0};
}

// The lowest places leave first, whether their rows are cached or skipped; a slice at a time.
Result<void> Applier::evict_some(const Collection& episodes, std::uint64_t slots,
                                 std::vector<std::string>& skipped) {
  const auto over = static_cast<std::size_t>(
      std::min<std::uint64_t>(slots - scope_.max_episodes_cache, kIndexSlice));
  TIDEMARK_ASSIGN(lowest, session_.oldest(episodes, over));
  if (lowest.empty() && skipped.empty()) {
    return fail(ErrorCode::corrupt, "the cache counts more episodes than it lists",
                cache::kRepairHint);
  }
  std::vector<std::string> evicted;
  // A slice may be cut short: no further than it shows.
  for (std::size_t left = lowest.empty() ? over : lowest.size(); left > 0; --left) {
    const bool cached = evicted.size() < lowest.size();
    const bool skipped_first =
        !skipped.empty() && (!cached || skipped.back() < lowest[evicted.size()].place);
    if (skipped_first) {
      skipped.pop_back();
    } else if (cached) {
      evicted.push_back(lowest[evicted.size()].key);
    }
  }
  return remove(episodes, evicted, false);
}

Result<void> Applier::lower_window(const ListedPlaces& event) {
  TIDEMARK_TRY(skip(*event.collection, event.skipped));
  if (!event.places.empty()) boundary_ = event.places.back();
  if (event.last && event.exhausted) boundary_.clear();
  return {};
}

}  // namespace tidemark::sync
