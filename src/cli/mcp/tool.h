// What an agent can call, and what a call is answered with.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "tidemark/error.h"

namespace tidemark::cli::mcp {

struct ToolCall {
  std::string arguments;  // JSON, an object; what is in it was not looked at
  std::stop_token stop;   // the client does not want the answer any more
  std::function<void(const std::string&)> progress;  // how far it is, in words; may be called often
};

struct ToolAnswer {
  std::string content;  // JSON, an object as the tool's output_schema says
  bool is_error = false;
};

struct Tool {
  std::string name;
  std::string title;
  std::string description;    // for the model: when to call it, what the answer means
  std::string input_schema;   // JSON Schema, of an object
  std::string output_schema;  // the same
  // false: what it does may change the cache. Then it runs on a thread of its own, one such call
  // after the other, while the rest goes on; else it must be quick.
  bool reads_only = true;
  std::function<ToolAnswer(const ToolCall&)> run;
};

// The tool's answer, whatever it throws.
[[nodiscard]] ToolAnswer run_tool(const Tool& tool, const ToolCall& call);
// {"freshness":null,"error":{...}}: what went wrong before any cache was looked at.
[[nodiscard]] ToolAnswer error_alone(const Error& error);

}  // namespace tidemark::cli::mcp
