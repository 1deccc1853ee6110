// Eight processes that read the cache while it is written, and judge each row that they see.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/fault/storm/rows.h"
#include "tidemark/reader.h"

namespace tidemark::storm {

inline std::string text_of(const std::optional<ValueView>& value) {
  if (!value || value->type() == ValueType::null) return "NULL";
  return value->type() == ValueType::int64 ? std::to_string(value->as_int64())
                                           : std::string(value->bytes());
}

// One reader's memory of what it saw. One thread.
class Witness {
 public:
  explicit Witness(Shared& shared) : shared_(shared) {}

  // Everything in one snapshot; what is wrong, or nothing.
  std::string look(const Reader& reader) {
    const auto snapshot = reader.snapshot();
    if (!snapshot) {
      // A killed writer's file, while the next one is at work on it.
      return snapshot.error().code == ErrorCode::busy ? "" : "snapshot: " + text(snapshot.error());
    }
    for (std::size_t table = 0; table < kTables.size(); ++table) {
      std::string wrong;
      const auto listed = snapshot->scan({.collection = kTables[table].name}, [&](const Row& row) {
        wrong = judge(table, row);
        ++shared_.rows;
        return wrong.empty();
      });
      if (!listed) return std::string("scan: ") + text(listed.error());
      if (!wrong.empty()) return wrong;
    }
    ++shared_.looks;
    if (std::string wrong = judge_keys(*snapshot); !wrong.empty()) return wrong;
    return snapshot->freshness().consistent ? judge_pair(*snapshot) : "";
  }
  // One key by itself, at the newest commit.
  std::string ask(const Reader& reader, std::size_t table, std::size_t number) {
    const std::string key = key_of(table, number);
    const auto found = reader.get(kTables[table].name, key);
    if (!found) {
      return found.error().code == ErrorCode::busy ? "" : "get: " + text(found.error());
    }
    ++shared_.answers[static_cast<std::size_t>(found->presence())];
    if (found->presence() == Presence::hit) return judge(table, found->row());
    const bool absent = found->presence() == Presence::absent;
    if (absent && table == kEmbeddings) return "embedding " + key + " is called absent";
    return absent && table == kPatterns && number == kAlways ? "the row that is always there is not"
                                                             : "";
  }

 private:
  static std::string text(const Error& error) { return error.message + " " + error.source_text; }

  // The source had this row, and had it after the last one that was seen of its key.
  std::string judge(std::size_t table, const Row& row) {
    const std::string key(row.key());
    const std::string body = text_of(row.at("body"));
    const std::string where = std::string(kTables[table].name) + " " + key + " is " + body;
    const std::uint64_t version =
        version_of(table, key, text_of(row.at(kTables[table].detail)), body);
    if (version == 0) return where + ", which no row ever was";
    const std::size_t number =
        static_cast<std::size_t>(std::atoi(key.c_str() + (kTables[table].letter != 0 ? 1 : 0)));
    if (number >= kKeys || version > shared_.issued[table][number]) return where + ", too new";
    std::uint64_t& seen = seen_[table][number];
    if (version < seen) return where + ", after version " + std::to_string(seen);
    seen = version;
    return {};
  }

  static std::string judge_keys(const Snapshot& snapshot) {
    const auto always = snapshot.get("patterns", key_of(kPatterns, kAlways));
    const auto never = snapshot.get("patterns", key_of(kPatterns, kNever));
    if (!always || !never) return "get: " + text(!always ? always.error() : never.error());
    if (always->presence() != Presence::hit) return "the row that is always there is not";
    return never->presence() == Presence::hit ? "the row that never was is there" : "";
  }

  // Written by one statement, so of one version in every state of the source.
  std::string judge_pair(const Snapshot& snapshot) {
    std::vector<std::string> versions;
    for (const std::size_t number : {kPair, kPair + 1}) {
      const std::string key = key_of(kPatterns, number);
      const auto found = snapshot.get("patterns", key);
      if (!found) return "get: " + text(found.error());
      if (!*found) {
        versions.emplace_back("none");
        continue;
      }
      const Row& row = found->row();
      versions.push_back(std::to_string(
          version_of(kPatterns, key, text_of(row.at("pattern_type")), text_of(row.at("body")))));
    }
    ++shared_.consistent;
    return versions[0] == versions[1]
               ? ""
               : "called consistent with the pair at " + versions[0] + " and " + versions[1];
  }

  Shared& shared_;
  std::array<std::array<std::uint64_t, kKeys>, kTables.size()> seen_{};
};

class Readers {
 public:
  // `pause`: of each, between two looks.
  Readers(const std::string& cache, Shared& shared,
          std::chrono::milliseconds pause = std::chrono::milliseconds(10))
      : shared_(shared), pause_(pause) {
    if (::pipe2(stop_, O_CLOEXEC) != 0) std::abort();
    for (std::size_t n = 0; n < kReaders; ++n) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(stop_[1]);
        ::_exit(read_until_stopped(cache, n));
      }
      children_.push_back(child);
    }
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;
  ~Readers() { stop(); }

  [[nodiscard]] const std::vector<pid_t>& pids() const { return children_; }

  // Ends them; each must have found all in order.
  void stop() {
    if (children_.empty()) return;
    ::close(stop_[1]);
    for (std::size_t n = 0; n < children_.size(); ++n) {
      int status = 0;
      EXPECT_EQ(::waitpid(children_[n], &status, 0), children_[n]);
      EXPECT_EQ(status, 0) << "reader " << n << ": " << shared_.wrong[n].data();
    }
    ::close(stop_[0]);
    children_.clear();
  }

 private:
  // Between two looks it leaves the processor to the others, and sees that it must end.
  [[nodiscard]] bool stopped() const {
    struct pollfd end{stop_[0], POLLIN, 0};
    return ::poll(&end, 1, static_cast<int>(pause_.count())) > 0;
  }
  int read_until_stopped(const std::string& cache, std::size_t n) {
    Witness witness(shared_);
    std::mt19937 random(static_cast<unsigned>(n));
    std::optional<Reader> reader;
    for (int looks = 0; !stopped(); ++looks) {
      if (looks % 50 == 0) reader.reset();  // opens again now and then, wherever the writer is
      if (!reader) {
        auto opened = Reader::open(cache);
        if (!opened && opened.error().code != ErrorCode::busy) {
          return tell(n, "open: " + opened.error().message);
        }
        if (opened) reader.emplace(std::move(*opened));
        continue;
      }
      std::string wrong = witness.look(*reader);
      for (int asked = 0; asked < kAskedEachLook && wrong.empty(); ++asked) {
        wrong = witness.ask(*reader, random() % kTables.size(), random() % kKeys);
      }
      if (!wrong.empty()) return tell(n, wrong);
    }
    return 0;
  }
  static constexpr int kAskedEachLook = 10;

  int tell(std::size_t n, const std::string& wrong) {
    std::strncpy(shared_.wrong[n].data(), wrong.c_str(), shared_.wrong[n].size() - 1);
    return 1;
  }

  Shared& shared_;
  const std::chrono::milliseconds pause_;
  int stop_[2] = {-1, -1};
  std::vector<pid_t> children_;
};

}  // namespace tidemark::storm
