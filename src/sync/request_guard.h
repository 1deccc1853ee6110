// What every data request of a pass reads besides its rows, in its own transaction, and what must
// hold for its reply to count.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "model/row_set.h"
#include "source/guard.h"
#include "tidemark/error.h"
#include "turso/connection.h"

namespace tidemark::sync {

class RequestGuard {
 public:
  RequestGuard() = default;
  RequestGuard(const RequestGuard&) = delete;
  RequestGuard& operator=(const RequestGuard&) = delete;
  virtual ~RequestGuard() = default;
  [[nodiscard]] virtual std::vector<turso::Statement> statements() const = 0;
  // `results`: of statements(). Any thread. Errors: unavailable, the source is not what it was.
  [[nodiscard]] virtual Result<void> check(std::span<const model::RowSet> results) = 0;
};

// The error of a guarded request. Its statements are ours and name what the source had, so where it
// lacks a table or a column now, it changed during the pass: unavailable.
[[nodiscard]] Error explain_guarded(Error error);

// No capture: the schema alone.
class SchemaGuard final : public RequestGuard {
 public:
  explicit SchemaGuard(std::string fingerprint) : fingerprint_(std::move(fingerprint)) {}
  [[nodiscard]] std::vector<turso::Statement> statements() const override;
  [[nodiscard]] Result<void> check(std::span<const model::RowSet> results) override;

 private:
  const std::string fingerprint_;
};

// A source that is followed by its log: rows count only when they were read at or after `state`'s
// position, from the same history.
class CaptureGuard final : public RequestGuard {
 public:
  CaptureGuard(std::string schema, source::GuardState state);
  [[nodiscard]] std::vector<turso::Statement> statements() const override;
  [[nodiscard]] Result<void> check(std::span<const model::RowSet> results) override;
  // The state with `ahead` = the highest head that any reply was read at.
  [[nodiscard]] source::GuardState seen() const;

 private:
  const std::string schema_;
  const source::GuardState state_;  // position <= ahead
  mutable std::mutex mutex_;
  std::int64_t ahead_;  // guarded by mutex_, as is its nonce
  std::optional<std::int64_t> ahead_nonce_;
};

}  // namespace tidemark::sync
