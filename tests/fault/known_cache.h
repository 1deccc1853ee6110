// A cache of about 300 pages whose every read is known: what a damaged copy of it answers is judged
// against that.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>

#include "cache/scrub.h"
#include "tests/fault/batches.h"
#include "tests/fault/known_rows.h"
#include "tests/integration/world.h"

namespace tidemark::fault {

class KnownCache {
 public:
  KnownCache() {
    fill_source(world.source);
    EXPECT_TRUE(world.sync_newest(500));
    for (int edit = 1; edit <= 3; ++edit) {  // so that the file holds old pages too
      world.source.run("UPDATE episodes SET reward = " + std::to_string(edit) +
                       " WHERE start_time % 3 = " + std::to_string(edit % 3));
      EXPECT_TRUE(world.sync());
    }
    std::ifstream file(world.cache(), std::ios::binary);
    intact = {std::istreambuf_iterator<char>(file), {}};
    learn();
  }

  // Reads all that a reader can, by every way, and then scrubs.
  [[nodiscard]] Outcome judge(const std::string& path) const {
    ReaderOptions options;
    options.repair = false;  // what stands in the file is judged, not a repair of it
    options.open_deadline = std::chrono::milliseconds(20);  // nobody else holds the file
    const auto reader = Reader::open(path, options);
    if (!reader) return is_damage(reader.error()) ? by_open : wrong;
    Reading reading;
    read_keys(*reader, reading);
    read_lists(*reader, reading);
    read_freshness(*reader, reading);
    if (reading.wrong) return wrong;
    if (reading.refused) return by_read;
    if (reading.missing) return silent;
    return scrub_finds(path, options) ? by_scrub : harmless;
  }

  // The rows and lists alone: of a cache that was filled anew.
  [[nodiscard]] Outcome judge_contents(const std::string& path) const {
    const auto reader = Reader::open(path);
    if (!reader) return by_open;
    Reading reading;
    read_keys(*reader, reading);
    read_lists(*reader, reading);
    if (reading.wrong || reading.refused || reading.missing) return wrong;
    return scrub_finds(path, {}) ? by_scrub : harmless;
  }

  support::World world;
  std::string intact;

 private:
  struct Reading {
    bool wrong = false;
    bool refused = false;
    bool missing = false;
  };
  using Known = std::map<std::string, std::string>;  // key -> row

  void learn() {
    const auto reader = Reader::open(world.cache());
    ASSERT_TRUE(reader) << reader.error().message;
    for (const Query& query : queries()) {
      auto& list = lists_.emplace_back();
      ASSERT_TRUE(reader->scan(query, [&](const Row& row) {
        list.emplace_back(row.key());
        rows_[query.collection][std::string(row.key())] = flat(row);
        return true;
      }));
    }
    checked_at_ = reader->freshness()->checked_at;
    incomplete_ = reader->freshness()->incomplete;
    ASSERT_EQ(rows_["episodes"].size(), 120U);
    ASSERT_GT(incomplete_, 0U);
    ASSERT_EQ(judge(world.cache()), harmless);
  }

  static bool is_damage(const Error& error) {
    return error.code == ErrorCode::corrupt || error.code == ErrorCode::needs_repair ||
           error.code == ErrorCode::invalid || error.code == ErrorCode::unsupported ||
           error.code == ErrorCode::internal;
  }

  static void refuse(const Error& error, Reading& reading) {
    (is_damage(error) ? reading.refused : reading.wrong) = true;
  }

  void read_keys(const Reader& reader, Reading& reading) const {
    for (const auto& [collection, known] : rows_) {
      for (const auto& [key, row] : known) {
        const auto found = reader.get(collection, key);
        if (!found) {
          refuse(found.error(), reading);
        } else if (*found) {
          reading.wrong = reading.wrong || flat(found->row()) != row;
        } else {
          reading.wrong = reading.wrong || found->presence() == Presence::absent;
          reading.missing = true;
        }
      }
    }
    for (const char* const collection : {"episodes", "patterns", "heuristics"}) {
      for (const char* const key : {"", "a", "ep-77x", "pat-5x", "999", "zzz"}) {
        const auto found = reader.get(collection, key);
        if (!found) {
          refuse(found.error(), reading);
        } else {
          reading.wrong = reading.wrong || found->presence() == Presence::hit;
          reading.missing = reading.missing || found->presence() != Presence::absent;
        }
      }
    }
  }

  void read_lists(const Reader& reader, Reading& reading) const {
    const auto all = queries();
    for (std::size_t n = 0; n < all.size(); ++n) {
      const Known& known = rows_.at(all[n].collection);
      std::vector<std::string> keys;
      const auto listed = reader.scan(all[n], [&](const Row& row) {
        const auto expected = known.find(std::string(row.key()));
        const bool right = expected != known.end() && flat(row) == expected->second;
        reading.wrong =
            reading.wrong || !right || std::ranges::find(lists_[n], row.key()) == lists_[n].end();
        keys.emplace_back(row.key());
        return true;
      });
      if (!listed) refuse(listed.error(), reading);
      reading.missing = reading.missing || keys != lists_[n];
    }
  }

  void read_freshness(const Reader& reader, Reading& reading) const {
    const auto snapshot = reader.snapshot();
    if (!snapshot) return refuse(snapshot.error(), reading);
    const Freshness freshness = snapshot->freshness();
    reading.wrong = reading.wrong || freshness.checked_at != checked_at_ ||
                    freshness.incomplete != incomplete_ || !freshness.consistent ||
                    freshness.source_unavailable_since || !freshness.doubt.empty();
    for (const auto& [collection, known] : rows_) {
      const auto count = snapshot->count(collection);
      if (!count) {
        refuse(count.error(), reading);
      } else {
        reading.wrong = reading.wrong || *count != known.size();
      }
    }
  }

  static bool scrub_finds(const std::string& path, const ReaderOptions& options) {
    cache::Scrub scrub(path, options);
    while (true) {
      const auto more = scrub.step();
      if (!more) return true;
      if (!*more) return !scrub.found().problems.empty();
    }
  }

  std::map<std::string, Known> rows_;
  std::vector<std::vector<std::string>> lists_;  // of queries()
  std::optional<std::chrono::system_clock::time_point> checked_at_;
  std::uint64_t incomplete_ = 0;
};

}  // namespace tidemark::fault
