#include "tests/fault/differential/schema.h"

#include <algorithm>

#include "tests/fault/differential/side.h"

namespace tidemark::differential {
namespace {

const std::vector<std::string> kTypes = {"",         "TEXT",          "INTEGER",          "REAL",
                                         "NUMERIC",  "BLOB",          "VARCHAR(20)",      "BOOLEAN",
                                         "DATETIME", "DECIMAL(10,2)", "DOUBLE PRECISION", "JSON"};
const std::vector<std::string> kCollations = {
    "", "", "", " COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"};
const std::vector<std::string> kOddNames = {
    "select", "two words", "quo\"te", "\xc3\xbcn\xc3\xaf",       "dot.ted", "[square]", "back`tick",
    "it's",   "%",         "ORDER",   "\xe6\x97\xa5\xe6\x9c\xac"};

std::string type_of(Dice& dice) { return dice.of(kTypes) + dice.of(kCollations); }

void add_plain(Dice& dice, Table& table) {
  const std::size_t count = dice.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = dice.one_in(2) ? dice.of(kOddNames) : "c" + std::to_string(i);
    const bool taken = std::ranges::any_of(
        table.columns, [&](const Column& column) { return column.name == name; });
    if (!taken) table.columns.push_back({std::move(name), type_of(dice)});
  }
}

Column key_of(Dice& dice, const std::string& usual, bool integer) {
  const std::vector<std::string> texts = {
      "TEXT",         "TEXT", "TEXT", "VARCHAR(36)", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM",
      "TEXT NOT NULL"};
  const std::vector<std::string> integers = {"INTEGER", "INTEGER", "INT", "BIGINT NOT NULL"};
  const std::vector<std::string> names = {usual, usual, "id", "the \"key\""};
  return {dice.of(names), dice.of(integer ? integers : texts), Use::key};
}

void shuffle(Dice& dice, std::vector<Column>& columns) {
  for (std::size_t i = columns.size(); i > 1; --i) {
    std::swap(columns[i - 1], columns[dice.below(i)]);
  }
}

void add_indexes(Dice& dice, Table& table) {
  for (const Column& column : table.columns) {
    const bool wanted = column.use == Use::order || column.use == Use::parent;
    if (column.use == Use::key || !dice.one_in(wanted ? 2 : 12)) continue;
    // Through a UNIQUE index a REPLACE removes rows unseen: such tables stay in scan mode.
    const bool unique = column.use == Use::plain && dice.one_in(3);
    const std::string name = table.name + " by " + std::to_string(table.indexes.size());
    table.indexes.push_back(std::string(unique ? "CREATE UNIQUE" : "CREATE") + " INDEX " +
                            quoted_name(name) + " ON " + quoted_name(table.name) + "(" +
                            quoted_name(column.name) + ")");
  }
}

Table finished(Dice& dice, Table table) {
  add_plain(dice, table);
  shuffle(dice, table.columns);
  add_indexes(dice, table);
  table.without_rowid = dice.one_in(16);
  // The server has the table with a rowid, of which an INTEGER PRIMARY KEY is another name there:
  // it takes no 1.5.
  Column& key = table.columns[*table.find(Use::key)];
  if (table.without_rowid && key.type == "INTEGER") key.type = "INT";
  return table;
}

Table episodes(Dice& dice) {
  const std::vector<std::string> orders = {"timestamp", "start_time", "created_at", "Start_Time"};
  const std::vector<std::string> types = {
      "INTEGER", "", "REAL", "TEXT", "NUMERIC", "TEXT COLLATE NOCASE", "DATETIME"};
  Table table{"episodes", "episodes", {key_of(dice, "episode_id", dice.one_in(4))}, {}, false};
  if (!dice.one_in(8)) table.columns.push_back({dice.of(orders), dice.of(types), Use::order});
  return finished(dice, std::move(table));
}

Table patterns(Dice& dice) {
  Table table{"patterns", "patterns", {key_of(dice, "pattern_id", dice.one_in(4))}, {}, false};
  for (const char* const name : {"pattern_type", "domain", "context_domain"}) {
    if (dice.one_in(2)) table.columns.push_back({name, type_of(dice)});
  }
  return finished(dice, std::move(table));
}

Table heuristics(Dice& dice) {
  Table table{
      "heuristics", "heuristics", {key_of(dice, "heuristic_id", !dice.one_in(3))}, {}, false};
  return finished(dice, std::move(table));
}

Table embeddings(Dice& dice, const std::string& name) {
  Table table{name, "embeddings", {key_of(dice, "embedding_id", dice.one_in(4))}, {}, false};
  table.columns.push_back({"item_id", dice.one_in(4) ? "INTEGER" : "TEXT", Use::parent});
  if (!dice.one_in(4)) table.columns.push_back({"item_type", "TEXT", Use::parent_type});
  if (!dice.one_in(4)) table.columns.push_back({"embedding_data", "TEXT", Use::vector_text});
  if (!dice.one_in(3)) table.columns.push_back({"embedding_vector", "F32_BLOB(2)", Use::vector});
  if (dice.one_in(2)) table.columns.push_back({"dimension", "INTEGER", Use::dimension});
  return finished(dice, std::move(table));
}

}  // namespace

std::optional<std::size_t> Table::find(Use use) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].use == use) return i;
  }
  return std::nullopt;
}

bool Table::integer_key() const { return key().type.find("INT") != std::string::npos; }

std::vector<std::string> Table::names() const {
  std::vector<std::string> out;
  for (const Column& column : columns) out.push_back(column.name);
  return out;
}

std::string Table::create(bool with_rowid) const {
  std::string out;
  for (const Column& column : columns) {
    out += (out.empty() ? "CREATE TABLE " + quoted_name(name) + "(" : ", ") +
           quoted_name(column.name) + " " + column.type +
           (column.use == Use::key ? " PRIMARY KEY" : "");
  }
  return out + (with_rowid || !without_rowid ? ")" : ") WITHOUT ROWID");
}

Schema random_schema(Dice& dice) {
  Schema schema = {episodes(dice)};
  if (!dice.one_in(6)) schema.push_back(patterns(dice));
  if (!dice.one_in(6)) schema.push_back(heuristics(dice));
  if (dice.one_in(4)) {
    schema.push_back(embeddings(dice, "embeddings_2"));
    schema.push_back(embeddings(dice, "embeddings_other"));
  } else if (!dice.one_in(6)) {
    schema.push_back(embeddings(dice, "embeddings"));
  }
  return schema;
}

std::string add_column(Dice& dice, Table& table) {
  table.columns.push_back({"later " + std::to_string(table.columns.size()), type_of(dice)});
  return "ALTER TABLE " + quoted_name(table.name) + " ADD COLUMN " +
         quoted_name(table.columns.back().name) + " " + table.columns.back().type;
}

}  // namespace tidemark::differential
