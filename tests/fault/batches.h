// Runs many damaging cases in forked children: a crash or a hang costs its child alone, and the
// next child goes on behind it. Two children at a time, each with a file of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tidemark::fault {

// What came of a case. The last four are failures.
enum Outcome : std::uint8_t {
  pending,
  harmless,  // everything reads exactly as it was stored
  by_open,   // an error that names the damage
  by_read,
  by_scrub,  // nothing that was read had changed
  silent,    // something is missing, and no read said so
  wrong,     // a value, an `absent` or a freshness that is not so
  crash,
  hang,
};

inline const char* name_of(Outcome outcome) {
  constexpr const char* kNames[] = {"pending", "harmless", "by open", "by read", "by scrub",
                                    "SILENT",  "WRONG",    "CRASH",   "HANG"};
  return kNames[outcome];
}

inline bool soaking() { return std::getenv("TIDEMARK_SOAK") != nullptr; }

// TIDEMARK_SEED, or `otherwise`; printed, so that a run can be repeated.
inline unsigned seed_or(unsigned otherwise) {
  const char* const given = std::getenv("TIDEMARK_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
  std::printf("seed %u\n", seed);
  return seed;
}

inline constexpr unsigned kWorkers = 2;
inline constexpr unsigned kCaseSeconds = 20;  // of one case; SIGALRM ends its child

// Shared with the children.
class Outcomes {
 public:
  explicit Outcomes(std::size_t count)
      : count_(count),
        bytes_(static_cast<Outcome*>(::mmap(nullptr, count + 1, PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  Outcomes(const Outcomes&) = delete;
  Outcomes& operator=(const Outcomes&) = delete;
  ~Outcomes() { ::munmap(bytes_, count_ + 1); }
  Outcome& operator[](std::size_t n) { return bytes_[n]; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  std::size_t count_;
  Outcome* bytes_;
};

// One child of worker `w`: cases w, w + kWorkers, ... from the first that is pending.
using Case = std::function<Outcome(std::size_t n)>;
using Prepare = std::function<Case(unsigned worker)>;

inline pid_t start_child(unsigned worker, Outcomes& outcomes, const Prepare& prepare) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const Case run = prepare(worker);
  for (std::size_t n = worker; n < outcomes.size(); n += kWorkers) {
    if (outcomes[n] != pending) continue;
    ::alarm(kCaseSeconds);
    outcomes[n] = run(n);
  }
  ::_exit(0);
}

// The first case of the worker that has no outcome: where its child died.
inline std::size_t first_pending(unsigned worker, Outcomes& outcomes) {
  std::size_t n = worker;
  while (n < outcomes.size() && outcomes[n] != pending) n += kWorkers;
  return n;
}

inline void run_cases(Outcomes& outcomes, const Prepare& prepare) {
  std::map<pid_t, unsigned> workers;
  for (unsigned w = 0; w < kWorkers; ++w) workers[start_child(w, outcomes, prepare)] = w;
  while (!workers.empty()) {
    int status = 0;
    const pid_t child = ::waitpid(-1, &status, 0);
    const auto found = workers.find(child);
    if (found == workers.end()) continue;
    const unsigned worker = found->second;
    workers.erase(found);
    const std::size_t died_at = first_pending(worker, outcomes);
    if (died_at >= outcomes.size()) continue;
    outcomes[died_at] = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? hang : crash;
    workers[start_child(worker, outcomes, prepare)] = worker;
  }
}

// Prints the counts; fails for each case that ended badly, naming it by `describe`.
inline std::map<Outcome, std::size_t> report(
    Outcomes& outcomes, const std::string& what,
    const std::function<std::string(std::size_t)>& describe) {
  std::map<Outcome, std::size_t> counts;
  for (std::size_t n = 0; n < outcomes.size(); ++n) {
    ++counts[outcomes[n]];
    const bool fine = outcomes[n] > pending && outcomes[n] < silent;
    EXPECT_TRUE(fine) << describe(n) << ": " << name_of(outcomes[n]);
  }
  std::printf("%zu %s:", outcomes.size(), what.c_str());
  for (const auto& [outcome, count] : counts) std::printf(" %s %zu", name_of(outcome), count);
  std::printf("\n");
  return counts;
}

}  // namespace tidemark::fault
