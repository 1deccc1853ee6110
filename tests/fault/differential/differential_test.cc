// Random schemas and statements through SQLite and through the real Turso server: what the caches
// of both hold is the same, and is what SQL says that each source has.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/fault/differential/twins.h"

namespace tidemark::differential {
namespace {

constexpr std::size_t kRoundsOfScan = 3;  // of each schema, before capture is installed
constexpr std::size_t kRoundsOfSchema = 9;

std::uint64_t number_or(const char* name, std::uint64_t otherwise) {
  const char* const given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 0) : otherwise;
}

struct Tally {
  std::map<std::string, int> modes;
  std::size_t schemas = 0, given_up = 0, statements = 0, refused = 0, rows = 0;
  void add(const Twins& twins) {
    for (const auto& [mode, count] : twins.modes()) modes[mode] += count;
    ++schemas;
    statements += twins.statements();
    refused += twins.refused();
    rows += twins.rows();
  }
  void print() const {
    std::printf(
        "%zu schemas (%zu more given up), %zu statements (%zu refused by both), %zu rows compared; "
        "passes:",
        schemas, given_up, statements, refused, rows);
    for (const auto& [mode, count] : modes) std::printf(" %s %d", mode.c_str(), count);
    std::printf("\n");
  }
};

// Of one schema; what made the twins differ, or nothing.
std::string run(std::uint64_t seed, std::size_t rounds, Tally& tally) {
  std::string history;
  try {
    Twins twins(seed);
    try {
      for (std::size_t n = 0; n < rounds; ++n) {
        if (n >= kRoundsOfScan && n % 3 == 0) twins.capture();
        twins.round();
      }
      tally.add(twins);
      return {};
    } catch (const NoAnswer&) {
      throw;
    } catch (const std::exception&) {
      history = twins.history();
      throw;
    }
  } catch (const NoAnswer& error) {  // a fault of the server alone, of one schema in fifty
    std::printf("seed %llu is given up: %s\n", static_cast<unsigned long long>(seed), error.what());
    ++tally.given_up;
    return {};
  } catch (const std::exception& error) {
    return std::string(error.what()) + "\n" + history;
  }
}

TEST(Differential, a_file_and_a_server_of_one_history_give_the_same_cache) {
  const std::uint64_t seed = number_or("TIDEMARK_SEED", TIDEMARK_DEFAULT_SEED);
  std::size_t rounds = number_or("TIDEMARK_DIFFERENTIAL_ROUNDS", TIDEMARK_DEFAULT_ROUNDS);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Tally tally;
  for (std::uint64_t n = 0; rounds > 0; ++n) {
    const std::size_t of_schema = std::min(rounds, kRoundsOfSchema);
    const std::string problem = run(seed + n, of_schema, tally);
    ASSERT_TRUE(problem.empty()) << problem << "again: TIDEMARK_SEED=" << seed + n
                                 << " TIDEMARK_DIFFERENTIAL_ROUNDS=" << kRoundsOfSchema;
    rounds -= of_schema;
  }
  tally.print();
  EXPECT_LE(tally.given_up, tally.schemas);
  EXPECT_GT(tally.rows, 0U);
}

}  // namespace
}  // namespace tidemark::differential
