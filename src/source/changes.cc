#include "source/changes.h"

#include "base/utf8.h"
#include "source/quoting.h"

namespace tidemark::source {
namespace {

using model::Collection;

// ?1 is the range's start, ?2 its limit.
constexpr std::string_view kInRange =
    "seq > ?1 AND seq <= (SELECT max(seq) FROM (SELECT seq FROM tidemark_changes WHERE seq > ?1 "
    "ORDER BY seq LIMIT ?2))";

std::vector<Value> arguments(const ChangeRange& range) {
  return {range.after, static_cast<std::int64_t>(range.limit)};
}

// The rows whose `column` is a touched id, each range first and then one seek for each id.
turso::Statement touched_statement(const Collection& collection, std::size_t column,
                                   std::span<const std::string> tables, const ChangeRange& range) {
  turso::Statement statement{"SELECT ", arguments(range)};
  for (std::size_t i = 0; i < collection.columns.size(); ++i) {
    statement.sql += (i == 0 ? "t." : ", t.") + quote_name(collection.columns[i].name);
  }
  std::string names;
  for (const std::string& table : tables) {
    statement.args.emplace_back(table);
    names += (names.empty() ? "?" : ", ?") + std::to_string(statement.args.size());
  }
  statement.sql += " FROM (SELECT DISTINCT id FROM tidemark_changes WHERE +tbl IN (" + names +
                   ") AND " + std::string(kInRange) + ") c CROSS JOIN " +
                   quote_name(collection.name) + " t ON t." +
                   quote_name(collection.columns[column].name) + " = +c.id";
  return statement;
}

}  // namespace

std::vector<turso::Statement> changes_statements(const ChangeRange& range) {
  const std::string in_range(kInRange);
  return {
      {"SELECT max(seq), (SELECT nonce FROM tidemark_changes WHERE seq = (SELECT max(seq) FROM "
       "(SELECT seq FROM tidemark_changes WHERE seq > ?1 ORDER BY seq LIMIT ?2))) FROM (SELECT seq "
       "FROM tidemark_changes WHERE seq > ?1 ORDER BY seq LIMIT ?2)",
       arguments(range)},
      {"SELECT DISTINCT tbl, id FROM tidemark_changes WHERE " + in_range, arguments(range)}};
}

Result<Changes> read_changes(std::span<const model::RowSet> results, const ChangeRange& range) {
  if (results.size() != kChangesStatements || results[0].columns().size() != 2 ||
      results[0].size() != 1 || results[1].columns().size() != 2) {
    return turso::unexpected_reply("its changes");
  }
  Changes changes;
  changes.up = range.after;
  const auto end = results[0].row(0);
  if (end[0].type() == ValueType::int64) {
    changes.up = end[0].as_int64();
    if (end[1].type() == ValueType::int64) changes.up_nonce = end[1].as_int64();
  }
  if (changes.up < range.after) return turso::unexpected_reply("its changes");
  for (std::size_t i = 0; i < results[1].size(); ++i) {
    const auto row = results[1].row(i);
    std::vector<Value>& keys = changes.touched[std::string(row[0].bytes())];
    if (row[1].type() == ValueType::int64) keys.emplace_back(row[1].as_int64());
    if (row[1].type() == ValueType::text && base::is_utf8(row[1].bytes())) {
      keys.emplace_back(std::string(row[1].bytes()));
    }
  }
  return changes;
}

turso::Statement touched_rows_statement(const Collection& collection, const ChangeRange& range) {
  return touched_statement(collection, collection.key_column, {&collection.name, 1}, range);
}

turso::Statement touched_children_statement(const Collection& embeddings,
                                            std::span<const std::string> parents,
                                            const ChangeRange& range) {
  return touched_statement(embeddings, *embeddings.parent_column, parents, range);
}

}  // namespace tidemark::source
