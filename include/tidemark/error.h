// Errors are values: every fallible call returns Result<T>. Nothing in the public API throws.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "tidemark/export.h"

namespace tidemark {

// What a caller can act on. docs/errors.md says what the engine does and what the user should do.
enum class ErrorCode {
  unavailable,   // the source cannot be reached now; the cache, if any, stays usable
  rejected,      // the source refuses us: credentials, rights, TLS
  invalid,       // bad argument, configuration or data
  unsupported,   // a thing that tidemark does not do (network file system, view, ...)
  busy,          // another process holds the lock
  stale,         // older than the caller accepts
  corrupt,       // stored bytes do not match their hash or format
  needs_repair,  // the cache cannot be opened until its owner repairs it
  no_space,      // the disk is full
  cancelled,     // the caller asked to stop
  internal,      // a bug in tidemark or below it
};

// The stable name of a code, e.g. "needs_repair"; a static string.
[[nodiscard]] TIDEMARK_API std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;      // what happened, with the operation: "open cache x.redb: ..."
  std::string hint;         // what to do, may be empty
  std::string source_text;  // the source's own words, apart from ours; may be empty
};

template <typename T>
using Result = std::expected<T, Error>;

// Builds the error value that a function returns.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string hint = {},
                                                 std::string source_text = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint), std::move(source_text)});
}

// Passes an error on, naming the operation that met it: "fetch episodes: timed out".
[[nodiscard]] inline std::unexpected<Error> wrap(std::string_view operation, Error error) {
  error.message = std::string(operation) + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace tidemark

// Returns the error of a Result<...> expression from the enclosing function.
#define TIDEMARK_TRY(expression)                                   \
  do {                                                             \
    if (auto tidemark_result_ = (expression); !tidemark_result_) { \
      return std::unexpected(std::move(tidemark_result_).error()); \
    }                                                              \
  } while (false)

// Declares `name` from a Result<T> expression, or returns its error.
#define TIDEMARK_ASSIGN(name, expression)                                         \
  auto name##_result_ = (expression);                                             \
  if (!name##_result_) return std::unexpected(std::move(name##_result_).error()); \
  auto& name = *name##_result_
