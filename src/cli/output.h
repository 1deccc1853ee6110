// What goes to stdout (data) and stderr (people), and how errors become exit codes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "tidemark/error.h"
#include "tidemark/freshness.h"
#include "tidemark/reader.h"

namespace tidemark::cli {

[[nodiscard]] int exit_code_of(ErrorCode code);

// {"v":1,"command":...,"exit":...,"error":...,"freshness":...,"result":...} on one line.
// `result_json` is JSON already; empty: null.
void print_envelope(std::string_view command, int exit, const Error* error,
                    const Freshness* freshness, const std::string& result_json);
// To stderr, and to stdout as an envelope with --json. Returns the exit code.
[[nodiscard]] int report_error(const Context& context, std::string_view command,
                               const Error& error);
[[nodiscard]] std::string freshness_json(const Freshness& freshness);
// A sentence: "fresh, checked 3.2 s ago".
[[nodiscard]] std::string freshness_text(const Freshness& freshness);
[[nodiscard]] std::string json_string(std::string_view text);
// True when the cache is older than `max_age` (or its age is not known).
[[nodiscard]] bool too_old(const Freshness& freshness,
                           const std::optional<std::chrono::milliseconds>& max_age);
[[nodiscard]] ReaderOptions reader_options(const Context& context);

}  // namespace tidemark::cli
