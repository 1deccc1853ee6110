// The lines of the control socket, as JSON (docs/daemon.md). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/perform.h"
#include "daemon/schedule.h"
#include "daemon/scrub_pace.h"

namespace tidemark::daemon {

enum class Command : std::uint8_t { perform, status, nudge, reload, stop };

struct Request {
  Command command = Command::status;
  Ask ask{};  // perform
};

// What a daemon says of itself; the cache says how fresh it is.
struct Status {
  std::int64_t pid = 0;
  std::string source;
  std::string cache;
  std::chrono::milliseconds uptime{0};
  std::uint64_t passes = 0;                            // ended since the start
  std::uint32_t failures = 0;                          // in a row, until now
  std::string last_error;                              // empty: the last pass was done
  std::string running;                                 // "sync", ...; empty: none runs
  std::string trigger;                                 // why it runs, or why the next one will
  std::optional<Progress> progress;                    // of what runs
  std::optional<std::chrono::milliseconds> next_pass;  // from now; while none runs
  std::optional<ScrubState> scrub;                     // nullopt: it is off
};

struct Acknowledged {};
using Reply = std::variant<Progress, Done, Status, Acknowledged, Error>;
// Progress is followed by more.
[[nodiscard]] inline bool is_last(const Reply& reply) {
  return !std::holds_alternative<Progress>(reply);
}

// One line, its newline included.
[[nodiscard]] std::string encode(const Request& request);
[[nodiscard]] std::string encode(const Reply& reply);
// Errors: invalid, naming what is wrong with the line. Strict: a name it does not know is an error.
[[nodiscard]] Result<Request> decode_request(std::string_view line);
// Errors: internal, when it is no reply. Names it does not know are passed over.
[[nodiscard]] Result<Reply> decode_reply(std::string_view line);

// The inverse of SyncReport::to_json(), apart from the freshness.
[[nodiscard]] SyncReport report_from_json(std::string_view json_text);

}  // namespace tidemark::daemon
