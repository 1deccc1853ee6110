// The only user of toml++: tidemark.toml -> Settings, or all that is wrong with it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <type_traits>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "cli/setting_fields.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

// One reader for each type of setting: the text of what is wrong, or nothing.
std::string read_value(const toml::node& node, std::optional<std::uint64_t>& out) {
  const auto value = node.is_integer() ? node.value<std::int64_t>() : std::nullopt;
  if (!value || *value < 0) return "wants a whole number";
  out = static_cast<std::uint64_t>(*value);
  return {};
}

std::string read_value(const toml::node& node, std::optional<bool>& out) {
  if (!node.is_boolean()) return "wants true or false";
  out = node.value<bool>();
  return {};
}

std::string read_value(const toml::node& node, std::optional<std::string>& out) {
  const auto value = node.is_string() ? node.value<std::string>() : std::nullopt;
  if (!value || value->empty()) return "wants a text";
  out = value;
  return {};
}

std::string read_value(const toml::node& node, std::optional<std::chrono::milliseconds>& out) {
  out = node.is_string() ? parse_duration(*node.value<std::string>()) : std::nullopt;
  return out ? "" : "wants a duration such as \"30s\", \"5m\" or \"250ms\"";
}

std::string read_value(const toml::node& node, std::optional<unsigned>& out) {
  const std::string value = node.is_string() ? *node.value<std::string>() : "";
  const bool octal = !value.empty() && value.size() <= 4 &&
                     value.find_first_not_of("01234567") == std::string::npos;
  if (!octal) return "wants octal digits such as \"0640\"";
  out = static_cast<unsigned>(std::stoul(value, nullptr, 8));
  return {};
}

constexpr std::size_t kPageCacheBytesMin = std::size_t{1} << 20U;
constexpr std::array<std::string_view, 4> kSections = {"source", "cache", "sync", "daemon"};

class Problems {
 public:
  explicit Problems(const std::string& name) : name_(name) {}
  [[nodiscard]] std::string place(const toml::source_region& where) const {
    return name_ + ":" + std::to_string(where.begin.line);
  }
  void add(const toml::source_region& where, const std::string& text) {
    problems_.emplace_back(where.begin.line, place(where) + ": " + text);
  }
  // All, by line; empty: none.
  [[nodiscard]] std::string text() const {
    auto sorted = problems_;
    std::ranges::stable_sort(sorted, {}, [](const auto& problem) { return problem.first; });
    std::string text;
    for (const auto& [line, problem] : sorted) text += (text.empty() ? "" : "; ") + problem;
    return text;
  }

 private:
  const std::string& name_;
  std::vector<std::pair<std::uint32_t, std::string>> problems_;
};

std::string unknown(std::string_view what, std::string_view word,
                    std::span<const std::string_view> known) {
  const std::string meant = closest(word, known);
  return "unknown " + std::string(what) + " " + std::string(word) +
         (meant.empty() ? "" : " (did you mean " + meant + "?)");
}

std::string read_size(const toml::node& node, std::optional<std::size_t>& out) {
  const auto value = node.is_string() ? parse_size(*node.value<std::string>()) : std::nullopt;
  if (!value || *value < kPageCacheBytesMin)
    return "wants a size of at least 1MiB such as \"32MiB\"";
  out = value;
  return {};
}

// What is wrong with the range of the one setting that `alone` names.
std::string out_of_range(const Settings& alone) {
  const auto config = sync_config(alone);
  if (config) return {};
  constexpr std::string_view kPrefix = "bad configuration: ";
  const std::string& message = config.error().message;
  return message.starts_with(kPrefix) ? message.substr(kPrefix.size()) : message;
}

// Reads one key of a file.
class KeyReader {
 public:
  KeyReader(Settings& settings, Problems& problems) : settings_(settings), problems_(problems) {}

  void read_key(std::string_view section, const toml::key& key, const toml::node& node) {
    bool found = false;
    std::vector<std::string_view> known;
    each_setting([&](const char* in, const char* name, auto member) {
      if (section != in) return;
      known.emplace_back(name);
      if (key.str() != name) return;
      found = true;
      take(setting_name(section, name), name, node, member);
    });
    if (!found) problems_.add(key.source(), unknown("key", key.str(), known));
  }

 private:
  template <typename Member>
  void take(const std::string& full_name, std::string_view name, const toml::node& node,
            Member member) {
    Settings alone;
    std::string wrong;
    if constexpr (std::is_same_v<Member, decltype(&Settings::page_cache)>) {
      wrong =
          name == "page_cache" ? read_size(node, alone.*member) : read_value(node, alone.*member);
    } else {
      wrong = read_value(node, alone.*member);
    }
    if (!wrong.empty()) return problems_.add(node.source(), std::string(name) + " " + wrong);
    wrong = out_of_range(alone);
    if (!wrong.empty()) return problems_.add(node.source(), wrong);
    settings_.*member = alone.*member;
    settings_.origins[full_name] = {Layer::file, problems_.place(node.source())};
  }

  Settings& settings_;
  Problems& problems_;
};

// Times that were not read take their defaults; a bad value of their own is named already.
void read_times(const Settings& settings, const toml::table& root, Problems& problems) {
  const toml::node* named = nullptr;
  for (const char* name : {"interval", "heartbeat", "max_staleness"}) {
    const toml::node* const node = root["sync"][name].node();
    if (node == nullptr) continue;
    if (!settings.origins.contains(setting_name("sync", name))) return;
    named = node;
  }
  if (named == nullptr) return;
  if (const auto times = check_times(settings); !times) {
    problems.add(named->source(), times.error().message);
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
        KeyReader reader(settings, problems);
        for (const auto& [key, value] : *node.as_table()) {
          reader.read_key(section.str(), key, value);
        }
      } else {
        problems.add(section.source(), unknown("section", section.str(), kSections));
      }
    }
    read_times(settings, parsed.table(), problems);
  }
  if (!problems.text().empty()) {
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
