// What an MCP client writes, cut into lines and answered: each answer is one line of JSON, and a
// call is answered once at the most.
#include <nlohmann/json.hpp>

#include "cli/mcp/line_buffer.h"
#include "cli/mcp/session.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidemark;
using namespace tidemark::cli::mcp;
using fuzz::must;

constexpr std::size_t kLineBytesMax = 2'048;

void check_lines(const Step& step) {
  for (const std::string& line : step.lines) {
    must(line.find('\n') == std::string::npos, "an answer is one line");
    must(nlohmann::json::accept(line), "an answer is JSON");
  }
}

void act_on(Session& session, const Step& step) {
  check_lines(step);
  for (const Call& call : step.calls) {
    must(nlohmann::json::accept(call.arguments), "arguments are JSON");
    check_lines(session.progress(call.number, "half"));
    check_lines(session.finish(call.number, {R"({"rows":[]})", false}));
    must(session.finish(call.number, {"{}", true}).lines.empty(), "a call is answered once");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Tool> tools = {
      {"get", "Get", "Gives", R"({"type":"object"})", R"({"type":"object"})", true, {}},
      {"sync", "Sync", "Syncs", R"({"type":"object"})", R"({"type":"object"})", false, {}}};
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.number<std::uint8_t>();  // bytes that arrive at once
  Session session(tools, "1");
  LineBuffer lines(kLineBytesMax);
  while (!input.empty()) {
    lines.add(input.text(piece));
    while (const auto taken = lines.next()) {
      act_on(session, taken->too_long ? Session::refuse_long_line() : session.take(taken->line));
    }
  }
  return 0;
}
