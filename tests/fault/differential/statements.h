// What an application may write to a random schema, as SQL that both sides run.
#pragma once

#include <string>
#include <vector>

#include "tests/fault/differential/schema.h"

namespace tidemark::differential {

// Writes statements by chance. One thread.
class Author {
 public:
  // odd: also what the server would store otherwise than SQLite (rules.h).
  Author(Dice& dice, bool odd) : dice_(dice), odd_(odd) {}
  // One INSERT, UPDATE or DELETE; it may be refused.
  std::string statement(const Schema& schema);

 private:
  std::string insert(const Table& table);
  // An edit, a new date, another parent, or another key.
  std::string update(const Table& table);
  std::string erase(const Table& table);
  std::string where_key(const Table& table);
  std::string cell(const Table& table, const Column& column);
  std::string key(const Table& table);
  // Of so many floats; some cells of both columns say the same.
  std::string vector(bool as_text);
  std::string any();
  std::string words();
  std::string number();
  std::string random_real();

  Dice& dice_;
  const bool odd_;
};

// Every key that an author gives the table's rows, as the cache spells it.
[[nodiscard]] std::vector<std::string> possible_keys(const Table& table);

}  // namespace tidemark::differential
