// One question to a source by exact key, outside any pass.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cache/meta.h"
#include "tidemark/row.h"
#include "turso/connection.h"

namespace tidemark::sync {

// The SQL key of a key as the cache has it.
[[nodiscard]] Value key_value(const model::Collection& collection, const std::string& text);

// When a question must have been answered, and what ends it before.
struct AskLimits {
  std::chrono::steady_clock::time_point deadline;
  std::stop_token stop;
};

// One thread. Keeps what it learned of the source's tables.
class SourceReader {
 public:
  // `known`: the cache's catalog; where the source still has that schema, a question is one
  // request.
  SourceReader(std::unique_ptr<turso::Connection> connection, model::Catalog known);

  // The rows of `key` in every table that `collection` names; empty: the source has none. nullopt:
  // it has no such table.
  // Errors: the connection's; unavailable at the deadline; cancelled; unsupported: a row that
  // cannot be cached.
  [[nodiscard]] Result<std::optional<std::vector<Row>>> get(std::string_view collection,
                                                            std::string_view key,
                                                            const AskLimits& limits);
  void wake() { connection_->wake(); }

 private:
  struct Question;
  [[nodiscard]] Result<turso::BatchReply> ask(turso::Batch batch, const AskLimits& limits);
  [[nodiscard]] Result<void> discover(const AskLimits& limits);
  [[nodiscard]] Question ask_about(std::string_view collection, std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::vector<model::RowSet>>> ask_rows(const Question& question,
                                                                           const AskLimits& limits);
  // nullopt: the tables are not those of the catalog.
  [[nodiscard]] Result<std::optional<std::vector<Row>>> get_known(Question& question,
                                                                  const AskLimits& limits);

  std::unique_ptr<turso::Connection> connection_;
  std::shared_ptr<const model::Catalog> catalog_;
};

}  // namespace tidemark::sync
