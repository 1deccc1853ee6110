// The daemon's log: lines on stderr, which the service manager or a terminal keeps.
#pragma once

#include <cstdint>
#include <string>

namespace tidemark::daemon {

enum class Level : std::uint8_t { debug, info, warning, error };

// Lines below `least` are dropped from now on. With $JOURNAL_STREAM lines have no time of their
// own.
void start_log(Level least);
// Thread-safe. Control characters in `text` are shown as escapes, since a source may have put them
// there.
void log_line(Level level, const std::string& text);

}  // namespace tidemark::daemon
