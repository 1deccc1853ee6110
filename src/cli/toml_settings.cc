// The only user of toml++: tidemark.toml -> Settings, or all that is wrong with it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "cli/settings.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

// Reads one key; the text of what is wrong, or nothing.
using Reader = std::function<std::string(const toml::node&, Settings&)>;

struct Key {
  std::string_view section;
  std::string_view name;
  Reader read;
};

template <typename Member>
Reader integer(Member member) {
  return [member](const toml::node& node, Settings& settings) -> std::string {
    const auto value = node.is_integer() ? node.value<std::int64_t>() : std::nullopt;
    if (!value || *value < 0) return "wants a whole number";
    settings.*member = static_cast<std::uint64_t>(*value);
    return {};
  };
}

template <typename Member>
Reader boolean(Member member) {
  return [member](const toml::node& node, Settings& settings) -> std::string {
    if (!node.is_boolean()) return "wants true or false";
    settings.*member = *node.value<bool>();
    return {};
  };
}

template <typename Member>
Reader text(Member member) {
  return [member](const toml::node& node, Settings& settings) -> std::string {
    if (!node.is_string()) return "wants a text";
    settings.*member = *node.value<std::string>();
    return {};
  };
}

template <typename Member>
Reader duration(Member member) {
  return [member](const toml::node& node, Settings& settings) -> std::string {
    const auto value = node.is_string() ? parse_duration(*node.value<std::string>()) : std::nullopt;
    if (!value) return "wants a duration such as \"30s\", \"5m\" or \"250ms\"";
    settings.*member = *value;
    return {};
  };
}

std::string read_mode(const toml::node& node, Settings& settings) {
  const std::string value = node.is_string() ? *node.value<std::string>() : "";
  const bool octal = !value.empty() && value.size() <= 4 &&
                     value.find_first_not_of("01234567") == std::string::npos;
  if (!octal) return "wants octal digits such as \"0640\"";
  settings.cache_mode = static_cast<unsigned>(std::stoul(value, nullptr, 8));
  return {};
}

std::string read_size(const toml::node& node, Settings& settings) {
  const auto value = node.is_string() ? parse_size(*node.value<std::string>()) : std::nullopt;
  if (!value || *value < (1U << 20U)) return "wants a size of at least 1MiB such as \"32MiB\"";
  settings.page_cache = *value;
  return {};
}

const std::vector<Key>& keys() {
  static const std::vector<Key> all = {
      {"source", "url", text(&Settings::source)},
      {"source", "token_file", text(&Settings::token_file)},
      {"cache", "path", text(&Settings::cache)},
      {"cache", "cache_mode", read_mode},
      {"cache", "page_cache", read_size},
      {"sync", "max_episodes_cache", integer(&Settings::max_episodes_cache)},
      {"sync", "batch_size", integer(&Settings::batch_size)},
      {"sync", "sync_patterns", boolean(&Settings::sync_patterns)},
      {"sync", "sync_embeddings", boolean(&Settings::sync_embeddings)},
      {"sync", "validate_checksums", boolean(&Settings::validate_checksums)},
      {"sync", "max_concurrent_fetches", integer(&Settings::max_concurrent_fetches)},
      {"sync", "request_deadline", duration(&Settings::request_deadline)},
      {"sync", "pass_deadline", duration(&Settings::pass_deadline)},
      {"sync", "interval", duration(&Settings::interval)},
      {"sync", "max_staleness", duration(&Settings::max_staleness)},
      {"sync", "heartbeat", duration(&Settings::heartbeat)},
      {"sync", "audit_interval", duration(&Settings::audit_interval)},
      {"daemon", "listen", text(&Settings::daemon_listen)},
      {"daemon", "socket", text(&Settings::daemon_socket)},
      {"daemon", "token_file", text(&Settings::daemon_token_file)}};
  return all;
}

constexpr std::array<std::string_view, 4> kSections = {"source", "cache", "sync", "daemon"};

class Problems {
 public:
  explicit Problems(const std::string& name) : name_(name) {}
  void add(const toml::source_region& where, const std::string& text) {
    text_ +=
        (text_.empty() ? "" : "; ") + name_ + ":" + std::to_string(where.begin.line) + ": " + text;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  const std::string& name_;
  std::string text_;
};

std::string unknown(std::string_view what, std::string_view word,
                    std::span<const std::string_view> known) {
  const std::string meant = closest(word, known);
  return "unknown " + std::string(what) + " " + std::string(word) +
         (meant.empty() ? "" : " (did you mean " + meant + "?)");
}

void read_section(std::string_view section, const toml::table& table, Settings& settings,
                  Problems& problems) {
  std::vector<std::string_view> known;
  for (const Key& key : keys()) {
    if (key.section == section) known.push_back(key.name);
  }
  for (const auto& [name, node] : table) {
    const Key* found = nullptr;
    for (const Key& key : keys()) {
      if (key.section == section && key.name == name.str()) found = &key;
    }
    if (found == nullptr) {
      problems.add(name.source(), unknown("key", name.str(), known));
      continue;
    }
    const std::string wrong = found->read(node, settings);
    if (!wrong.empty()) problems.add(node.source(), std::string(name.str()) + " " + wrong);
  }
}

void resolve(std::optional<std::string>& path, const std::string& folder) {
  if (path && !path->empty() && path->front() != '/') {
    path = (std::filesystem::path(folder) / *path).lexically_normal().string();
  }
}

}  // namespace

Result<Settings> settings_from_toml(std::string_view bytes, const std::string& name,
                                    const std::string& folder) {
  const toml::parse_result parsed = toml::parse(bytes, std::string_view(name));
  Problems problems(name);
  Settings settings;
  if (!parsed) {
    problems.add(parsed.error().source(), std::string(parsed.error().description()));
  } else {
    for (const auto& [section, node] : parsed.table()) {
      const bool known = std::ranges::find(kSections, section.str()) != kSections.end();
      if (known && node.is_table()) {
        read_section(section.str(), *node.as_table(), settings, problems);
      } else {
        problems.add(section.source(), unknown("section", section.str(), kSections));
      }
    }
  }
  if (problems.text().empty()) {
    if (auto config = sync_config(settings); !config) {
      return fail(ErrorCode::invalid, name + ": " + config.error().message, config.error().hint);
    }
    if (auto times = check_times(settings); !times)
      return std::unexpected(std::move(times).error());
  } else {
    return fail(ErrorCode::invalid, problems.text(),
                "`tidemark config print` shows every key with its default");
  }
  resolve(settings.token_file, folder);
  resolve(settings.cache, folder);
  if (settings.source && settings.source->starts_with("file:") &&
      !settings.source->starts_with("file:/")) {
    settings.source =
        "file:" + (std::filesystem::path(folder) / settings.source->substr(5)).string();
  }
  return settings;
}

}  // namespace tidemark::cli
