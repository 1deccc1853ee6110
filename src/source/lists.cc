// Lists: places of the window, keys, children of parents, keys that can never be cached.
//
// Order and comparison are BINARY, whatever the column declares; a column that is declared BINARY
// (the default) still uses its index.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/utf8.h"
#include "source/quoting.h"
#include "source/source.h"

namespace tidemark::source {
namespace {

using model::Collection;

std::string column(const Collection& collection, std::size_t index) {
  return quote_name(collection.columns[index].name);
}

std::optional<Value> key_value(ValueView view) {
  if (view.type() == ValueType::int64) return Value(view.as_int64());
  if (view.type() == ValueType::text) return Value(std::string(view.bytes()));
  return std::nullopt;
}

Value owned(ValueView view) {
  switch (view.type()) {
    case ValueType::int64:
      return view.as_int64();
    case ValueType::real:
      return view.as_real();
    case ValueType::text:
      return std::string(view.bytes());
    case ValueType::blob:
      return Blob{std::string(view.bytes())};
    default:
      return std::monostate{};
  }
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

std::string printable(std::string_view bytes) {
  constexpr std::size_t kShown = 64;
  return "x'" + hex(bytes.substr(0, kShown)) + (bytes.size() > kShown ? "...'" : "'");
}

// The last order value as SQL. A real argument may change on the way: JSON has no infinities, and
// Turso 0.6 reads one JSON number in four into a neighbouring double, which would lose the rows
// that tie with it. So it is written as a whole number times powers of two, all of them exact.
std::string exact_real(double value) {
  if (std::isinf(value)) return value > 0 ? "9e999" : "-9e999";
  constexpr int kMantissaBits = 53;
  constexpr int kStep = 30;  // 2^30 in decimal is read right by every parser
  int exponent = 0;
  auto mantissa =
      static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), kMantissaBits));
  exponent -= kMantissaBits;
  for (; mantissa != 0 && mantissa % 2 == 0; mantissa /= 2) ++exponent;
  if (mantissa == 0) exponent = 0;
  std::string sql = "(CAST(" + std::to_string(mantissa) + " AS REAL)";
  const char* const sign = exponent < 0 ? "/" : "*";
  for (int left = std::abs(exponent); left > 0; left -= kStep) {
    sql += sign + std::to_string(std::int64_t{1} << std::min(left, kStep)) + ".0";
  }
  return sql + ")";
}

// `value` as SQL: a parameter, or a literal for what a reply's or a request's JSON cannot hold.
std::string sql_of(const Value& value, turso::Statement& statement) {
  if (const auto* const real = std::get_if<double>(&value)) return exact_real(*real);
  const auto* const text = std::get_if<std::string>(&value);
  if (text != nullptr && !base::is_utf8(*text)) return "CAST(x'" + hex(*text) + "' AS TEXT)";
  statement.args.push_back(value);
  return "?" + std::to_string(statement.args.size());
}

turso::Statement list_by_key(const Collection& collection, const ListRequest& request) {
  const std::string key = column(collection, collection.key_column);
  turso::Statement statement;
  statement.sql = "SELECT " + key + " FROM " + quote_name(collection.name) + " WHERE typeof(" +
                  key + ") IN ('integer','text')";
  if (request.after) {
    statement.sql += " AND " + key + " COLLATE BINARY > " + sql_of(request.after->key, statement);
  }
  statement.sql += " ORDER BY " + key + " COLLATE BINARY LIMIT " + std::to_string(request.limit);
  return statement;
}

turso::Statement list_newest(const Collection& collection, const ListRequest& request) {
  const std::string key = column(collection, collection.key_column);
  const std::string order =
      collection.order_column ? column(collection, *collection.order_column) : "NULL";
  turso::Statement statement;
  statement.sql = "SELECT " + key + ", " + order + " FROM " + quote_name(collection.name) +
                  " WHERE typeof(" + key + ") IN ('integer','text')";
  if (request.nulls_only) {
    statement.sql += " AND " + order + " IS NULL";
    if (request.after) {
      statement.sql += " AND " + key + " COLLATE BINARY < " + sql_of(request.after->key, statement);
    }
  } else if (request.after) {
    const std::string last = sql_of(request.after->order, statement);
    const std::string last_key = sql_of(request.after->key, statement);
    statement.sql += " AND " + order + " COLLATE BINARY <= " + last + " AND (" + order +
                     " COLLATE BINARY < " + last + " OR " + key + " COLLATE BINARY < " + last_key +
                     ")";
  }
  statement.sql += " ORDER BY ";
  if (collection.order_column) statement.sql += order + " COLLATE BINARY DESC, ";
  statement.sql += key + " COLLATE BINARY DESC LIMIT " + std::to_string(request.limit);
  return statement;
}

}  // namespace

turso::Statement list_statement(const Collection& collection, const ListRequest& request) {
  return collection.kind == model::Kind::episodes ? list_newest(collection, request)
                                                  : list_by_key(collection, request);
}

Result<Listed> read_list(const Collection& collection, const model::RowSet& rows) {
  const bool ordered = collection.kind == model::Kind::episodes;
  if (rows.columns().size() != (ordered ? 2U : 1U)) {
    return turso::unexpected_reply("a list of keys");
  }
  Listed listed;
  listed.rows = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.row(i);
    const auto key = key_value(row[0]);
    if (!key) return turso::unexpected_reply("a list of keys");
    model::Place place{ordered ? owned(row[1]) : Value{}, *key};
    if (i + 1 == rows.size()) listed.last = place;
    if (row[0].type() == ValueType::text && !base::is_utf8(row[0].bytes())) {
      listed.skipped.push_back(
          {collection.name, printable(row[0].bytes()), "the key is not UTF-8"});
    } else {
      listed.places.push_back(std::move(place));
    }
  }
  return listed;
}

std::vector<turso::Statement> list_children_statements(const Collection& embeddings,
                                                       std::span<const Value> parent_keys) {
  const std::string parent = column(embeddings, *embeddings.parent_column);
  const std::string type =
      embeddings.parent_type_column ? column(embeddings, *embeddings.parent_type_column) : "NULL";
  return by_keys("SELECT " + column(embeddings, embeddings.key_column) + ", " + parent + ", " +
                     type + " FROM " + quote_name(embeddings.name) + " WHERE " + parent,
                 parent_keys, embeddings.parent_indexed ? kKeysPerStatement : kKeysPerWholeRead);
}

Result<std::vector<Child>> read_children(const Collection& embeddings, const model::RowSet& rows) {
  if (rows.columns().size() != 3) {
    return turso::unexpected_reply("a list of embeddings");
  }
  std::vector<Child> children;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.row(i);
    auto key = key_value(row[0]);
    if (!key || !base::is_utf8(model::key_text(*key))) continue;  // listed by the odd keys
    Child child{std::move(*key), {{}, embeddings.parent_kind}};
    const auto parent = key_value(row[1]);
    if (!parent) continue;
    child.parent.key = model::key_text(*parent);
    if (!child.parent.kind && row[2].type() == ValueType::text) {
      child.parent.kind = model::parent_kind_of(row[2].bytes());
    }
    children.push_back(std::move(child));
  }
  return children;
}

std::vector<turso::Statement> places_statements(const Collection& episodes,
                                                std::span<const Value> keys) {
  const std::string key = column(episodes, episodes.key_column);
  const std::string order =
      episodes.order_column ? column(episodes, *episodes.order_column) : "NULL";
  return by_keys(
      "SELECT " + key + ", " + order + " FROM " + quote_name(episodes.name) + " WHERE " + key,
      keys);
}

turso::Statement odd_keys_statement(const Collection& collection, std::size_t limit) {
  // Two seeks on the key's index: NULLs come first, blobs last.
  const std::string key = column(collection, collection.key_column);
  const std::string from = " FROM " + quote_name(collection.name) + " WHERE ";
  return {"SELECT quote(" + key + ") FROM (SELECT " + key + from + key +
              " IS NULL UNION ALL SELECT " + key + from + key + " >= x'') LIMIT " +
              std::to_string(limit),
          {}};
}

std::vector<model::Skipped> read_odd_keys(const Collection& collection, const model::RowSet& rows) {
  std::vector<model::Skipped> skipped;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string shown(rows.row(i)[0].bytes());
    skipped.push_back(
        {collection.name, shown,
         shown == "NULL" ? "the key is NULL" : "the key is neither integer nor text"});
  }
  return skipped;
}

}  // namespace tidemark::source
