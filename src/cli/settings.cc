#include "cli/settings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/setting_fields.h"

namespace tidemark::cli {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20U;

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Result<std::string> read_file(const std::string& path, const std::string& hint) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::invalid, path + " is a directory", hint);
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::invalid, "cannot read " + path + ": " + std::strerror(errno), hint);
  }
  std::string text(kConfigBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorCode::invalid, "cannot read " + path, hint);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kConfigBytesMax) {
    return fail(ErrorCode::invalid, path + " is too large", hint);
  }
  return text;
}

// The flag that sets "section.name".
std::string flag_of(std::string_view section, std::string_view name) {
  if (section == "source" && name == "url") return "--source";
  if (section == "cache" && name == "path") return "--cache";
  if (name == "pass_deadline") return "--deadline";
  std::string flag = "--" + std::string(name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

void from_environment(std::optional<std::string>& member, Settings& settings, const char* name,
                      const char* variable) {
  member = environment(variable);
  if (member) settings.origins[name] = {Layer::environment, std::string("environment ") + variable};
}

// A bearer token goes into an HTTP header: one word of visible ASCII.
Result<std::string> checked_token(std::string token, const std::string& where) {
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) {
    token.pop_back();
  }
  if (token.empty()) {
    return fail(ErrorCode::invalid, where + " is empty", "put the token alone into it");
  }
  const bool plain =
      std::ranges::all_of(token, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (!plain) {
    return fail(ErrorCode::invalid, where + " holds blanks, control or non-ASCII characters",
                "a token is one word: put it alone on one line");
  }
  return token;
}

}  // namespace

void merge(Settings& upper, const Settings& lower) {
  each_setting([&](const char* section, const char* name, auto member) {
    if (upper.*member || !(lower.*member)) return;
    upper.*member = lower.*member;
    const auto origin = lower.origins.find(setting_name(section, name));
    if (origin != lower.origins.end()) upper.origins[origin->first] = origin->second;
  });
}

void mark_as_flags(Settings& settings) {
  each_setting([&](const char* section, const char* name, auto member) {
    if (!(settings.*member)) return;
    settings.origins[setting_name(section, name)] = {Layer::flag, "flag " + flag_of(section, name)};
  });
}

Settings settings_from_environment() {
  Settings settings;
  from_environment(settings.source, settings, "source.url", "TURSO_DATABASE_URL");
  from_environment(settings.cache, settings, "cache.path", "TIDEMARK_CACHE");
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
  config.max_rows_read_per_pass =
      settings.max_rows_read_per_pass.value_or(config.max_rows_read_per_pass);
  config.heartbeat = settings.heartbeat.value_or(config.heartbeat);
  config.audit_interval = settings.audit_interval.value_or(config.audit_interval);
  TIDEMARK_TRY(config.validate());
  return config;
}

std::string times_out_of_range(const Settings& settings) {
  struct Bound {
    const char* name;
    const std::optional<std::chrono::milliseconds>& value;
    std::chrono::milliseconds low;
    std::chrono::milliseconds high;
    bool may_be_none = false;  // 0
  };
  using std::chrono::hours;
  const std::array<Bound, 4> bounds = {
      {{"interval", settings.interval, std::chrono::milliseconds(100), hours(24)},
       {"max_staleness", settings.max_staleness, std::chrono::milliseconds(100), hours(24 * 365)},
       {"stop_deadline", settings.stop_deadline, std::chrono::milliseconds(100), hours(1)},
       {"scrub_interval", settings.scrub_interval, std::chrono::seconds(1), hours(24 * 365),
        true}}};
  std::string problems;
  for (const Bound& bound : bounds) {
    if (!bound.value || (*bound.value >= bound.low && *bound.value <= bound.high)) continue;
    if (bound.may_be_none && bound.value->count() == 0) continue;
    problems += (problems.empty() ? "" : "; ") + std::string(bound.name) + " = " +
                std::to_string(bound.value->count()) +
                " ms (allowed: " + (bound.may_be_none ? "\"none\", or " : "") +
                std::to_string(bound.low.count()) + " to " + std::to_string(bound.high.count()) +
                " ms)";
  }
  return problems;
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

std::string cache_path(const Settings& settings) {
  if (settings.cache) return *settings.cache;
  const auto base = environment("XDG_CACHE_HOME");
  const std::string home = environment("HOME").value_or(".");
  return base.value_or(home + "/.cache") + "/tidemark/cache.redb";
}

bool token_is_a_file(const Settings& settings) {
  if (!settings.token_file) return false;
  const auto origin = settings.origins.find("source.token_file");
  const bool flag = origin != settings.origins.end() && origin->second.layer == Layer::flag;
  return flag || !environment("TURSO_AUTH_TOKEN");
}

Result<std::string> read_token(const Settings& settings) {
  if (token_is_a_file(settings)) {
    const std::string& path = *settings.token_file;
    TIDEMARK_ASSIGN(token, read_file(path, "give a readable file that holds the token alone"));
    return checked_token(std::move(token), "the token file " + path);
  }
  auto token = environment("TURSO_AUTH_TOKEN");
  if (!token) return std::string{};
  return checked_token(std::move(*token), "TURSO_AUTH_TOKEN");
}

std::string token_origin(const Settings& settings) {
  if (token_is_a_file(settings)) {
    const auto origin = settings.origins.find("source.token_file");
    return *settings.token_file +
           (origin == settings.origins.end() ? "" : " (" + origin->second.text + ")");
  }
  return environment("TURSO_AUTH_TOKEN") ? "environment TURSO_AUTH_TOKEN" : "none";
}

}  // namespace tidemark::cli
