#include "cli/mcp/message.h"

#include <nlohmann/json.hpp>

#include "cli/mcp/tuning.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using Json = nlohmann::ordered_json;
using daemon::json_string;

// What an id or a progress token is.
bool is_token(const Json& json) { return json.is_string() || json.is_number_integer(); }

const Json* find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_in(const Json& object, const char* name) {
  const Json* const found = find(object, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

std::string token_in(const Json& object, const char* name) {
  const Json* const found = find(object, name);
  return found != nullptr && is_token(*found) ? found->dump() : "";
}

Message faulty(Message message, FaultCode code, std::string text) {
  message.fault = Fault{code, std::move(text)};
  return message;
}

Message with_params(Message message, const Json& params) {
  if (!params.is_object()) {
    return faulty(std::move(message), FaultCode::invalid_params, "params is not an object");
  }
  message.protocol_version = text_in(params, "protocolVersion");
  message.name = text_in(params, "name");
  message.cancelled_id = token_in(params, "requestId");
  message.has_cursor = find(params, "cursor") != nullptr;
  if (const Json* const meta = find(params, "_meta")) {
    message.progress_token = token_in(*meta, "progressToken");
  }
  if (const Json* const arguments = find(params, "arguments")) {
    if (!arguments->is_object()) {
      return faulty(std::move(message), FaultCode::invalid_params, "arguments is not an object");
    }
    message.arguments = arguments->dump();
  }
  return message;
}

Message message_of(const Json& json) {
  Message message;
  const Json* const id = find(json, "id");
  if (id != nullptr && is_token(*id)) message.id = id->dump();
  if (text_in(json, "jsonrpc") != "2.0") {
    return faulty(std::move(message), FaultCode::invalid_request, "not a message of JSON-RPC 2.0");
  }
  const Json* const method = find(json, "method");
  if (method == nullptr && (find(json, "result") != nullptr || find(json, "error") != nullptr)) {
    message.kind = MessageKind::response;
    return message;
  }
  if (method == nullptr || !method->is_string()) {
    return faulty(std::move(message), FaultCode::invalid_request, "no method");
  }
  message.method = method->get<std::string>();
  if (id == nullptr) message.kind = MessageKind::notification;
  if (id != nullptr && !is_token(*id)) {
    return faulty(std::move(message), FaultCode::invalid_request,
                  "an id is a text or a whole number");
  }
  const Json* const params = find(json, "params");
  return params == nullptr ? message : with_params(std::move(message), *params);
}

// Discarded: no JSON. What is deeper than kDepthMax is left out, and `too_deep` says so.
Json parse(std::string_view bytes, bool& too_deep) {
  const auto keep = [&too_deep](int depth, Json::parse_event_t event, Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kDepthMax) too_deep = true;
    return !too_deep;
  };
  return Json::parse(bytes, keep, false);
}

Line nothing_of(FaultCode code, std::string text) {
  Line line;
  line.fault = Fault{code, std::move(text)};
  return line;
}

}  // namespace

Line decode_line(std::string_view bytes) {
  bool too_deep = false;
  const Json json = parse(bytes, too_deep);
  if (too_deep) return nothing_of(FaultCode::invalid_request, "the message is nested too deeply");
  if (json.is_discarded()) return nothing_of(FaultCode::parse_error, "the line is not JSON");
  Line line;
  line.batch = json.is_array();
  if (!line.batch) {
    line.messages.push_back(message_of(json));
    return line;
  }
  if (json.empty() || json.size() > kBatchMax) {
    return nothing_of(FaultCode::invalid_request,
                      "a batch has 1 to " + std::to_string(kBatchMax) + " messages");
  }
  for (const Json& item : json) line.messages.push_back(message_of(item));
  return line;
}

std::string result_line(const std::string& id, const std::string& result) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + result + "}";
}

std::string fault_line(const std::string& id, const Fault& fault) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":{"code":)" +
         std::to_string(static_cast<int>(fault.code)) + R"(,"message":)" + json_string(fault.text) +
         "}}";
}

std::string progress_line(const std::string& token, std::uint64_t progress,
                          const std::string& text) {
  return R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" +
         token + R"(,"progress":)" + std::to_string(progress) + R"(,"message":)" +
         json_string(text) + "}}";
}

std::string batch_line(const std::vector<std::string>& responses) {
  std::string line = "[";
  for (const auto& response : responses) line += (line.size() > 1 ? "," : "") + response;
  return line + "]";
}

}  // namespace tidemark::cli::mcp
