// The tools of `tidemark mcp`. A further one is a file or a function that makes a Tool, and a line
// in tools.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/mcp/tool.h"
#include "tidemark/freshness.h"
#include "tidemark/reader.h"

namespace tidemark::cli::mcp {

// The cache as the reading tools see it: opened by the first call that finds one, and again by the
// next one after a read failed. One thread.
class CacheReader {
 public:
  // `context` outlives it.
  explicit CacheReader(const Context& context) : context_(context) {}
  // As of now. Errors: as Reader::open and Reader::snapshot.
  [[nodiscard]] Result<Snapshot> snapshot();
  void close() { reader_.reset(); }
  [[nodiscard]] const Context& context() const { return context_; }

 private:
  const Context& context_;
  std::optional<Reader> reader_;
};

// A tool that answers from the cache. `read` gets the call's arguments, a JSON object.
using Read = Result<ToolAnswer> (*)(CacheReader& cache, const std::string& arguments);
[[nodiscard]] Tool reading_tool(const std::shared_ptr<CacheReader>& cache, Read read, Tool tool);
// get, list, status.
[[nodiscard]] std::vector<Tool> reading_tools(const std::shared_ptr<CacheReader>& cache);
[[nodiscard]] Tool nearest_tool(const std::shared_ptr<CacheReader>& cache);
[[nodiscard]] Tool sync_tool(const Context& context);
// All of them, or those that only read. `context` outlives them.
[[nodiscard]] std::vector<Tool> all_tools(const Context& context, bool read_only);

// {"freshness":...,"error":{...}}: of the cache, which the error may have left as it was.
[[nodiscard]] ToolAnswer error_answer(const Context& context, const Error& error);
// The cache's freshness as JSON; null where the cache cannot say.
[[nodiscard]] std::string known_freshness_json(const CacheStatus& cache);
// JSON Schema of an answer: "freshness", "error", and what `members` has, a JSON object of schemas.
[[nodiscard]] std::string answer_schema(const std::string& members);

}  // namespace tidemark::cli::mcp
