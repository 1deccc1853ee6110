// The body of a request. Its frame is fixed and a page has a thousand arguments, so it is written
// straight into a string; what needs escaping goes through the JSON library.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "turso/hrana/base64.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::turso::hrana {
namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

void append_text(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  // Keys were checked to be UTF-8; a text that is not must not throw.
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_value(std::string& out, const Value& value) {
  struct Appender {
    std::string& out;
    void operator()(std::monostate) const { out += R"({"type":"null"})"; }
    void operator()(std::int64_t v) const {
      out += R"({"type":"integer","value":")" + std::to_string(v) + "\"}";
    }
    void operator()(double v) const {
      out += R"({"type":"float","value":)" + nlohmann::json(v).dump() + "}";
    }
    void operator()(const std::string& v) const {
      out += R"({"type":"text","value":)";
      append_text(out, v);
      out += '}';
    }
    void operator()(const Blob& v) const {
      out += R"({"type":"blob","base64":")" + encode_base64(v.bytes) + "\"}";
    }
  };
  std::visit(Appender{out}, value);
}

void append_statement(std::string& out, const Statement& statement) {
  out += R"("stmt":{"sql":)";
  append_text(out, statement.sql);
  out += R"(,"args":[)";
  for (std::size_t i = 0; i < statement.args.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, statement.args[i]);
  }
  out += R"(],"want_rows":true})";
}

// {"condition": the step before succeeded, "stmt": ...}
void append_step(std::string& out, std::size_t step, const Statement& statement) {
  out += R"(,{"condition":{"type":"ok","step":)" + std::to_string(step - 1) + "},";
  append_statement(out, statement);
  out += '}';
}

}  // namespace

std::string encode_pipeline(const Batch& batch, bool close, std::uint64_t nonce) {
  std::string out = R"({"baton":null,"requests":[{"type":"batch","batch":{"steps":[{)";
  std::size_t step = 0;
  append_statement(out, {"BEGIN", {}});
  out += '}';
  append_step(out, ++step, {"SELECT '" + std::to_string(nonce) + "'", {}});
  for (const Statement& statement : batch.statements) append_step(out, ++step, statement);
  append_step(out, ++step, {"COMMIT", {}});
  out +=
      R"(,{"condition":{"type":"not","cond":{"type":"ok","step":)" + std::to_string(step) + "}},";
  append_statement(out, {"ROLLBACK", {}});
  out += "}]}}";
  if (close) out += R"(,{"type":"close"})";
  return out + "]}";
}

}  // namespace tidemark::turso::hrana
