// What goes to stdout (data) and stderr (people), and how errors become exit codes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/figures.h"
#include "cli/context.h"
#include "tidemark/capture.h"
#include "tidemark/error.h"
#include "tidemark/freshness.h"
#include "tidemark/reader.h"

namespace tidemark::cli {

[[nodiscard]] int exit_code_of(ErrorCode code);

// Data for stdout, buffered. False once a write has failed: more output is pointless.
bool write_out(std::string_view text);
// Writes out what is buffered. False as of write_out.
bool flush_out();
// Flushes stdout. `exit`, or kError with a message when the data could not be written; a reader
// that went away (head, less) is no error.
[[nodiscard]] int finish_output(int exit);

// {"v":1,"command":...,"exit":...,"error":...,"freshness":...,"result":...} on one line.
// `result_json` is JSON already; empty: null.
void print_envelope(std::string_view command, int exit, const Error* error,
                    const Freshness* freshness, const std::string& result_json);
// To stderr, and to stdout as an envelope with --json. Returns the exit code. `freshness`: of the
// cache that stays usable, where there is one.
[[nodiscard]] int report_error(const Context& context, std::string_view command, const Error& error,
                               const Freshness* freshness = nullptr);
// The same for commands that have a cache: looks at it for its freshness.
[[nodiscard]] int report_cache_error(const Context& context, std::string_view command,
                                     const Error& error);
// A sentence: what the last audits found, and the command that ends it.
[[nodiscard]] std::string missed_text(const MissedByCapture& missed);
// A sentence: "fresh, checked 3.2 s ago".
[[nodiscard]] std::string freshness_text(const Freshness& freshness);
// {"collection":...,"key":...,"row":...} and a newline.
[[nodiscard]] std::string row_line(const Row& row);
// Without what would end the line or move the cursor: a blank in its place.
[[nodiscard]] std::string one_line(std::string text);
// As `capture status --json` has it.
[[nodiscard]] std::string capture_json(const CaptureStatus& status);
using base::grouped;
// True when the cache is older than `max_age` (or its age is not known).
[[nodiscard]] bool too_old(const Freshness& freshness,
                           const std::optional<std::chrono::milliseconds>& max_age);
// What --max-age says of a cache that is too old.
[[nodiscard]] Error too_old_error(const Freshness& freshness);
// Rows of a stale cache are served, and for people on stderr it is said that they are.
void warn_if_stale(const Context& context, const Freshness& freshness);
[[nodiscard]] ReaderOptions reader_options(const Context& context);

}  // namespace tidemark::cli
