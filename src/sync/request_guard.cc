#include "sync/request_guard.h"

#include "source/source.h"

namespace tidemark::sync {
namespace {

constexpr const char* kOtherTables = "the tables of the source changed during the pass";

std::unexpected<Error> other_source(const std::string& what, const std::string& source_text = {}) {
  return fail(ErrorCode::unavailable, what, "run `tidemark sync` again", source_text);
}

}  // namespace

Error explain_guarded(Error error) {
  const bool lacks = error.source_text.find("no such table") != std::string::npos ||
                     error.source_text.find("no such column") != std::string::npos;
  if (error.code != ErrorCode::invalid || !lacks) return error;
  return other_source(kOtherTables, error.source_text).error();
}

std::vector<turso::Statement> SchemaGuard::statements() const {
  return {source::schema_statement()};
}

Result<void> SchemaGuard::check(std::span<const model::RowSet> results) {
  if (source::fingerprint(results[0]) == fingerprint_) return {};
  return other_source(kOtherTables);
}

CaptureGuard::CaptureGuard(std::string schema, source::GuardState state)
    : schema_(std::move(schema)),
      state_(std::move(state)),
      ahead_(state_.ahead),
      ahead_nonce_(state_.ahead_nonce) {}

std::vector<turso::Statement> CaptureGuard::statements() const {
  return source::guard_statements(source::guard_request(state_));
}

Result<void> CaptureGuard::check(std::span<const model::RowSet> results) {
  TIDEMARK_ASSIGN(guard, source::read_guard(results));
  if (guard.schema != schema_) {
    return other_source(kOtherTables);
  }
  if (const auto reason = source::doubt(state_, guard)) {
    return other_source("the source changed during the pass: " + *reason);
  }
  const std::lock_guard lock(mutex_);
  if (guard.head > ahead_) {
    ahead_ = guard.head;
    ahead_nonce_ = guard.head_nonce;
  }
  return {};
}

source::GuardState CaptureGuard::seen() const {
  source::GuardState state = state_;
  const std::lock_guard lock(mutex_);
  state.ahead = ahead_;
  state.ahead_nonce = ahead_nonce_;
  return state;
}

}  // namespace tidemark::sync
