#include "cli/config_text.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/setting_fields.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u%04X", byte);
    out += escape.data();
  }
  return out + "\"";
}

std::string duration_text(std::chrono::milliseconds value) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [factor, name] : kUnits) {
    if (value.count() != 0 && value.count() % factor == 0) {
      return std::to_string(value.count() / factor) + name;
    }
  }
  return std::to_string(value.count()) + "ms";
}

// As in a file, where a size is a text and a mode octal.
std::string toml_value(std::string_view, std::uint64_t value) { return std::to_string(value); }
std::string toml_value(std::string_view, bool value) { return value ? "true" : "false"; }
std::string toml_value(std::string_view name, std::chrono::milliseconds value) {
  if (may_be_none(name) && value.count() == 0) return toml_text("none");
  return toml_text(duration_text(value));
}
std::string toml_value(std::string_view, unsigned mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\"%04o\"", mode);
  return text.data();
}
std::string toml_value(std::string_view name, const std::string& text) {
  // A password or token in a URL is refused by whoever opens it, and never shown.
  const bool secret = name == "url" && (text.find('@') != std::string::npos ||
                                        text.find("authToken=") != std::string::npos);
  return toml_text(secret && !text.starts_with("file:") ? "(not shown: it holds a secret)" : text);
}

std::string size_text(std::size_t bytes) {
  if (bytes % (1U << 20U) == 0) return toml_text(std::to_string(bytes >> 20U) + "MiB");
  return bytes % 1024 == 0 ? toml_text(std::to_string(bytes >> 10U) + "KiB")
                           : toml_text(std::to_string(bytes) + "B");
}

// Everything named: what is not takes its default.
Settings with_defaults(const Settings& settings) {
  const SyncConfig d;
  Settings defaults;
  defaults.source = "";
  defaults.token_file = "";
  defaults.cache = cache_path(settings);
  defaults.cache_mode = 0600;
  defaults.page_cache = SyncerOptions{}.page_cache_bytes;
  defaults.max_episodes_cache = d.max_episodes_cache;
  defaults.batch_size = d.batch_size;
  defaults.sync_patterns = d.sync_patterns;
  defaults.sync_embeddings = d.sync_embeddings;
  defaults.validate_checksums = d.validate_checksums;
  defaults.max_concurrent_fetches = d.max_concurrent_fetches;
  defaults.request_deadline = d.request_deadline;
  defaults.pass_deadline = d.pass_deadline;
  defaults.max_rows_read_per_pass = d.max_rows_read_per_pass;
  defaults.interval = kInterval;
  defaults.max_staleness = kMaxStaleness;
  defaults.heartbeat = kHeartbeat;
  defaults.audit_interval = d.audit_interval;
  defaults.daemon_listen = "";
  defaults.daemon_socket = "";
  defaults.daemon_token_file = "";
  defaults.stop_deadline = kStopDeadline;
  defaults.scrub_interval = kScrubInterval;
  Settings whole = settings;
  merge(whole, defaults);
  return whole;
}

// visit(section, name, value as TOML, origin, named)
template <typename Visit>
void each_value(const Settings& settings, const Visit& visit) {
  const Settings whole = with_defaults(settings);
  each_setting([&](const char* section, const char* name, auto member) {
    const auto& value = *(whole.*member);
    std::string text = toml_value(name, value);
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::size_t>) {
      if (std::string_view(name) == "page_cache") text = size_text(value);
    }
    const auto origin = settings.origins.find(setting_name(section, name));
    const bool named = (settings.*member).has_value();
    visit(section, name, text, origin == settings.origins.end() ? "default" : origin->second.text,
          named);
  });
}

}  // namespace

std::string to_toml(const Settings& settings, Origins origins) {
  std::string out;
  std::string_view open_section;
  each_value(settings, [&](std::string_view section, const char* name, const std::string& value,
                           const std::string& origin, bool named) {
    if (section != open_section) {
      out += (out.empty() ? "[" : "\n[") + std::string(section) + "]\n";
      open_section = section;
    }
    std::string line = std::string(named ? "" : "# ") + name + " = " + value;
    if (origins == Origins::show) {
      constexpr std::size_t kOriginColumn = 44;
      line.resize(std::max(line.size() + 2, kOriginColumn), ' ');
      line += "# " + origin;
    }
    out += line + "\n";
  });
  if (origins == Origins::show) out += "\n# token: " + token_origin(settings) + "\n";
  return out;
}

std::string to_settings_json(const Settings& settings) {
  Json json = Json::object();
  each_value(settings, [&](const char* section, const char* name, const std::string& value,
                           const std::string& origin, bool) {
    // A TOML text or number is JSON as well, as these escapes are the same.
    Json parsed = Json::parse(value, nullptr, false);
    if (parsed.is_discarded()) parsed = value;
    json[section][name] = {{"value", std::move(parsed)}, {"from", origin}};
  });
  json["token"] = {{"from", token_origin(settings)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tidemark::cli
