// Rows that check themselves: each says its table, key, version and detail, with a hash over them,
// and memory shared by all processes knows how far the versions of each key have come.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tidemark::storm {

inline constexpr std::size_t kKeys = 60;    // of each table
inline constexpr std::size_t kWindow = 40;  // episodes that the cache keeps
inline constexpr std::size_t kReaders = 8;
// Of the patterns: two that are only ever written together, one that is always there, one never.
inline constexpr std::size_t kPair = kKeys - 2;
inline constexpr std::size_t kAlways = kKeys - 3;
inline constexpr std::size_t kNever = kKeys - 4;

struct Table {
  const char* name;
  const char* key;
  const char* detail;  // the column that the row's text repeats
  char letter;         // of its keys; 0: they are integers
};
inline constexpr std::array<Table, 4> kTables = {{{"episodes", "episode_id", "start_time", 'e'},
                                                  {"patterns", "pattern_id", "pattern_type", 'p'},
                                                  {"heuristics", "heuristic_id", "confidence", 0},
                                                  {"embeddings", "embedding_id", "item_id", 'm'}}};
enum : std::size_t { kEpisodes, kPatterns, kHeuristics, kEmbeddings };

inline constexpr const char* kSchema = R"(
PRAGMA journal_mode = WAL;
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, start_time INTEGER, body TEXT);
CREATE INDEX by_start ON episodes(start_time);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, body TEXT);
CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, confidence TEXT, body TEXT);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, body TEXT);
CREATE INDEX by_item ON embeddings(item_id);
)";

inline std::string key_of(std::size_t table, std::size_t number) {
  const std::string digits = std::to_string(number);
  if (kTables[table].letter == 0) return digits;
  return kTables[table].letter + (number < 10 ? "0" + digits : digits);
}

inline std::string hash_of(std::string_view text) {
  std::uint64_t hash =
      14'695'981'039'346'656'037U;  // FNV-1a, which shares nothing with the product
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1'099'511'628'211U;
  }
  std::array<char, 17> out{};
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(hash));
  return out.data();
}

inline std::string body_of(std::size_t table, const std::string& key, std::uint64_t version,
                           const std::string& detail) {
  const std::string text = std::string(kTables[table].name) + "|" + key + "|" +
                           std::to_string(version) + "|" + detail + "|";
  return text + hash_of(text);
}

// The version that `body` says, where it is the body of exactly this row; else 0.
inline std::uint64_t version_of(std::size_t table, const std::string& key,
                                const std::string& detail, const std::string& body) {
  const std::string before = std::string(kTables[table].name) + "|" + key + "|";
  if (!body.starts_with(before)) return 0;
  std::uint64_t version = 0;
  std::from_chars(body.data() + before.size(), body.data() + body.size(), version);
  return body == body_of(table, key, version, detail) ? version : 0;
}

struct Shared {
  // The newest version of each row that the source was ever asked to take.
  std::array<std::array<std::atomic<std::uint64_t>, kKeys>, kTables.size()> issued;
  std::atomic<std::uint64_t> looks;
  std::atomic<std::uint64_t> rows;
  std::atomic<std::uint64_t> consistent;
  std::array<std::atomic<std::uint64_t>, 3> answers;  // to questions for one key, by presence
  std::array<std::array<char, 300>, kReaders> wrong;  // what a reader saw
};

// Seen by every process that is forked from this one.
class SharedMemory {
 public:
  SharedMemory() {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    shared_ = new (memory) Shared{};
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(shared_, sizeof(Shared)); }
  Shared& operator*() const { return *shared_; }
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_;
};

}  // namespace tidemark::storm
