// What the program was told: flag > environment > tidemark.toml > default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/tuning.h"
#include "tidemark/config.h"
#include "tidemark/error.h"

namespace tidemark::cli {

// Where a value came from; an upper layer wins.
enum class Layer : std::uint8_t { file, environment, flag };
struct Origin {
  Layer layer = Layer::file;
  std::string text;  // "flag --cache", "environment TIDEMARK_CACHE", "tidemark.toml:3"
};

// Every setting as it was named somewhere; nullopt: not named.
struct Settings {
  std::optional<std::string> source;
  std::optional<std::string> token_file;
  std::optional<std::string> cache;
  std::optional<unsigned> cache_mode;
  std::optional<std::size_t> page_cache;
  std::optional<std::uint64_t> max_episodes_cache;
  std::optional<std::uint64_t> batch_size;
  std::optional<bool> sync_patterns;
  std::optional<bool> sync_embeddings;
  std::optional<bool> validate_checksums;
  std::optional<std::uint64_t> max_concurrent_fetches;
  std::optional<std::chrono::milliseconds> request_deadline;
  std::optional<std::chrono::milliseconds> pass_deadline;
  std::optional<std::uint64_t> max_rows_read_per_pass;
  std::optional<std::chrono::milliseconds> interval;
  std::optional<std::chrono::milliseconds> max_staleness;
  std::optional<std::chrono::milliseconds> heartbeat;
  std::optional<std::chrono::milliseconds> audit_interval;
  std::optional<std::string> daemon_listen;
  std::optional<std::string> daemon_socket;
  std::optional<std::string> daemon_token_file;
  std::optional<std::chrono::milliseconds> stop_deadline;
  std::optional<std::chrono::milliseconds> scrub_interval;  // 0: no scrub
  std::map<std::string, Origin, std::less<>> origins;  // by name ("sync.batch_size"), of the named
};

inline constexpr std::chrono::milliseconds kInterval{30'000};
inline constexpr std::chrono::milliseconds kHeartbeat = SyncConfig{}.heartbeat;
inline constexpr std::chrono::milliseconds kMaxStaleness{300'000};
inline constexpr std::chrono::milliseconds kStopDeadline = daemon::kStopDeadline;
inline constexpr std::chrono::milliseconds kScrubInterval = daemon::kScrubInterval;

// Takes from `lower` what `upper` does not name.
void merge(Settings& upper, const Settings& lower);
// Says of everything that `settings` names that a flag named it.
void mark_as_flags(Settings& settings);
// TURSO_DATABASE_URL and TIDEMARK_CACHE.
[[nodiscard]] Settings settings_from_environment();
// The bytes of a tidemark.toml. Errors: invalid, with every unknown key (and what may have been
// meant), every bad value and every value out of range at once, each with its line. Paths are
// relative to `folder`. Pure.
[[nodiscard]] Result<Settings> settings_from_toml(std::string_view bytes, const std::string& name,
                                                  const std::string& folder);
// --config F, else ./tidemark.toml if there is one.
[[nodiscard]] Result<Settings> settings_from_file(const std::string& config_flag);

// Errors: invalid, with every field that is out of range.
[[nodiscard]] Result<SyncConfig> sync_config(const Settings& settings);
// What is wrong with a time outside of SyncConfig alone; empty: nothing.
[[nodiscard]] std::string times_out_of_range(const Settings& settings);
// max_staleness must allow for heartbeat + interval.
[[nodiscard]] Result<void> check_times(const Settings& settings);
// The named or the default cache path: $XDG_CACHE_HOME or ~/.cache, then tidemark/cache.redb.
[[nodiscard]] std::string cache_path(const Settings& settings);
// Whether the token is read from `settings.token_file`, and not from TURSO_AUTH_TOKEN.
[[nodiscard]] bool token_is_a_file(const Settings& settings);
// The token: --token-file, else TURSO_AUTH_TOKEN, else the configured token file; empty when none
// is named. Errors: invalid (missing, unreadable, empty, not one printable word); never the token.
[[nodiscard]] Result<std::string> read_token(const Settings& settings);
// What read_token would read, for people: "flag --token-file", "environment TURSO_AUTH_TOKEN", ...
[[nodiscard]] std::string token_origin(const Settings& settings);

}  // namespace tidemark::cli
