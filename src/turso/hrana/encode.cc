#include <cmath>
#include <nlohmann/json.hpp>

#include "turso/hrana/base64.h"
#include "turso/hrana/pipeline.h"

namespace tidemark::turso::hrana {
namespace {

using Json = nlohmann::ordered_json;

Json encode_value(const Value& value) {
  struct Encoder {
    Json operator()(std::monostate) const { return {{"type", "null"}}; }
    Json operator()(std::int64_t v) const {
      return {{"type", "integer"}, {"value", std::to_string(v)}};
    }
    Json operator()(double v) const { return {{"type", "float"}, {"value", v}}; }
    Json operator()(const std::string& v) const { return {{"type", "text"}, {"value", v}}; }
    Json operator()(const Blob& v) const {
      return {{"type", "blob"}, {"base64", encode_base64(v.bytes)}};
    }
  };
  return std::visit(Encoder{}, value);
}

Json encode_statement(const Statement& statement) {
  Json args = Json::array();
  for (const Value& value : statement.args) args.push_back(encode_value(value));
  return {{"sql", statement.sql}, {"args", std::move(args)}, {"want_rows", true}};
}

Json ok(std::size_t step) { return {{"type", "ok"}, {"step", step}}; }

Json command(const char* sql) { return {{"stmt", {{"sql", sql}, {"want_rows", false}}}}; }

}  // namespace

std::string encode_pipeline(const Batch& batch, bool close, std::uint64_t nonce) {
  Json steps = Json::array();
  steps.push_back(command("BEGIN"));
  const Statement mark{"SELECT '" + std::to_string(nonce) + "'", {}};
  steps.push_back({{"condition", ok(0)}, {"stmt", encode_statement(mark)}});
  for (const Statement& statement : batch.statements) {
    steps.push_back({{"condition", ok(steps.size() - 1)}, {"stmt", encode_statement(statement)}});
  }
  Json commit = command("COMMIT");
  commit["condition"] = ok(steps.size() - 1);
  steps.push_back(std::move(commit));
  Json rollback = command("ROLLBACK");
  rollback["condition"] = {{"type", "not"}, {"cond", ok(steps.size() - 1)}};
  steps.push_back(std::move(rollback));

  Json requests = Json::array();
  requests.push_back({{"type", "batch"}, {"batch", {{"steps", std::move(steps)}}}});
  if (close) requests.push_back({{"type", "close"}});
  const Json body = {{"baton", nullptr}, {"requests", std::move(requests)}};
  // Keys were checked to be UTF-8; a text that is not must not throw.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tidemark::turso::hrana
