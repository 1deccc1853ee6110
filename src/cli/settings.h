// What the program was told: flag > environment > tidemark.toml > default.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tidemark/config.h"
#include "tidemark/error.h"

namespace tidemark::cli {

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
  std::optional<std::chrono::milliseconds> interval;
  std::optional<std::chrono::milliseconds> max_staleness;
  std::optional<std::chrono::milliseconds> heartbeat;
  std::optional<std::chrono::milliseconds> audit_interval;
  std::optional<std::string> daemon_listen;
  std::optional<std::string> daemon_socket;
  std::optional<std::string> daemon_token_file;
};

inline constexpr std::chrono::milliseconds kInterval{30'000};
inline constexpr std::chrono::milliseconds kHeartbeat{10'000};
inline constexpr std::chrono::milliseconds kMaxStaleness{300'000};
inline constexpr std::chrono::milliseconds kAuditInterval{86'400'000};

// Takes from `lower` what `upper` does not name.
void merge(Settings& upper, const Settings& lower);
// TURSO_DATABASE_URL and TIDEMARK_CACHE.
[[nodiscard]] Settings settings_from_environment();
// The bytes of a tidemark.toml. Errors: invalid, with every unknown key (and what may have been
// meant) and every bad value at once, each with its line. Paths are relative to `folder`. Pure.
[[nodiscard]] Result<Settings> settings_from_toml(std::string_view bytes, const std::string& name,
                                                  const std::string& folder);
// --config F, else ./tidemark.toml if there is one.
[[nodiscard]] Result<Settings> settings_from_file(const std::string& config_flag);

[[nodiscard]] Result<SyncConfig> sync_config(const Settings& settings);
// max_staleness must allow for heartbeat + interval.
[[nodiscard]] Result<void> check_times(const Settings& settings);
// The effective settings as TOML.
[[nodiscard]] std::string to_toml(const Settings& settings);
// The named or the default cache path: $XDG_CACHE_HOME or ~/.cache, then tidemark/cache.redb.
[[nodiscard]] std::string cache_path(const Settings& settings);
// The token: TURSO_AUTH_TOKEN, else the token file; empty when neither is named.
[[nodiscard]] Result<std::string> read_token(const Settings& settings);

}  // namespace tidemark::cli
