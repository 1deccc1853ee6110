// What a cache says, and whether it may.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/simulation/model.h"
#include "tests/fault/simulation/scope_model.h"
#include "tidemark/reader.h"

namespace tidemark::simulation {

// The states of the source that a pass can have met, by number.
struct Interval {
  std::size_t from = 0;
  std::size_t to = 0;
};

struct CacheUnderTest {
  std::string path;
  Scope scope;
  std::optional<Reader> reader{};
  std::map<std::int64_t, Interval> passes{};  // by the clock at their start, in microseconds
};

// Everything that one commit of a cache says.
struct Seen {
  Freshness freshness;
  std::map<std::string, Listing> rows;  // by collection, empty ones left out
  std::map<std::pair<std::string, std::string>, Presence> presence;  // of every key there ever was
  std::map<std::string, std::set<std::string>> children;  // of every id there ever was, where any
};

// What another look finds changed, in words; empty: nothing.
[[nodiscard]] std::string difference(const Seen& before, const Seen& after);

// One thread at a time. Each answers with what is wrong; empty: nothing.
class Judge {
 public:
  explicit Judge(const History& history) : history_(history) {}
  // The source has a change log, which tells of no key that cannot be cached: such keys are on the
  // skip list from the last reading of everything on.
  void expect_log() { logged_ = true; }

  // nullopt: there is no cache yet, or its writer is about to repair it. Other errors are `wrong`.
  [[nodiscard]] std::optional<Seen> see(CacheUnderTest& cache, std::string& wrong) const;
  // What must hold whatever happened.
  [[nodiscard]] std::string always(const CacheUnderTest& cache, const Seen& seen) const;
  // What must hold after a pass during which nothing happened: the scope exactly.
  [[nodiscard]] bool is_unproven(const CacheUnderTest& cache, const Seen& seen,
                                 const std::string& collection, Presence presence) const;
  [[nodiscard]] std::string when_quiet(const CacheUnderTest& cache, const Seen& seen) const;

 private:
  [[nodiscard]] std::string rows_were_there(const Seen& seen, Interval during) const;
  [[nodiscard]] std::string nothing_lacks(const CacheUnderTest& cache, const Seen& seen,
                                          Interval during) const;
  [[nodiscard]] std::string is_one_state(const CacheUnderTest& cache, const Seen& seen,
                                         Interval during) const;
  [[nodiscard]] std::string absence_is_true(const Seen& seen, Interval during) const;

  const History& history_;
  bool logged_ = false;
};

}  // namespace tidemark::simulation
