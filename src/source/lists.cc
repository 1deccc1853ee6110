// Lists: places of the window, keys, children of parents, keys that can never be cached.
//
// Order and comparison are BINARY, whatever the column declares. Where it declares that (the
// default) it is not said again: Turso 0.6 uses no index for a column with a COLLATE.
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

bool is_by_place(const Collection& collection, const ListRequest& request) {
  return collection.kind == model::Kind::episodes && !request.by_key;
}

constexpr std::string_view kBinary = " COLLATE BINARY";

turso::Statement list_by_key(const Collection& collection, const ListRequest& request) {
  const std::string key = column(collection, collection.key_column);
  const std::string compared = key + std::string(collection.access.key_index ? "" : kBinary);
  turso::Statement statement;
  statement.sql = "SELECT " + key + " FROM " + quote_name(collection.name) + " WHERE typeof(" +
                  key + ") IN ('integer','text')";
  if (request.after) {
    statement.sql += " AND " + compared + " > " + sql_of(request.after->key, statement);
  }
  statement.sql += " ORDER BY " + compared + " LIMIT " + std::to_string(request.limit);
  return statement;
}

// One walk of a window, newest first.
class NewestFirst {
 public:
  NewestFirst(const Collection& collection, const ListRequest& request)
      : request_(request),
        indexed_(collection.order_column && collection.access.order_index),
        bounded_(indexed_ && (request.after || request.overflows)),
        key_(column(collection, collection.key_column)),
        order_(collection.order_column ? column(collection, *collection.order_column) : "NULL"),
        compared_key_(key_ + std::string(collection.access.key_index ? "" : kBinary)),
        compared_order_(order_ + std::string(indexed_ ? "" : kBinary)),
        from_(" FROM " + quote_name(collection.name) + " WHERE typeof(" + key_ +
              ") IN ('integer','text')"),
        by_key_(compared_key_ + " DESC"),
        by_place_((collection.order_column ? compared_order_ + " DESC, " : "") + by_key_) {}

  std::vector<turso::Statement> statements() {
    if (request_.nulls_only) return {nulls()};
    if (request_.after) add_after();
    if (!bounded_) return {select("", by_place_)};
    std::vector<turso::Statement> out = {not_below_last()};
    if (!request_.after) {
      out.push_back(
          select(" AND " + order_ + " IS NULL AND " + last_order() + " IS NULL", by_key_));
    }
    return out;
  }

 private:
  turso::Statement select(const std::string& condition, const std::string& order) {
    turso::Statement statement;
    statement.sql = "SELECT " + key_ + ", " + order_ + from_ + after_ + condition + " ORDER BY " +
                    order + " LIMIT " + std::to_string(request_.limit);
    statement.args = args_;
    return statement;
  }

  turso::Statement nulls() {
    turso::Statement bound;
    std::string condition = " AND " + order_ + " IS NULL";
    if (request_.after) {
      condition += " AND " + compared_key_ + " < " + sql_of(request_.after->key, bound);
    }
    args_ = bound.args;
    return select(condition, by_key_);
  }

  void add_after() {
    turso::Statement bound;
    const std::string last = sql_of(request_.after->order, bound);
    const std::string last_key = sql_of(request_.after->key, bound);
    after_ = " AND " + compared_order_ + " <= " + last + " AND (" + compared_order_ + " < " + last +
             " OR " + compared_key_ + " < " + last_key + ")";
    args_ = bound.args;
  }

  // The order value of the last row that fits; NULL where it has none, or all fit.
  [[nodiscard]] std::string last_order() const {
    return "(SELECT " + order_ + from_ + after_ + " ORDER BY " + order_ + " DESC LIMIT 1 OFFSET " +
           std::to_string(std::max<std::size_t>(1, request_.limit) - 1) + ")";
  }

  // Those with a value. Turso 0.6 sorts all rows that a condition leaves by (order, key), so where
  // many are left the condition leaves no more than fit, and ties of the last: 50 of 300,000 rows
  // took 347 ms without, 11 ms with it.
  turso::Statement not_below_last() {
    const std::string lowest = "(SELECT " + order_ + from_ + " AND " + order_ +
                               " IS NOT NULL ORDER BY " + order_ + " LIMIT 1)";
    return select(" AND " + order_ + " >= ifnull(" + last_order() + ", " + lowest + ")", by_place_);
  }

  const ListRequest& request_;
  const bool indexed_;
  const bool bounded_;
  const std::string key_;
  const std::string order_;
  const std::string compared_key_;
  const std::string compared_order_;
  const std::string from_;
  const std::string by_key_;
  const std::string by_place_;
  std::string after_;  // a condition
  std::vector<Value> args_;
};

}  // namespace

turso::Statement more_than_statement(const Collection& collection, std::uint64_t rows) {
  const std::string key = column(collection, collection.key_column);
  return {"SELECT 1 FROM " + quote_name(collection.name) + " WHERE typeof(" + key +
              ") IN ('integer','text') LIMIT 1 OFFSET " + std::to_string(rows),
          {}};
}

std::vector<turso::Statement> list_statements(const Collection& collection,
                                              const ListRequest& request) {
  if (!is_by_place(collection, request)) return {list_by_key(collection, request)};
  return NewestFirst(collection, request).statements();
}

Result<Listed> read_list(const Collection& collection, const ListRequest& request,
                         const model::RowSet& rows) {
  const bool ordered = is_by_place(collection, request);
  if (rows.columns().size() != (ordered ? 2U : 1U)) {
    return turso::unexpected_reply("a list of keys");
  }
  Listed listed;
  listed.rows = std::min(rows.size(), request.limit);
  for (std::size_t i = 0; i < listed.rows; ++i) {
    const auto row = rows.row(i);
    const auto key = key_value(row[0]);
    if (!key) return turso::unexpected_reply("a list of keys");
    model::Place place{ordered ? owned(row[1]) : Value{}, *key};
    if (i + 1 == listed.rows) listed.last = place;
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
                 parent_keys,
                 embeddings.access.parent_index ? kKeysPerStatement : kKeysPerWholeRead);
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
