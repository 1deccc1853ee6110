// The JSON of caches, passes and items: the same words over HTTP and with --json. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/perform.h"
#include "daemon/wire.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {

// A text that is not UTF-8 has U+FFFD in its place.
[[nodiscard]] std::string json_string(std::string_view text);
// Milliseconds of Unix time, or null.
[[nodiscard]] std::string time_json(
    const std::optional<std::chrono::system_clock::time_point>& time);
// {"code":...,"message":...,"hint":...}
[[nodiscard]] std::string error_json(const Error& error);
[[nodiscard]] std::string freshness_json(const Freshness& freshness);
// {"found_at_ms":...,"tables":{"episodes":2}}, or null.
[[nodiscard]] std::string missed_json(const std::optional<MissedByCapture>& missed);
// The result of `tidemark status`, but for the daemon; freshness and problem are not in it.
[[nodiscard]] std::string cache_json(const CacheStatus& status);
// The result of the command that a pass is: `sync`, `rebuild`, `repair` or `validate
// --against-source`.
[[nodiscard]] std::string done_json(const Done& done);
// {"phase":...,"collection":...,"rows_done":...,"rows_total":...}
[[nodiscard]] std::string progress_json(const Progress& progress);
// One of the result of `tidemark get`. `row`: Row::to_json() or "null"; `more`: further members,
// each after a comma.
[[nodiscard]] std::string item_json(std::string_view collection, std::string_view key,
                                    Presence presence, const std::string& row,
                                    const std::string& more = {});
// The result of `tidemark nearest`: {"neighbours":[{"score","collection","key","parent","row"}],
// "coverage":{...}}. Rows are without their vectors. `more`: as of item_json().
[[nodiscard]] std::string nearest_json(const Nearest& nearest, const std::string& more = {});
// What /v1/status says: the daemon, and its cache as of `now`. One line, its newline included.
[[nodiscard]] std::string status_json(const Status& status, const CacheStatus& cache,
                                      const Freshness& now);

}  // namespace tidemark::daemon
