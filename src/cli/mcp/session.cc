#include "cli/mcp/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/mcp/tuning.h"
#include "daemon/json_forms.h"

namespace tidemark::cli::mcp {
namespace {

using daemon::json_string;

// Newest last; dates compare as texts.
constexpr std::array<std::string_view, 4> kVersions = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                       "2025-11-25"};
constexpr std::string_view kWithBatches = "2025-03-26";
constexpr std::string_view kWithStructuredContent = "2025-06-18";

constexpr std::string_view kInstructions =
    "tidemark keeps a local cache of an agent's memories (episodes, patterns, heuristics, "
    "embeddings) in step with a Turso database. Reading asks no network. Each key is answered "
    "with its presence: hit (here is the row), absent (the database has none: do not ask it) or "
    "unknown (not cached: only the database can say; it is not a no). Each answer has `freshness`: "
    "as of when it is. When that is too old, call sync and read again.";

Fault invalid(std::string text) { return {FaultCode::invalid_request, std::move(text)}; }

}  // namespace

bool Session::structured() const { return protocol_ >= kWithStructuredContent; }

Step Session::take(std::string_view line) {
  Step step;
  const Line decoded = decode_line(line);
  if (decoded.fault) {
    step.lines.push_back(fault_line("null", *decoded.fault));
  } else if (!decoded.batch) {
    take_message(decoded.messages.front(), std::nullopt, step);
  } else if (protocol_ != kWithBatches) {
    step.lines.push_back(fault_line("null", invalid("only protocol version 2025-03-26 has "
                                                    "batches")));
  } else {
    take_batch(decoded.messages, step);
  }
  return step;
}

Step Session::refuse_long_line() {
  const std::string text = "a message has at most " + std::to_string(kMessageBytesMax) + " bytes";
  return {.lines = {fault_line("null", invalid(text))}};
}

void Session::take_batch(const std::vector<Message>& messages, Step& step) {
  const std::uint64_t number = ++last_number_;
  // One more, so that it is not sent before all of it was looked at.
  batches_[number].open =
      1 + static_cast<std::size_t>(std::ranges::count_if(messages, [](const Message& message) {
        return message.kind == MessageKind::request;
      }));
  for (const Message& message : messages) take_message(message, number, step);
  deliver(number, std::nullopt, step);
}

void Session::take_message(const Message& message, BatchNumber batch, Step& step) {
  switch (message.kind) {
    case MessageKind::response:
      return;
    case MessageKind::notification:
      return take_notification(message, step);
    case MessageKind::request:
      if (auto response = respond(message, batch, step)) {
        deliver(batch, std::move(response), step);
      }
  }
}

// No notification is answered, not even one that is wrong or unknown.
void Session::take_notification(const Message& message, Step& step) {
  if (message.method != "notifications/cancelled" || message.cancelled_id.empty()) return;
  const auto found = std::ranges::find_if(
      pending_, [&message](const auto& entry) { return entry.second.id == message.cancelled_id; });
  if (found == pending_.end()) return;
  step.cancelled.push_back(found->first);
  // In the same batch: it has not begun.
  std::erase_if(step.calls, [&found](const Call& call) { return call.number == found->first; });
  const BatchNumber batch = found->second.batch;
  pending_.erase(found);
  if (batch) deliver(batch, std::nullopt, step);
}

std::optional<std::string> Session::respond(const Message& message, BatchNumber batch, Step& step) {
  const auto refuse = [&message](const Fault& fault) { return fault_line(message.id, fault); };
  if (message.fault) return refuse(*message.fault);
  if (message.method == "ping") return result_line(message.id, "{}");
  if (message.method == "initialize") {
    if (!protocol_.empty()) return refuse(invalid("the session was initialized before"));
    return initialize(message);
  }
  // Also before initialize: a client of a newer protocol asks for what only that one has, and takes
  // this answer for a server of before.
  if (message.method != "tools/call" && message.method != "tools/list") {
    return refuse({FaultCode::unknown_method, "there is no method " + message.method});
  }
  if (protocol_.empty()) return refuse(invalid("send initialize first"));
  if (message.method == "tools/call") return call(message, batch, step);
  if (message.has_cursor) return refuse({FaultCode::invalid_params, "there is no further page"});
  return result_line(message.id, tool_list());
}

std::string Session::initialize(const Message& message) {
  const bool known = std::ranges::find(kVersions, message.protocol_version) != kVersions.end();
  protocol_ = known ? message.protocol_version : std::string(kVersions.back());
  return result_line(message.id, R"({"protocolVersion":)" + json_string(protocol_) +
                                     R"(,"capabilities":{"tools":{"listChanged":false}})" +
                                     R"(,"serverInfo":{"name":"tidemark","version":)" +
                                     json_string(program_version_) + R"(},"instructions":)" +
                                     json_string(kInstructions) + "}");
}

std::string Session::tool_list() const {
  std::string list;
  for (const Tool& tool : tools_) {
    list += (list.empty() ? "" : ",") + std::string(R"({"name":)") + json_string(tool.name) +
            R"(,"title":)" + json_string(tool.title) + R"(,"description":)" +
            json_string(tool.description) + R"(,"inputSchema":)" + tool.input_schema;
    if (structured()) list += R"(,"outputSchema":)" + tool.output_schema;
    list += std::string(R"(,"annotations":{"readOnlyHint":)") +
            (tool.reads_only ? R"(true,"openWorldHint":false}})"
                             : R"(false,"destructiveHint":false,"idempotentHint":true}})");
  }
  return R"({"tools":[)" + list + "]}";
}

std::optional<std::string> Session::call(const Message& message, BatchNumber batch, Step& step) {
  const auto tool = std::ranges::find(tools_, message.name, &Tool::name);
  if (tool == tools_.end()) {
    return fault_line(message.id, {FaultCode::invalid_params, "there is no tool " + message.name});
  }
  const bool again = std::ranges::any_of(
      pending_, [&message](const auto& entry) { return entry.second.id == message.id; });
  if (again) return fault_line(message.id, invalid("a request with this id is under way"));
  const std::uint64_t number = ++last_number_;
  pending_[number] = {message.id, message.progress_token, 0, batch};
  step.calls.push_back({number, &*tool, message.arguments.empty() ? "{}" : message.arguments});
  return std::nullopt;
}

Step Session::progress(std::uint64_t call, const std::string& text) {
  const auto found = pending_.find(call);
  if (found == pending_.end() || found->second.progress_token.empty()) return {};
  // The protocol wants a number that grows; how many rows there will be is not known before.
  return {.lines = {progress_line(found->second.progress_token, ++found->second.told, text)}};
}

Step Session::finish(std::uint64_t call, const ToolAnswer& answer) {
  Step step;
  const auto found = pending_.find(call);
  if (found == pending_.end()) return step;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  // The text is for clients that know no structured content.
  std::string result = R"({"content":[{"type":"text","text":)" + json_string(answer.content) + "}]";
  if (structured()) result += R"(,"structuredContent":)" + answer.content;
  result += std::string(R"(,"isError":)") + (answer.is_error ? "true}" : "false}");
  deliver(pending.batch, result_line(pending.id, result), step);
  return step;
}

void Session::deliver(BatchNumber batch, std::optional<std::string> response, Step& step) {
  if (!batch) {
    if (response) step.lines.push_back(std::move(*response));
    return;
  }
  Batch& all = batches_[*batch];
  if (response) all.responses.push_back(std::move(*response));
  if (--all.open > 0) return;
  if (!all.responses.empty()) step.lines.push_back(batch_line(all.responses));
  batches_.erase(*batch);
}

}  // namespace tidemark::cli::mcp
