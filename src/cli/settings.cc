#include "cli/settings.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tidemark::cli {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20U;

template <typename T>
void take(std::optional<T>& upper, const std::optional<T>& lower) {
  if (!upper) upper = lower;
}

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Result<std::string> read_file(const std::string& path, const std::string& hint) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::invalid, "cannot read " + path, hint);
  std::string text(kConfigBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorCode::invalid, "cannot read " + path, hint);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kConfigBytesMax) {
    return fail(ErrorCode::invalid, path + " is too large", hint);
  }
  return text;
}

// A TOML string: control characters may not stand in one as they are.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      out += escape.data();
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string ms(std::chrono::milliseconds value) {
  return "\"" + std::to_string(value.count()) + "ms\"";
}

}  // namespace

void merge(Settings& upper, const Settings& lower) {
  take(upper.source, lower.source);
  take(upper.token_file, lower.token_file);
  take(upper.cache, lower.cache);
  take(upper.cache_mode, lower.cache_mode);
  take(upper.page_cache, lower.page_cache);
  take(upper.max_episodes_cache, lower.max_episodes_cache);
  take(upper.batch_size, lower.batch_size);
  take(upper.sync_patterns, lower.sync_patterns);
  take(upper.sync_embeddings, lower.sync_embeddings);
  take(upper.validate_checksums, lower.validate_checksums);
  take(upper.max_concurrent_fetches, lower.max_concurrent_fetches);
  take(upper.request_deadline, lower.request_deadline);
  take(upper.pass_deadline, lower.pass_deadline);
  take(upper.interval, lower.interval);
  take(upper.max_staleness, lower.max_staleness);
  take(upper.heartbeat, lower.heartbeat);
  take(upper.audit_interval, lower.audit_interval);
  take(upper.daemon_listen, lower.daemon_listen);
  take(upper.daemon_socket, lower.daemon_socket);
  take(upper.daemon_token_file, lower.daemon_token_file);
}

Settings settings_from_environment() {
  Settings settings;
  settings.source = environment("TURSO_DATABASE_URL");
  settings.cache = environment("TIDEMARK_CACHE");
  return settings;
}

Result<Settings> settings_from_file(const std::string& config_flag) {
  std::string path = config_flag;
  if (path.empty()) {
    std::error_code error;
    if (!std::filesystem::exists("tidemark.toml", error)) return Settings{};
    path = "tidemark.toml";
  }
  TIDEMARK_ASSIGN(text, read_file(path, "give a readable file with --config"));
  std::string folder = std::filesystem::path(path).parent_path().string();
  return settings_from_toml(text, path, folder.empty() ? "." : folder);
}

Result<SyncConfig> sync_config(const Settings& settings) {
  SyncConfig config;
  config.max_episodes_cache = settings.max_episodes_cache.value_or(config.max_episodes_cache);
  config.batch_size = settings.batch_size.value_or(config.batch_size);
  config.sync_patterns = settings.sync_patterns.value_or(config.sync_patterns);
  config.sync_embeddings = settings.sync_embeddings.value_or(config.sync_embeddings);
  config.validate_checksums = settings.validate_checksums.value_or(config.validate_checksums);
  const std::uint64_t fetches =
      settings.max_concurrent_fetches.value_or(config.max_concurrent_fetches);
  config.max_concurrent_fetches =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(fetches, 1'000'000));
  config.request_deadline = settings.request_deadline.value_or(config.request_deadline);
  config.pass_deadline = settings.pass_deadline.value_or(config.pass_deadline);
  TIDEMARK_TRY(config.validate());
  return config;
}

Result<void> check_times(const Settings& settings) {
  const auto heartbeat = settings.heartbeat.value_or(kHeartbeat);
  const auto interval = settings.interval.value_or(kInterval);
  const auto staleness = settings.max_staleness.value_or(kMaxStaleness);
  if (staleness >= heartbeat && staleness - heartbeat >= interval) return {};  // a sum may overflow
  const auto in_ms = [](std::chrono::milliseconds time) {
    return " (" + std::to_string(time.count()) + " ms)";
  };
  return fail(ErrorCode::invalid,
              "max_staleness" + in_ms(staleness) + " is below heartbeat" + in_ms(heartbeat) +
                  " + interval" + in_ms(interval),
              "a cache in step would look stale: raise max_staleness or lower the others");
}

std::string to_toml(const Settings& s) {
  const SyncConfig d;
  std::ostringstream out;
  // A line with the value in force; commented out where nobody named it.
  const auto line = [&](const char* key, bool named, const std::string& value) {
    out << (named ? "" : "# ") << key << " = " << value << "\n";
  };
  const auto text = [&](const char* key, const std::optional<std::string>& value) {
    line(key, value.has_value(), quoted(value.value_or("")));
  };
  const auto number = [&](const char* key, const auto& value, std::uint64_t otherwise) {
    line(key, value.has_value(), std::to_string(value ? *value : otherwise));
  };
  const auto flag = [&](const char* key, const std::optional<bool>& value, bool otherwise) {
    line(key, value.has_value(), value.value_or(otherwise) ? "true" : "false");
  };
  const auto time = [&](const char* key, const std::optional<std::chrono::milliseconds>& value,
                        std::chrono::milliseconds otherwise) {
    line(key, value.has_value(), ms(value.value_or(otherwise)));
  };
  out << "[source]\n";
  text("url", s.source);
  text("token_file", s.token_file);
  out << "\n[cache]\n";
  line("path", s.cache.has_value(), quoted(cache_path(s)));
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), "\"%04o\"", s.cache_mode.value_or(0600));
  line("cache_mode", s.cache_mode.has_value(), mode.data());
  const std::size_t page_cache = s.page_cache.value_or(std::size_t{32} << 20U);
  line("page_cache", s.page_cache.has_value(), "\"" + std::to_string(page_cache >> 10U) + "KiB\"");
  out << "\n[sync]\n";
  number("max_episodes_cache", s.max_episodes_cache, d.max_episodes_cache);
  number("batch_size", s.batch_size, d.batch_size);
  flag("sync_patterns", s.sync_patterns, d.sync_patterns);
  flag("sync_embeddings", s.sync_embeddings, d.sync_embeddings);
  flag("validate_checksums", s.validate_checksums, d.validate_checksums);
  number("max_concurrent_fetches", s.max_concurrent_fetches, d.max_concurrent_fetches);
  time("request_deadline", s.request_deadline, d.request_deadline);
  time("pass_deadline", s.pass_deadline, d.pass_deadline);
  time("interval", s.interval, kInterval);
  time("max_staleness", s.max_staleness, kMaxStaleness);
  time("heartbeat", s.heartbeat, kHeartbeat);
  time("audit_interval", s.audit_interval, kAuditInterval);
  out << "\n[daemon]\n";
  text("listen", s.daemon_listen);
  text("socket", s.daemon_socket);
  text("token_file", s.daemon_token_file);
  return out.str();
}

std::string cache_path(const Settings& settings) {
  if (settings.cache) return *settings.cache;
  const auto base = environment("XDG_CACHE_HOME");
  const std::string home = environment("HOME").value_or(".");
  return base.value_or(home + "/.cache") + "/tidemark/cache.redb";
}

Result<std::string> read_token(const Settings& settings) {
  if (auto token = environment("TURSO_AUTH_TOKEN"); token && !settings.token_file) return *token;
  if (!settings.token_file) return std::string{};
  TIDEMARK_ASSIGN(token, read_file(*settings.token_file,
                                   "--token-file names a file that holds the token alone"));
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  return token;
}

}  // namespace tidemark::cli
