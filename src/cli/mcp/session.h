// One conversation with an MCP client: what each of its lines asks for, and what is said to it.
// Pure: lines in, lines and calls out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/mcp/message.h"
#include "cli/mcp/tool.h"

namespace tidemark::cli::mcp {

// A tool is to be run, and finish() told how that ended.
struct Call {
  std::uint64_t number = 0;  // its own, in this session
  const Tool* tool = nullptr;
  std::string arguments{};  // JSON, an object
};

// What is to be done, in this order.
struct Step {
  std::vector<std::string> lines{};        // for the client, without newlines
  std::vector<std::uint64_t> cancelled{};  // calls that need not end
  std::vector<Call> calls{};
};

// One thread. Protocol versions 2024-11-05, 2025-03-26, 2025-06-18 and 2025-11-25: those with
// initialize. A client of 2026-07-28 falls back to it.
class Session {
 public:
  // `tools` outlives it. `version`: of this program.
  Session(const std::vector<Tool>& tools, std::string version)
      : tools_(tools), program_version_(std::move(version)) {}

  // A line without its newline.
  [[nodiscard]] Step take(std::string_view line);
  // A line of more than kMessageBytesMax bytes, which nobody kept.
  [[nodiscard]] static Step refuse_long_line();
  // How far the call is; nothing where the client did not ask for it, or cancelled.
  [[nodiscard]] Step progress(std::uint64_t call, const std::string& text);
  // The call ended; nothing where the client cancelled it.
  [[nodiscard]] Step finish(std::uint64_t call, const ToolAnswer& answer);

 private:
  struct Pending {
    std::string id;              // JSON
    std::string progress_token;  // JSON; empty: none is wanted
    std::uint64_t told = 0;      // notifications
    std::optional<std::uint64_t> batch{};
  };
  struct Batch {
    std::size_t open = 0;  // answers that are to come
    std::vector<std::string> responses{};
  };
  using BatchNumber = std::optional<std::uint64_t>;

  void take_message(const Message& message, BatchNumber batch, Step& step);
  void take_batch(const std::vector<Message>& messages, Step& step);
  void take_notification(const Message& message, Step& step);
  // The response, or nothing: a call was started.
  [[nodiscard]] std::optional<std::string> respond(const Message& message, BatchNumber batch,
                                                   Step& step);
  [[nodiscard]] std::string initialize(const Message& message);
  [[nodiscard]] std::optional<std::string> call(const Message& message, BatchNumber batch,
                                                Step& step);
  [[nodiscard]] std::string tool_list() const;
  // `response`: none, where the client cancelled.
  void deliver(BatchNumber batch, std::optional<std::string> response, Step& step);
  [[nodiscard]] bool structured() const;

  const std::vector<Tool>& tools_;
  const std::string program_version_;
  std::string protocol_;  // the version agreed on; empty: not initialized yet
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::uint64_t, Batch> batches_;
};

}  // namespace tidemark::cli::mcp
