// Rows that lost something on the way, asked for in the form that loses nothing.
#include "source/exact.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::source {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Exact, wraps_any_statement_and_keeps_its_arguments) {
  const turso::Statement plain{"SELECT a, b FROM t WHERE k = ?1", {std::int64_t{4}}};
  const auto exact = exact_statement(plain, 2);
  EXPECT_NE(exact.sql.find("(SELECT a, b FROM t WHERE k = ?1)"), std::string::npos) << exact.sql;
  EXPECT_EQ(exact.args, plain.args);
}

TEST(Exact, brings_back_bytes_signs_and_everything_else_as_it_was) {
  model::RowSet reply;
  reply.set_columns({"v", "t", "s", "v", "t", "s"});
  const auto add = [&](ValueView a, std::string_view a_type, ValueView b, std::string_view b_type,
                       std::int64_t b_positive) {
    const std::vector<ValueView> cells = {a, ValueView::text(a_type), ValueView::int64(1),
                                          b, ValueView::text(b_type), ValueView::int64(b_positive)};
    reply.add(cells);
  };
  add(ValueView::blob("\xFF"), "text", ValueView::real(kInfinity), "real", 0);
  add(ValueView::blob("\xFF"), "blob", ValueView::real(kInfinity), "real", 1);
  add(ValueView::null(), "null", ValueView::real(-0.5), "real", 0);
  const auto rows = read_exact(reply);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ(rows->row(0)[0].type(), ValueType::text);
  EXPECT_EQ(rows->row(0)[0].bytes(), "\xFF");
  EXPECT_EQ(rows->row(0)[1].as_real(), -kInfinity);
  EXPECT_EQ(rows->row(1)[0].type(), ValueType::blob);
  EXPECT_EQ(rows->row(1)[1].as_real(), kInfinity);
  EXPECT_TRUE(rows->row(2)[0].is_null());
  EXPECT_EQ(rows->row(2)[1].as_real(), -0.5);
  model::RowSet odd;
  odd.set_columns({"v", "t"});
  EXPECT_FALSE(read_exact(odd));
}

}  // namespace
}  // namespace tidemark::source
