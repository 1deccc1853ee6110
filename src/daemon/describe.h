// What a pass's end means for the schedule and the log. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/log.h"
#include "daemon/perform.h"
#include "daemon/schedule.h"

namespace tidemark::daemon {

struct Outcome {
  PassEnd end = PassEnd::done;
  Level level = Level::info;  // debug: nothing changed
  std::string text;
};
// `own`: it was what the daemon's own passes ask for; else an error may be the asker's.
[[nodiscard]] Outcome judge(const Result<Done>& result, bool own);

// "done", "error", or "differs": its validation, or the comparison, found a difference.
[[nodiscard]] std::string_view outcome_word(const Result<Done>& result);

// A source as it may be shown: no secret is in it.
[[nodiscard]] std::string shown_source(const std::string& source);
// The error for a request that names another source than the daemon's; empty: it names none.
[[nodiscard]] std::optional<Error> other_source(const std::string& asked, const std::string& own);

}  // namespace tidemark::daemon
