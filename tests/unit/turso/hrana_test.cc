// Hrana without a network: what is sent, what replies mean, what is learned of a server.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "turso/hrana/base64.h"
#include "turso/hrana/pipeline.h"
#include "turso/hrana/server.h"

namespace tidemark::turso::hrana {
namespace {

using Json = nlohmann::json;

Batch two_statements() {
  return {{{"SELECT ?1", {std::int64_t{1} << 60}}, {"SELECT ?1, ?2", {Blob{"a\0"}, "text"}}}};
}

// A reply to a batch of one statement with these rows, in the form of real servers.
std::string reply_with(const std::string& cols, const std::string& rows) {
  const std::string empty = R"({"cols":[],"rows":[],"affected_row_count":0})";
  return R"({"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"batch",)"
         R"("result":{"step_results":[)" +
         empty + R"(,{"cols":[{"name":"m"}],"rows":[[{"type":"text","value":"77"}]]},{"cols":)" +
         cols + R"(,"rows":)" + rows + R"(,"rows_read":7},)" + empty +
         R"(,null],"step_errors":[null,null,null,null,null]}}},)"
         R"({"type":"ok","response":{"type":"close"}}]})";
}

Result<BatchReply> decode_one(const std::string& rows) {
  return decode_pipeline(reply_with(R"([{"name":"a"}])", rows), 1, 77);
}

TEST(Pipeline, sends_one_transaction_whose_steps_depend_on_the_one_before) {
  const Json body = Json::parse(encode_pipeline(two_statements(), true, 77));
  ASSERT_EQ(body["requests"].size(), 2U);
  EXPECT_EQ(body["requests"][1]["type"], "close");
  const Json& steps = body["requests"][0]["batch"]["steps"];
  ASSERT_EQ(steps.size(), 6U);
  EXPECT_EQ(steps[0]["stmt"]["sql"], "BEGIN");
  EXPECT_FALSE(steps[0].contains("condition"));
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(steps[i]["condition"], (Json{{"type", "ok"}, {"step", i - 1}}));
  }
  EXPECT_EQ(steps[1]["stmt"]["sql"], "SELECT '77'");
  EXPECT_EQ(steps[4]["stmt"]["sql"], "COMMIT");
  EXPECT_EQ(steps[5]["stmt"]["sql"], "ROLLBACK");
  EXPECT_EQ(steps[5]["condition"]["type"], "not");
  EXPECT_EQ(steps[5]["condition"]["cond"], (Json{{"type", "ok"}, {"step", 4}}));
  EXPECT_EQ(Json::parse(encode_pipeline(two_statements(), false, 77))["requests"].size(), 1U);
}

TEST(Pipeline, sends_integers_as_text_and_blobs_as_base64) {
  const Json body = Json::parse(encode_pipeline(two_statements(), true, 77));
  const Json& steps = body["requests"][0]["batch"]["steps"];
  EXPECT_EQ(steps[2]["stmt"]["args"][0],
            (Json{{"type", "integer"}, {"value", "1152921504606846976"}}));
  EXPECT_EQ(steps[3]["stmt"]["args"][0], (Json{{"type", "blob"}, {"base64", "YQ=="}}));
  EXPECT_EQ(steps[3]["stmt"]["args"][1], (Json{{"type", "text"}, {"value", "text"}}));
}

TEST(Reply, gives_every_class_of_value) {
  const auto reply =
      decode_one(R"([[{"type":"null"}],[{"type":"integer","value":"-9223372036854775808"}],)"
                 R"([{"type":"float","value":0.1}],[{"value":"a\u0000\u00e9","type":"text"}],)"
                 R"([{"type":"blob","base64":"AP8"}],[{"type":"blob","base64":"AP8="}]])");
  ASSERT_TRUE(reply) << reply.error().message;
  const model::RowSet& rows = reply->results.at(0);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_TRUE(rows.row(0)[0].is_null());
  EXPECT_EQ(rows.row(1)[0].as_int64(), INT64_MIN);
  EXPECT_EQ(rows.row(2)[0].as_real(), 0.1);
  EXPECT_EQ(rows.row(3)[0].bytes(), std::string_view("a\0\xC3\xA9", 4));
  EXPECT_EQ(rows.row(4)[0].bytes(), std::string_view("\0\xFF", 2));
  EXPECT_EQ(rows.row(5)[0].bytes(), std::string_view("\0\xFF", 2));
  EXPECT_EQ(reply->rows_read, 7U);
  EXPECT_FALSE(rows.inexact());
}

TEST(Reply, that_lost_something_on_the_way_says_so) {
  const auto infinite = decode_one(R"([[{"type":"float","value":null}]])");
  ASSERT_TRUE(infinite);
  EXPECT_TRUE(std::isinf(infinite->results[0].row(0)[0].as_real()));
  EXPECT_TRUE(infinite->results[0].inexact());
  EXPECT_TRUE(
      decode_one("[[{\"type\":\"text\",\"value\":\"\xEF\xBF\xBD\"}]]")->results[0].inexact());
  // The test server sends stored bytes as they are, though they make no JSON.
  const auto raw = decode_one("[[{\"type\":\"text\",\"value\":\"\xFF\x41\"}]]");
  ASSERT_TRUE(raw) << raw.error().message;
  EXPECT_TRUE(raw->results[0].inexact());
}

TEST(Reply, with_the_error_of_a_statement_gives_that_error) {
  const std::string body =
      R"({"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[{"cols":[],)"
      R"("rows":[]},{"cols":[{"name":"m"}],"rows":[[{"type":"text","value":"77"}]]},)"
      R"(null,null,null],)"
      R"("step_errors":[null,null,{"message":"no such column: x","code":)"
      R"("SQLITE_ERROR"},null,{"message":"cannot rollback"}]}}}]})";
  const auto reply = decode_pipeline(body, 1, 77);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::invalid);
  EXPECT_EQ(reply.error().source_text, "SQLITE_ERROR: no such column: x");
}

TEST(Reply, that_is_too_large_for_the_server_is_told_apart) {
  const auto reply = decode_pipeline(
      R"({"results":[{"type":"error","error":{"message":"x","code":"RESPONSE_TOO_LARGE"}}]})", 1,
      77);
  ASSERT_FALSE(reply);
  EXPECT_TRUE(is_too_large(reply.error()));
}

TEST(Reply, of_any_other_form_is_unavailable_and_never_rows) {
  const std::string whole =
      reply_with(R"([{"name":"a"}])", R"([[{"type":"integer","value":"5"}]])");
  ASSERT_TRUE(decode_pipeline(whole, 1, 77));
  const std::vector<std::string> others = {"",
                                           "null",
                                           "[]",
                                           "{}",
                                           "<html>",
                                           R"({"results":[]})",
                                           R"({"results":[{"type":"ok"}]})",
                                           R"({"results":7})"};
  for (const auto& body : others) {
    const auto reply = decode_pipeline(body, 1, 77);
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable) << body;
    EXPECT_FALSE(reply.error().hint.empty()) << body;
  }
  for (const auto* const rows :
       {R"([[{"type":"integer","value":"5x"}]])", R"([[{"type":"integer"}]])", "[[5]]", "[[]]",
        R"([[{"type":"null"},{"type":"null"}]])", R"([[{"type":"blob","base64":"*"}]])",
        R"([[{"type":"date","value":"5"}]])", R"([[{"type":"float","value":"x"}]])", "[7]", "7"}) {
    EXPECT_FALSE(decode_one(rows)) << rows;
  }
  EXPECT_FALSE(decode_pipeline(whole, 2, 77)) << "two statements, one result";
  EXPECT_FALSE(decode_pipeline(whole, 0, 77)) << "no statement, one result";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(decode_pipeline(whole.substr(0, n), 1, 77)) << n;
  }
}

// Seen with a peer that sent one reply twice: the second was taken for the next request's.
TEST(Reply, to_another_request_is_told_by_its_nonce) {
  const std::string whole = reply_with(R"([{"name":"a"}])", "[]");
  ASSERT_TRUE(decode_pipeline(whole, 1, 77));
  const auto other = decode_pipeline(whole, 1, 78);
  ASSERT_FALSE(other);
  EXPECT_TRUE(is_misplaced(other.error()));
  EXPECT_EQ(other.error().code, ErrorCode::unavailable);
}

TEST(Base64, of_random_bytes_comes_back_with_and_without_padding) {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    std::string text = encode_base64(bytes);
    std::string back;
    ASSERT_TRUE(decode_base64(text, back)) << size;
    EXPECT_EQ(back, bytes);
    while (text.ends_with('=')) text.pop_back();
    back.clear();
    ASSERT_TRUE(decode_base64(text, back)) << size;
    EXPECT_EQ(back, bytes);
  }
  for (const auto* const bad : {"A", "A===", "AB=C", "AAAA=", "AA A", "AB", "_w", "====", "="}) {
    std::string back;
    EXPECT_FALSE(decode_base64(bad, back)) << bad;
  }
}

Answer answer(int status, std::string_view body = {}) { return {status, body, {}}; }

TEST(Server, is_tried_with_version_3_then_2_then_without_close) {
  Server server({});
  EXPECT_EQ(server.variant(), (Variant{3, true}));
  EXPECT_FALSE(server.known());
  EXPECT_EQ(server.take(server.variant(), answer(404)), Server::Next::send_again);
  EXPECT_EQ(server.variant(), (Variant{2, true}));
  EXPECT_EQ(server.take(server.variant(), answer(500)), Server::Next::send_again);
  EXPECT_EQ(server.variant(), (Variant{2, false}));
  EXPECT_EQ(server.take(server.variant(), answer(200)), Server::Next::decode);
  EXPECT_TRUE(server.known());
  EXPECT_EQ(Server(server.traits()).variant(), (Variant{2, false}));
  EXPECT_TRUE(Server(server.traits()).known());
}

TEST(Server, that_fails_without_close_too_is_unavailable_and_nothing_is_learned) {
  Server server({});
  EXPECT_EQ(server.take(server.variant(), answer(500)), Server::Next::send_again);
  const auto second = server.take(server.variant(), answer(500, "out of order"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(server.variant().close);
  EXPECT_EQ(server.traits().text, "");
}

TEST(Server, that_once_took_close_is_not_tried_without_it) {
  Server server({});
  ASSERT_TRUE(server.take(server.variant(), answer(200)));
  const auto failed = server.take(server.variant(), answer(500));
  ASSERT_FALSE(failed);
  EXPECT_TRUE(server.variant().close);
}

TEST(Server, that_was_upgraded_is_learned_anew_and_then_given_up) {
  Server server({"hrana=2 close=0"});
  EXPECT_EQ(server.take(server.variant(), answer(404)), Server::Next::send_again);
  EXPECT_EQ(server.variant(), (Variant{3, true}));
  EXPECT_EQ(server.take(server.variant(), answer(404)), Server::Next::send_again);
  const auto gone = server.take(server.variant(), answer(404));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::invalid);
}

TEST(Server, refusals_have_the_code_that_says_what_to_do) {
  const std::vector<std::pair<int, ErrorCode>> cases = {
      {401, ErrorCode::rejected},    {403, ErrorCode::rejected},    {408, ErrorCode::unavailable},
      {429, ErrorCode::unavailable}, {502, ErrorCode::unavailable}, {503, ErrorCode::unavailable},
      {302, ErrorCode::invalid},     {400, ErrorCode::invalid},     {413, ErrorCode::invalid}};
  for (const auto& [status, code] : cases) {
    Server server({"hrana=3 close=1"});
    const auto taken = server.take(server.variant(), answer(status, R"({"error":"why"})"));
    ASSERT_FALSE(taken) << status;
    EXPECT_EQ(taken.error().code, code) << status;
    EXPECT_NE(taken.error().source_text.find("why"), std::string::npos) << status;
  }
  Server server({});
  const auto expired =
      server.take(server.variant(), answer(400, R"({"message":"gone","code":"STREAM_EXPIRED"})"));
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, ErrorCode::unavailable);
  const auto blocked = server.take(
      server.variant(), answer(403, R"({"error":{"message":"quota","code":"BLOCKED"}})"));
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, ErrorCode::unavailable);
  const auto large = server.take(server.variant(), answer(413));
  EXPECT_TRUE(is_too_large(large.error()));
}

TEST(ServersWords, are_one_bounded_line) {
  EXPECT_EQ(error_text(R"({"error":"a\nb"})"), "a b");
  EXPECT_EQ(error_text(R"({"error":{"message":"m","code":"C"}})"), "C: m");
  EXPECT_EQ(error_text("plain text"), "plain text");
  EXPECT_LT(error_text(std::string(100'000, 'x')).size(), 400U);
}

}  // namespace
}  // namespace tidemark::turso::hrana
