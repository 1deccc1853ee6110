// Episodes that all carry one stamp, which each pass brings up to date: a cache that mixes two, or
// goes back, is wrong.
#pragma once

#include <algorithm>
#include <string>

#include "cache/scrub.h"
#include "sync/engine.h"
#include "tests/integration/world.h"

namespace tidemark::fault {

inline constexpr int kEpisodes = 300;

inline void fill_source(support::World& world, const std::string& value) {
  world.source.run("PRAGMA synchronous = OFF");  // nothing kills the source
  world.source.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT " +
                   std::to_string(kEpisodes) + ") INSERT INTO episodes SELECT 'e' || i, '" + value +
                   "', i, 1, zeroblob(900) FROM n");
}

inline void stamp(support::World& world, long value) {
  world.source.run("UPDATE episodes SET task_description = '" + std::to_string(value) + "'");
}

// One look: every row of a snapshot carries one stamp, no older than the last that was seen.
// Returns 0, or what is wrong; what cannot be read is below 4.
inline int look(const Reader& reader, long& seen) {
  const auto snapshot = reader.snapshot();
  if (!snapshot) {
    // A killed writer's file, while the next one is at work on it.
    return snapshot.error().code == ErrorCode::busy ? 0 : 2;
  }
  std::string first;
  int rows = 0;
  bool mixed = false;
  const auto listed = snapshot->scan({.collection = "episodes"}, [&](const Row& row) {
    const std::string now(row.at("task_description")->bytes());
    mixed = mixed || (rows > 0 && now != first);
    first = now;
    ++rows;
    return true;
  });
  if (!listed) return 3;
  if (mixed || rows != kEpisodes || std::stol(first) < seen) return 4;
  seen = std::stol(first);
  const auto none = snapshot->get("episodes", "never");
  if (!none || none->presence() == Presence::hit) return 5;
  const auto one = snapshot->get("episodes", "e7");
  return one && one->presence() == Presence::hit ? 0 : 6;
}

enum Kind : std::size_t { delta, reconcile, repair, swap, kKinds };
inline constexpr const char* kNames[kKinds] = {"delta", "reconcile", "repair", "swap"};

// A reader that repairs the file of a killed writer holds the lock for a moment: as cron would, a
// busy pass is tried again.
template <typename Call>
auto unless_busy(Call call) {
  while (true) {
    auto result = call();
    if (result || result.error().code != ErrorCode::busy) return result;
  }
}

// What the source has for a pass of this kind to do.
inline void prepare(support::World& world, std::size_t kind, long value) {
  stamp(world, value);
  if (kind != reconcile) return;
  // Another schema than before.
  world.source.run("DROP INDEX IF EXISTS other" + std::to_string(value % 2));
  world.source.run("CREATE INDEX IF NOT EXISTS other" + std::to_string((value + 1) % 2) +
                   " ON heuristics(condition_text)");
}

// What a child does until it is killed. 0: done.
inline int work(support::World& world, std::size_t kind) {
  if (kind == repair) {
    if (!unless_busy([&] { return cache::mark_needs_repair(world.cache()); })) return 2;
    auto syncer = Syncer::open(world.url(), world.cache(), {});
    return unless_busy([&] { return syncer->repair(); }) ? 0 : 1;
  }
  SyncRequest request;
  request.full = kind == swap;
  return unless_busy([&] { return world.sync(request); }) ? 0 : 1;
}

// The same for a fill, by its exit. What was left of one that was cut short is whole, so that none
// has a reason to begin anew.
inline constexpr int kResumed = 10;
inline constexpr int kBegunAnew = 11;
inline int fill_in_small_commits(const support::World& world) {
  const auto url = turso::parse_source_url(world.url());
  sync::EngineSetup setup;
  setup.url = *url;
  setup.cache = world.cache();
  setup.fill_commit_bytes = 20'000;
  const auto report = sync::run_pass(setup, {}, {});
  if (!report || report->mode != "fill") return 1;
  const auto tells = [](const std::string& note) { return note.contains("begun anew"); };
  if (std::ranges::any_of(report->notes, tells)) return kBegunAnew;
  return report->resumed ? kResumed : 0;
}

}  // namespace tidemark::fault
