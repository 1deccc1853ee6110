// The contract of turso::Connection: batches, errors, tickets, waiting, limits, counters.
#include <map>
#include <set>
#include <thread>

#include "tests/conformance/fixture.h"

namespace tidemark::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr seconds kSoon{5};  // "at once", on a machine that is busy with other work

class Contract : public ConnectionTest {
 protected:
  void SetUp() override {
    prepare(
        "PRAGMA journal_mode=WAL; CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT);"
        "INSERT INTO t VALUES(1, 'one'), (2, 'two'), (3, 'three'); CREATE TABLE none(a, b);"
        "CREATE TABLE digits(d); INSERT INTO digits VALUES(0),(1),(2),(3),(4),(5),(6),(7),(8),(9)");
  }
  static turso::Batch batch(const std::vector<std::string>& statements) {
    turso::Batch out;
    for (const std::string& sql : statements) out.statements.push_back({sql, {}});
    return out;
  }
};

TEST_P(Contract, a_batch_gives_one_result_for_each_statement_in_order) {
  serve();
  auto connection = connect();
  const auto reply = ask(*connection, batch({"SELECT 1 AS a", "SELECT k, v FROM t ORDER BY k",
                                             "SELECT a, b FROM none", "SELECT 'end'"}));
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_EQ(reply->results.size(), 4U);
  EXPECT_EQ(reply->results[0].columns(), std::vector<std::string>{"a"});
  ASSERT_EQ(reply->results[1].size(), 3U);
  EXPECT_EQ(reply->results[1].row(2)[1].bytes(), "three");
  EXPECT_EQ(reply->results[2].size(), 0U);
  EXPECT_EQ(reply->results[2].columns(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(reply->results[3].row(0)[0].bytes(), "end");
}

TEST_P(Contract, thirty_thousand_rows_come_complete_and_in_order) {
  serve();
  auto connection = connect();
  // The real server knows no recursive CTE.
  const auto reply = ask(*connection,
                         "SELECT i, 'row ' || i AS t FROM (SELECT 10000*e.d + 1000*d.d + 100*c.d + "
                         "10*b.d + a.d AS i FROM digits a, digits b, digits c, digits d, digits e "
                         "WHERE e.d < 3) ORDER BY i");
  ASSERT_TRUE(reply) << reply.error().message;
  const model::RowSet& rows = reply->results.at(0);
  ASSERT_EQ(rows.size(), 30'000U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows.row(i)[0].as_int64(), static_cast<std::int64_t>(i));
    ASSERT_EQ(rows.row(i)[1].bytes(), "row " + std::to_string(i));
  }
}

TEST_P(Contract, an_sql_error_is_invalid_with_the_servers_words_and_ends_its_batch_only) {
  serve();
  auto connection = connect();
  for (const std::string wrong : {"SELECT * FROM nowhere", "SELEKT 1", "SELECT missing FROM t"}) {
    const auto reply = ask(*connection, batch({"SELECT 1", wrong, "SELECT 2"}));
    ASSERT_FALSE(reply) << wrong;
    EXPECT_EQ(reply.error().code, ErrorCode::invalid) << reply.error().message;
    EXPECT_FALSE(reply.error().source_text.empty());
    EXPECT_FALSE(turso::is_too_large(reply.error()));
    EXPECT_TRUE(ask(*connection, "SELECT 1")) << "after " << wrong;
  }
  const auto named = ask(*connection, "SELECT * FROM nowhere");
  EXPECT_NE(named.error().source_text.find("nowhere"), std::string::npos);
}

TEST_P(Contract, arguments_that_no_place_takes_are_an_error_where_the_server_says_so) {
  serve();
  auto connection = connect();
  const auto reply = ask(*connection, "SELECT ?1", {std::int64_t{1}, std::int64_t{2}});
  ASSERT_EQ(reply.has_value(), !GetParam().refuses_extra_args);
  if (reply) return;
  EXPECT_EQ(reply.error().code, ErrorCode::invalid);
}

TEST_P(Contract, each_ticket_completes_exactly_once) {
  serve();
  auto connection = connect();
  ASSERT_GE(connection->capacity(), 1U);
  for (int round = 0; round < 3; ++round) {
    std::map<turso::Ticket, std::int64_t> asked;
    for (std::size_t i = 0; i < connection->capacity(); ++i) {
      const auto value = static_cast<std::int64_t>(i * 10);
      turso::Batch one;
      one.statements.push_back({"SELECT ?1", {value}});
      EXPECT_TRUE(asked.emplace(connection->start(std::move(one)), value).second);
    }
    EXPECT_EQ(connection->in_flight(), connection->capacity());
    while (!asked.empty()) {
      auto done = connection->poll(Clock::now() + kPatience);
      ASSERT_TRUE(done) << asked.size() << " tickets never completed";
      ASSERT_TRUE(asked.contains(done->ticket));
      const auto reply = done->reply();
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_EQ(reply->results.at(0).row(0)[0].as_int64(), asked[done->ticket]);
      asked.erase(done->ticket);
    }
    EXPECT_EQ(connection->in_flight(), 0U);
  }
}

TEST_P(Contract, what_was_cancelled_never_completes_and_the_connection_goes_on) {
  serve();
  auto connection = connect();
  std::set<turso::Ticket> dropped;
  for (std::size_t i = 0; i < connection->capacity(); ++i) {
    dropped.insert(connection->start(batch({"SELECT 1"})));
  }
  connection->cancel_all();
  EXPECT_EQ(connection->in_flight(), 0U);
  const turso::Ticket kept = connection->start(batch({"SELECT 2"}));
  EXPECT_FALSE(dropped.contains(kept));
  auto done = connection->poll(Clock::now() + kPatience);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->ticket, kept);
  const auto reply = done->reply();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->results.at(0).row(0)[0].as_int64(), 2);
}

// Work that no server ends within the test's patience.
constexpr const char* kEndless =
    "SELECT count(*) FROM digits a, digits b, digits c, digits d, digits e, digits f, digits g,"
    " digits h, digits i, digits j, digits k, digits l, digits m, digits n";

TEST_P(Contract, a_wake_from_another_thread_ends_a_wait) {
  serve();
  auto connection = connect();
  connection->start(batch({kEndless}));
  const auto before = Clock::now();
  {
    const std::jthread waker([&] { connection->wake(); });
    // Before or after the wait begins: it must not last until its deadline.
    connection->poll(before + kPatience);
  }
  EXPECT_LT(Clock::now() - before, kPatience / 2);
  connection->cancel_all();
}

TEST_P(Contract, a_wait_ends_at_its_deadline) {
  serve();
  auto connection = connect();
  connection->start(batch({kEndless}));
  const auto before = Clock::now();
  auto done = connection->poll(before + milliseconds(200));
  const auto took = Clock::now() - before;
  EXPECT_GE(took, milliseconds(190));
  EXPECT_LT(took, kSoon);
  // Either still in flight (a remote server works on), or given up with the deadline.
  if (done) {
    const auto reply = done->reply();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
  }
  connection->cancel_all();
}

TEST_P(Contract, a_request_over_its_time_limit_is_unavailable) {
  serve();
  turso::ConnectOptions options;
  options.request_timeout = milliseconds(300);
  auto connection = connect(options);
  const auto before = Clock::now();
  const auto reply = ask(*connection, kEndless);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::unavailable) << reply.error().message;
  EXPECT_LT(Clock::now() - before, kPatience / 2);
}

TEST_P(Contract, a_reply_over_the_limit_is_too_large_and_a_smaller_one_still_comes) {
  serve();
  turso::ConnectOptions options;
  options.reply_bytes_max = 100'000;
  auto connection = connect(options);
  const auto reply = ask(*connection, "SELECT zeroblob(200000)");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::invalid);
  EXPECT_TRUE(turso::is_too_large(reply.error())) << reply.error().message;
  const auto smaller = ask(*connection, "SELECT zeroblob(20000)");
  ASSERT_TRUE(smaller) << smaller.error().message;
  EXPECT_EQ(smaller->results.at(0).row(0)[0].bytes().size(), 20'000U);
}

TEST_P(Contract, two_connections_work_at_once) {
  serve();
  auto one = connect();
  auto two = connect();
  one->start(batch({"SELECT 1"}));
  two->start(batch({"SELECT 2"}));
  auto second = two->poll(Clock::now() + kPatience);
  auto first = one->poll(Clock::now() + kPatience);
  ASSERT_TRUE(first && second);
  const auto first_reply = first->reply();
  const auto second_reply = second->reply();
  ASSERT_TRUE(first_reply && second_reply);
  EXPECT_EQ(first_reply->results.at(0).row(0)[0].as_int64(), 1);
  EXPECT_EQ(second_reply->results.at(0).row(0)[0].as_int64(), 2);
}

TEST_P(Contract, usage_counts_requests_and_bytes) {
  serve();
  auto connection = connect();
  EXPECT_EQ(connection->usage().requests, 0U);
  ASSERT_TRUE(ask(*connection, "SELECT zeroblob(5000)"));
  const turso::Usage first = connection->usage();
  EXPECT_GE(first.requests, 1U);
  ASSERT_TRUE(ask(*connection, "SELECT 1"));
  const turso::Usage second = connection->usage();
  EXPECT_EQ(second.requests,
            first.requests + 1);  // what was learned of the server is not asked twice
  EXPECT_EQ(second.retries, 0U);
  if (served().url().starts_with("file:")) return;
  EXPECT_GT(first.bytes_sent, 0U);
  EXPECT_GT(second.bytes_received, first.bytes_received);
}

TEST_P(Contract, its_name_says_where_and_keeps_secrets) {
  serve();
  auto connection = connect();
  const std::string url = served().url();
  EXPECT_EQ(connection->name(), url);
  if (!served().token().empty()) {
    EXPECT_EQ(connection->name().find(served().token()), std::string::npos);
  }
}

TEST_P(Contract, a_batch_sees_whole_transactions_of_other_clients_only) {
  serve();
  auto connection = connect();
  for (int i = 10; i < 30; ++i) {
    connection->start(batch({"SELECT count(*) FROM t WHERE k >= 10", "SELECT count(*) FROM none",
                             "SELECT count(*) FROM t WHERE k >= 10"}));
    const std::string n = std::to_string(i);
    served().write("INSERT INTO t VALUES(" + n + ", 'x')");
    auto done = connection->poll(Clock::now() + kPatience);
    ASSERT_TRUE(done);
    const auto reply = done->reply();
    ASSERT_TRUE(reply) << reply.error().message;
    const auto& results = reply->results;
    EXPECT_EQ(results[0].row(0)[0].as_int64(), results[2].row(0)[0].as_int64());
  }
  const auto last = ask(*connection, "SELECT count(*) FROM t WHERE k >= 10");
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->results.at(0).row(0)[0].as_int64(), 20);
}

TEST_P(Contract, a_failed_batch_leaves_no_transaction_behind) {
  serve();
  auto connection = connect();
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(ask(*connection, batch({"SELECT 1", "SELECT nope"})));
  EXPECT_NO_THROW(served().write("INSERT INTO t VALUES(50, 'fifty')"));
  const auto seen = ask(*connection, "SELECT v FROM t WHERE k = 50");
  ASSERT_TRUE(seen) << seen.error().message;
  ASSERT_EQ(seen->results.at(0).size(), 1U);
}

TEST_P(Contract, a_held_snapshot_shows_one_state_where_it_can_be_held) {
  serve();
  auto connection = connect();
  const auto held = connection->hold_snapshot();
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(*held, served().url().starts_with("file:"));
  ASSERT_TRUE(ask(*connection, "SELECT count(*) FROM t"));
  served().write("INSERT INTO t VALUES(60, 'sixty')");
  const auto inside = ask(*connection, "SELECT count(*) FROM t");
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->results.at(0).row(0)[0].as_int64(), *held ? 3 : 4);
  connection->release_snapshot();
  const auto after = ask(*connection, "SELECT count(*) FROM t");
  EXPECT_EQ(after->results.at(0).row(0)[0].as_int64(), 4);
}

INSTANTIATE_TEST_SUITE_P(Each, Contract, ::testing::ValuesIn(implementations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemark::conformance
