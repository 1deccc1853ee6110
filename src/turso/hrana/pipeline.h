// The body of a Hrana pipeline request and of its reply (Hrana 2 and 3 over HTTP, JSON form, as the
// specification in the libsql repository's docs/ has it). Sans-I/O: text in, text out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "turso/connection.h"

namespace tidemark::turso::hrana {

// One `batch` request in one pipeline: BEGIN, SELECT of `nonce`, the statements, COMMIT, each on
// condition that the step before it succeeded, and a ROLLBACK in case COMMIT did not succeed (some
// servers share one connection between requests). `close` ends the stream, which not every server
// takes.
[[nodiscard]] std::string encode_pipeline(const Batch& batch, bool close, std::uint64_t nonce);

// Spare capacity that a body should have: the parser reads past its end.
inline constexpr std::size_t kReplyPadding = 64;

// The reply to encode_pipeline() of a batch of `statements` statements. `body` is parsed in place;
// what it holds afterwards has no meaning, and its memory may be used again.
// Errors: the batch's own (invalid; unavailable where it may pass: quota, a busy database, an
// expired stream), and `unavailable` for anything that is no such reply. One that carries another
// nonce answers another request: is_misplaced().
[[nodiscard]] Result<BatchReply> decode_pipeline_in(std::string& body, std::size_t statements,
                                                    std::uint64_t nonce);
[[nodiscard]] inline Result<BatchReply> decode_pipeline(std::string body, std::size_t statements,
                                                        std::uint64_t nonce) {
  return decode_pipeline_in(body, statements, nonce);
}
[[nodiscard]] bool is_misplaced(const Error& error);

// What a server says when it refuses before the pipeline: the text of {"error": ...} or
// {"message": ..., "code": ...}, else the body itself, cut to a line.
[[nodiscard]] std::string error_text(std::string_view body);

// An error object of the server as an Error.
[[nodiscard]] Error statement_error(std::string_view code, std::string_view message);

}  // namespace tidemark::turso::hrana
