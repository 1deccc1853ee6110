// An application that writes to the source at random, one statement at a time.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/fault/storm/rows.h"
#include "tests/fault/storm/source.h"

namespace tidemark::storm {

// One thread.
class Application {
 public:
  Application(Source& source, Shared& shared, unsigned seed)
      : source_(source), shared_(shared), random_(seed) {}

  // Fills the tables, with the row that is always there and the pair.
  void begin() {
    for (const std::size_t table : {kEpisodes, kPatterns, kHeuristics, kEmbeddings}) {
      many(table, kNever, 0);
    }
    write("INSERT INTO patterns VALUES" + values(kPatterns, kAlways));
    pair();
  }
  void step() {
    const std::size_t table = below(5) % kTables.size();  // episodes twice as often
    const std::size_t number = below(kNever);
    const std::string into = std::string(" INTO ") + kTables[table].name + " VALUES";
    switch (below(16)) {
      case 0:
      case 1:
        return write("INSERT OR IGNORE" + into + values(table, number));
      case 2:
        return write("INSERT OR REPLACE" + into + values(table, number));
      case 3:
        return write("INSERT" + into + values(table, number) + on_conflict(table));
      case 4:
      case 5:
        return write("DELETE FROM " + named(table, number));
      case 6:
        return rename(table, number, "UPDATE OR REPLACE ");
      case 7:
        return rename(table, number, "UPDATE OR IGNORE ");
      case 8:
        return many(table, 20, below(kNever - 20));
      case 9:
        return pair();
      case 10:
        return below(12) == 0 ? erase_all() : erase_some(table);
      default:  // an edit, a new date, another parent
        return write("UPDATE " + std::string(kTables[table].name) + " SET " +
                     assigned(table, number) + " WHERE " + kTables[table].key + " = " +
                     quoted(table, key_of(table, number)));
    }
  }
  [[nodiscard]] std::size_t writes() const { return writes_; }

  // A new version, which it gives, of the row that is always there.
  std::uint64_t touch() {
    write("UPDATE patterns SET " + assigned(kPatterns, kAlways) +
          " WHERE pattern_id = " + quoted(kPatterns, key_of(kPatterns, kAlways)));
    return version_;
  }

  // Key, detail and body of each row, in the order of `tail`.
  Listing rows(std::size_t table, const std::string& tail) {
    return source_.rows(std::string("SELECT ") + kTables[table].key + ", " + kTables[table].detail +
                        ", body FROM " + kTables[table].name + " " + tail);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  void write(const std::string& sql) {
    source_.execute(sql);
    ++writes_;
  }

  static std::string quoted(std::size_t table, const std::string& key) {
    return kTables[table].letter == 0 ? key : "'" + key + "'";
  }
  static std::string named(std::size_t table, std::size_t number) {
    return std::string(kTables[table].name) + " WHERE " + kTables[table].key + " = " +
           quoted(table, key_of(table, number));
  }
  // An order value that often ties, or a parent that may be there, or a word.
  std::string detail(std::size_t table) {
    if (table == kEpisodes) return below(9) == 0 ? "NULL" : std::to_string(below(30));
    if (table == kEmbeddings) return key_of(below(2), below(kNever));
    return "kind" + std::to_string(below(4));
  }
  std::string body(std::size_t table, std::size_t number, const std::string& with) {
    shared_.issued[table][number] = ++version_;  // before the source has it, so before a reader
    return body_of(table, key_of(table, number), version_, with);
  }
  static std::string literal(std::size_t table, const std::string& detail) {
    return table == kEpisodes ? detail : "'" + detail + "'";
  }
  static std::string type_of(const std::string& parent) {
    return parent[0] == 'e' ? "'episode'" : "'pattern'";
  }
  std::string values(std::size_t table, std::size_t number) {
    const std::string with = detail(table);
    return "(" + quoted(table, key_of(table, number)) + ", " + literal(table, with) + ", " +
           (table == kEmbeddings ? type_of(with) + ", " : "") + "'" + body(table, number, with) +
           "')";
  }
  std::string assigned(std::size_t table, std::size_t number) {
    const std::string with = detail(table);
    return std::string(kTables[table].detail) + " = " + literal(table, with) +
           (table == kEmbeddings ? ", item_type = " + type_of(with) : "") + ", body = '" +
           body(table, number, with) + "'";
  }
  static std::string on_conflict(std::size_t table) {
    const std::string detail = kTables[table].detail;
    return std::string(" ON CONFLICT(") + kTables[table].key + ") DO UPDATE SET " + detail +
           " = excluded." + detail + ", body = excluded.body" +
           (table == kEmbeddings ? ", item_type = excluded.item_type" : "");
  }
  void many(std::size_t table, std::size_t count, std::size_t from) {
    std::string all;
    for (std::size_t n = from; n < from + count; ++n) {
      all += (all.empty() ? "" : ", ") + values(table, n);
    }
    write(std::string("INSERT INTO ") + kTables[table].name + " VALUES" + all + on_conflict(table));
  }
  void pair() {
    const std::uint64_t version = ++version_;
    std::string all;
    for (const std::size_t number : {kPair, kPair + 1}) {
      shared_.issued[kPatterns][number] = version;
      const std::string key = key_of(kPatterns, number);
      all += (all.empty() ? "('" : ", ('") + key + "', 'pair', '" +
             body_of(kPatterns, key, version, "pair") + "')";
    }
    write("INSERT INTO patterns VALUES" + all + on_conflict(kPatterns));
  }
  void rename(std::size_t table, std::size_t number, const std::string& verb) {
    const std::size_t to = below(kNever);
    write(verb + kTables[table].name + " SET " + kTables[table].key + " = " +
          quoted(table, key_of(table, to)) + ", " + assigned(table, to) + " WHERE " +
          kTables[table].key + " = " + quoted(table, key_of(table, number)));
  }
  void erase_some(std::size_t table) {
    const std::size_t from = below(kNever - 8);
    std::string keys;
    for (std::size_t n = from; n < from + 8; ++n) {
      keys += (keys.empty() ? "" : ", ") + quoted(table, key_of(table, n));
    }
    write(std::string("DELETE FROM ") + kTables[table].name + " WHERE " + kTables[table].key +
          " IN (" + keys + ")");
  }
  void erase_all() { write(below(2) == 0 ? "DELETE FROM episodes" : "DELETE FROM embeddings"); }

  Source& source_;
  Shared& shared_;
  std::mt19937 random_;
  std::uint64_t version_ = 0;
  std::size_t writes_ = 0;
};

}  // namespace tidemark::storm
