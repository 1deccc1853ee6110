#include <algorithm>
#include <array>
#include <cctype>

#include "turso/connection.h"

namespace tidemark::turso {

bool is_too_large(const Error& error) {
  return error.source_text.find("RESPONSE_TOO_LARGE") != std::string::npos ||
         error.source_text.find("SQLITE_TOOBIG") != std::string::npos;
}

bool is_timeout(const Error& error) {
  return error.code == ErrorCode::unavailable && error.source_text.starts_with("TIMEOUT");
}

bool is_read_only(const Error& error) {
  std::string text = error.source_text;
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array<std::string_view, 5> kWords = {"readonly", "read-only", "read only",
                                                      "not authorized", "authorization"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

std::unexpected<Error> unexpected_reply(std::string_view what) {
  return fail(
      ErrorCode::unavailable, "the source answered something else than " + std::string(what),
      "check that the source URL is that of the database, and that no proxy answers for it");
}

Result<BatchReply> run(Connection& connection, Batch batch,
                       std::chrono::steady_clock::time_point deadline,
                       const std::stop_token& stop) {
  const Ticket ticket = connection.start(std::move(batch));
  while (true) {
    if (stop.stop_requested()) {
      connection.cancel_all();
      return fail(ErrorCode::cancelled, "cancelled");
    }
    auto completion = connection.poll(deadline);
    if (completion && completion->ticket == ticket) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "cancelled");
      return completion->reply();
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      connection.cancel_all();
      // The transport keeps the same time: either may be the first to notice.
      return fail(ErrorCode::unavailable, connection.name() + ": the request timed out",
                  "raise --request-deadline, or check the network",
                  "TIMEOUT the request timed out");
    }
  }
}

}  // namespace tidemark::turso
