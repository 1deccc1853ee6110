// The messages of the Model Context Protocol (modelcontextprotocol.io/specification), as JSON-RPC
// 2.0 puts them on a line: from bytes to what the server acts on, and back. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli::mcp {

// JSON-RPC's numbers.
enum class FaultCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  unknown_method = -32601,
  invalid_params = -32602,
};
struct Fault {
  FaultCode code = FaultCode::invalid_request;
  std::string text;
};

// response: to something that this server never asked.
enum class MessageKind : std::uint8_t { request, notification, response };

// Members that are not there, or of another type, are empty unless that is a fault.
struct Message {
  MessageKind kind = MessageKind::request;
  std::string id = "null";       // JSON: a text or a whole number; null where it is unknown
  std::optional<Fault> fault{};  // what is wrong with it
  std::string method{};
  std::string protocol_version{};
  std::string name{};            // of a tool
  std::string arguments{};       // of a tool: JSON, an object
  std::string progress_token{};  // JSON: a text or a whole number
  std::string cancelled_id{};    // the same
  bool has_cursor = false;       // wants a further page
};

struct Line {
  bool batch = false;
  std::vector<Message> messages{};  // empty: `fault`
  std::optional<Fault> fault{};     // nothing of the line can be read
};
// Of any bytes without their newline, kMessageBytesMax at the most.
[[nodiscard]] Line decode_line(std::string_view bytes);

// All without a newline; `id`, `token`, `result` and `responses` are JSON.
[[nodiscard]] std::string result_line(const std::string& id, const std::string& result);
[[nodiscard]] std::string fault_line(const std::string& id, const Fault& fault);
[[nodiscard]] std::string progress_line(const std::string& token, std::uint64_t progress,
                                        const std::string& text);
[[nodiscard]] std::string batch_line(const std::vector<std::string>& responses);

}  // namespace tidemark::cli::mcp
