// Durations ("30s", "5m", "250ms"), sizes ("32MiB") and the closest of some words.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/figures.h"

namespace tidemark::cli {

// A number with ms, s, m, h or d; nullopt for anything else, for overflow and for a bare number
// other than 0.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// A duration, or "none" for 0.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_deadline(std::string_view text);
using base::format_duration;
// A number with B, KiB, MiB or GiB.
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text);
// The word that is at most two edits away; empty when none is.
[[nodiscard]] std::string closest(std::string_view word, std::span<const std::string_view> words);

}  // namespace tidemark::cli
