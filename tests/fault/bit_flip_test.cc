// One flipped bit, or a cut, anywhere in a cache file: told by open, by the read that meets it or,
// where no read needs what changed, by the scrub; or harmless. Never a wrong value, a wrong
// `absent`, a missing row, a crash or a hang.
#include <iterator>
#include <random>
#include <sstream>

#include "tests/fault/damaged_file.h"
#include "tests/fault/known_cache.h"

namespace tidemark::fault {
namespace {

constexpr std::size_t kPageBytes = 4'096;  // redb's; the first one is its header
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
constexpr std::size_t kRandomFlips =
    3'000;  // sanitized builds, where each takes many times as long
#else
constexpr std::size_t kRandomFlips = 20'000;
#endif

std::string text_of_bit(std::size_t bit) {
  return "byte " + std::to_string(bit / 8) + " bit " + std::to_string(bit % 8) +
         ", repeated by TIDEMARK_FLIPS=" + std::to_string(bit);
}

// Bits that a failed run named, as TIDEMARK_FLIPS="30517 244139".
std::vector<std::size_t> named_bits() {
  const char* const given = std::getenv("TIDEMARK_FLIPS");
  std::istringstream in(given != nullptr ? given : "");
  return {std::istream_iterator<std::size_t>(in), {}};
}

TEST(BitFlips, are_detected_or_harmless_and_never_give_a_wrong_answer) {
  std::mt19937_64 random(seed_or(20'261'125));
  const KnownCache known;
  std::vector<std::size_t> bits = named_bits();
  const bool repeated = !bits.empty();
  if (repeated) {
    std::printf("%zu bits that were named\n", bits.size());
  } else if (soaking()) {
    for (std::size_t byte = 0; byte < known.intact.size(); ++byte)
      bits.push_back(byte * 8 + random() % 8);
  } else {
    for (std::size_t byte = 0; byte < kPageBytes; ++byte) bits.push_back(byte * 8 + random() % 8);
    for (std::size_t n = 0; n < kRandomFlips; ++n)
      bits.push_back(random() % (known.intact.size() * 8));
  }
  std::printf("%zu pages\n", known.intact.size() / kPageBytes);
  Outcomes outcomes(bits.size());
  run_cases(outcomes, [&](unsigned worker) -> Case {
    auto file = std::make_shared<Damaged>(
        known.world.folder.file("damaged" + std::to_string(worker)), known.intact);
    return [&known, &bits, file](std::size_t n) {
      file->flip(bits[n]);
      const Outcome outcome = known.judge(file->path());
      file->restore(bits[n]);
      return outcome;
    };
  });
  auto counts = report(outcomes, "flips", [&](std::size_t n) { return text_of_bit(bits[n]); });
  if (repeated) return;
  EXPECT_GT(counts[by_open], 0U);
  EXPECT_GT(counts[by_read], 0U);
}

TEST(BitFlips, a_file_cut_at_any_page_is_detected_or_reads_right) {
  const KnownCache known;
  Outcomes outcomes(known.intact.size() / kPageBytes);
  run_cases(outcomes, [&](unsigned worker) -> Case {
    const std::string path = known.world.folder.file("cut" + std::to_string(worker));
    return [&known, path](std::size_t n) {
      std::ofstream(path, std::ios::binary) << known.intact.substr(0, n * kPageBytes);
      return known.judge(path);
    };
  });
  auto counts =
      report(outcomes, "cuts", [](std::size_t n) { return std::to_string(n) + " pages"; });
  EXPECT_GT(counts[by_open] + counts[by_read], 0U);
}

}  // namespace
}  // namespace tidemark::fault
