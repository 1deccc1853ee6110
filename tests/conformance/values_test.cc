// Identical data gives identical rows, whichever way it comes.
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/conformance/fixture.h"

namespace tidemark::conformance {
namespace {

class Values : public ConnectionTest {
 protected:
  // The one row of a query over an empty database, by its cells as owned values.
  std::vector<Value> cells(const std::string& sql, std::vector<Value> args = {}) {
    if (!connection_) {
      prepare("CREATE TABLE t(a)");
      serve();
      connection_ = connect();
    }
    auto reply = ask(*connection_, sql, std::move(args));
    EXPECT_TRUE(reply) << reply.error().message;
    if (!reply || reply->results.size() != 1 || reply->results[0].size() != 1) {
      ADD_FAILURE() << "not one row: " << sql;
      return {};
    }
    std::vector<Value> out;
    for (const ValueView& cell : reply->results[0].row(0)) out.push_back(owned(cell));
    return out;
  }
  static Value owned(const ValueView& cell) {
    switch (cell.type()) {
      case ValueType::int64:
        return cell.as_int64();
      case ValueType::real:
        return cell.as_real();
      case ValueType::text:
        return std::string(cell.bytes());
      case ValueType::blob:
        return Blob{std::string(cell.bytes())};
      default:
        EXPECT_EQ(cell.type(), ValueType::null);
        return {};
    }
  }

 private:
  std::unique_ptr<turso::Connection> connection_;
};

constexpr std::int64_t kInt64Min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST_P(Values, integers_keep_all_their_bits) {
  for (const std::int64_t value :
       std::vector<std::int64_t>{0, 1, -1, 9007199254740991, 9007199254740992, 9007199254740993,
                                 -9007199254740993, 2147483648, kInt64Max, kInt64Min}) {
    const std::string text =
        value == kInt64Min ? "(-9223372036854775807 - 1)" : std::to_string(value);
    EXPECT_EQ(cells("SELECT " + text), std::vector<Value>{value});
    EXPECT_EQ(cells("SELECT ?1, typeof(?1)", {value}),
              (std::vector<Value>{value, std::string("integer")}));
  }
}

TEST_P(Values, reals_keep_all_their_bits) {
  using limits = std::numeric_limits<double>;
  for (const double value :
       {0.0, -0.0, 0.1, 1.0, -2.5, 1e308, limits::max(), limits::min(), limits::denorm_min(),
        -limits::denorm_min(), 9007199254740993.0, 1e22, 3.0e-5, 123456789.12345679, 1.0 / 3}) {
    const auto found = cells("SELECT ?1, typeof(?1)", {value});
    ASSERT_EQ(found.size(), 2U);
    ASSERT_TRUE(std::holds_alternative<double>(found[0])) << value;
    EXPECT_TRUE(same_bits(std::get<double>(found[0]), value)) << value;
    EXPECT_EQ(found[1], Value(std::string("real")));
  }
}

TEST_P(Values, infinities_are_infinite_and_signed_where_the_wire_has_a_sign) {
  const auto found = cells("SELECT 9e999, -9e999");
  ASSERT_EQ(found.size(), 2U);
  for (const Value& value : found) ASSERT_TRUE(std::holds_alternative<double>(value));
  EXPECT_TRUE(std::isinf(std::get<double>(found[0])) && std::isinf(std::get<double>(found[1])));
  if (!GetParam().keeps_infinities) return;
  EXPECT_GT(std::get<double>(found[0]), 0);
  EXPECT_LT(std::get<double>(found[1]), 0);
}

TEST_P(Values, texts_keep_their_bytes) {
  const std::string all_of_unicode = "\u00e9 \u4e16\u754c \U0001F30A \u2028 \ufeff \x7f";
  for (const std::string& value :
       {std::string(), std::string("a\0b\0", 4), std::string("\0", 1), all_of_unicode,
        std::string("quote \" back \\ slash / tab \t line \n return \r bell \a e \x1b"),
        std::string(300'000, 'x'), std::string("{\"type\":\"null\"}")}) {
    EXPECT_EQ(cells("SELECT ?1, typeof(?1)", {value}),
              (std::vector<Value>{value, std::string("text")}));
  }
}

TEST_P(Values, blobs_of_each_length_keep_their_bytes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(cells("SELECT ?1", {Blob{bytes}}), std::vector<Value>{Blob{bytes}});
    if (i < 5 || i > 250) bytes += static_cast<char>(i * 7 + 129);
  }
  EXPECT_EQ(cells("SELECT ?1, typeof(?1)", {Blob{}}),
            (std::vector<Value>{Blob{}, std::string("blob")}));
}

TEST_P(Values, a_blob_of_four_megabytes_comes_whole) {
  const auto found = cells("SELECT zeroblob(4000000)");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(std::get<Blob>(found[0]).bytes == std::string(4'000'000, '\0'));
}

TEST_P(Values, args_of_every_type_bind_to_their_places) {
  const std::vector<Value> args = {std::int64_t{7}, 1.5, std::string("t"),
                                   Blob{std::string("\0b", 2)}, std::monostate{}};
  EXPECT_EQ(cells("SELECT ?1, ?2, ?3, ?4, ?5", args), args);
  EXPECT_EQ(cells("SELECT ?2, ?1, ?2", {std::int64_t{1}, std::string("two")}),
            (std::vector<Value>{std::string("two"), std::int64_t{1}, std::string("two")}));
}

TEST_P(Values, a_row_may_have_many_columns) {
  std::string sql = "SELECT 0";
  for (int i = 1; i < 500; ++i)
    sql += "," + std::to_string(i) + " AS \"column " + std::to_string(i) + "\"";
  const auto found = cells(sql);
  ASSERT_EQ(found.size(), 500U);
  EXPECT_EQ(found[499], Value(std::int64_t{499}));
}

TEST_P(Values, stored_rows_are_the_same_as_sqlite_reads_them) {
  prepare(
      "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
      "INSERT INTO t(v) VALUES (NULL), (9223372036854775807), (-9223372036854775807 - 1),"
      " (9007199254740993), (0.1), (-0.0), (4.9e-324), (1e308), (''), (x''), ('a' || char(0) || "
      "'b'),"
      " (x'00ff'), ('"
      "\u4e16\u754c"
      "'), (zeroblob(1000))");
  serve();
  auto connection = connect();
  const auto reply = ask(*connection, "SELECT k, v, quote(v) AS q FROM t ORDER BY k");
  ASSERT_TRUE(reply) << reply.error().message;
  const model::RowSet& rows = reply->results.at(0);
  EXPECT_EQ(rows.columns(), (std::vector<std::string>{"k", "v", "q"}));
  ASSERT_EQ(rows.size(), 14U);
  const std::vector<Value> expected = {std::monostate{},
                                       kInt64Max,
                                       kInt64Min,
                                       std::int64_t{9007199254740993},
                                       0.1,
                                       -0.0,
                                       4.9e-324,
                                       1e308,
                                       std::string(),
                                       Blob{},
                                       std::string("a\0b", 3),
                                       Blob{std::string("\0\xff", 2)},
                                       std::string("\u4e16\u754c"),
                                       Blob{std::string(1000, '\0')}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(owned(rows.row(i)[0]), Value(static_cast<std::int64_t>(i + 1)));
    EXPECT_EQ(owned(rows.row(i)[1]), expected[i]) << "row " << i + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Values, ::testing::ValuesIn(implementations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemark::conformance
