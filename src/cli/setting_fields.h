// The one list of settings: section, name and member, in the order of tidemark.toml.
#pragma once

#include "cli/settings.h"

namespace tidemark::cli {

// Calls visit("section", "name", &Settings::member) for each.
template <typename Visit>
void each_setting(const Visit& visit) {
  visit("source", "url", &Settings::source);
  visit("source", "token_file", &Settings::token_file);
  visit("cache", "path", &Settings::cache);
  visit("cache", "cache_mode", &Settings::cache_mode);
  visit("cache", "page_cache", &Settings::page_cache);
  visit("sync", "max_episodes_cache", &Settings::max_episodes_cache);
  visit("sync", "batch_size", &Settings::batch_size);
  visit("sync", "sync_patterns", &Settings::sync_patterns);
  visit("sync", "sync_embeddings", &Settings::sync_embeddings);
  visit("sync", "validate_checksums", &Settings::validate_checksums);
  visit("sync", "max_concurrent_fetches", &Settings::max_concurrent_fetches);
  visit("sync", "request_deadline", &Settings::request_deadline);
  visit("sync", "pass_deadline", &Settings::pass_deadline);
  visit("sync", "max_rows_read_per_pass", &Settings::max_rows_read_per_pass);
  visit("sync", "interval", &Settings::interval);
  visit("sync", "max_staleness", &Settings::max_staleness);
  visit("sync", "heartbeat", &Settings::heartbeat);
  visit("sync", "audit_interval", &Settings::audit_interval);
  visit("daemon", "listen", &Settings::daemon_listen);
  visit("daemon", "socket", &Settings::daemon_socket);
  visit("daemon", "token_file", &Settings::daemon_token_file);
  visit("daemon", "stop_deadline", &Settings::stop_deadline);
  visit("daemon", "scrub_interval", &Settings::scrub_interval);
}

// Durations for which 0 has a meaning, and is written "none".
[[nodiscard]] inline bool may_be_none(std::string_view name) {
  return name == "pass_deadline" || name == "scrub_interval";
}

[[nodiscard]] inline std::string setting_name(std::string_view section, std::string_view name) {
  return std::string(section) + "." + std::string(name);
}

}  // namespace tidemark::cli
