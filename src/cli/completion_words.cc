// What `tidemark __complete WORD...` answers to a shell's completion script.
#include <array>

#include "cli/flags.h"
#include "cli/output.h"

namespace tidemark::cli {
namespace {

constexpr const char* kFiles = ":files";

// Where in the command line the last word stands.
struct Place {
  const CLI::App* command = nullptr;
  const CLI::Option* wants_value = nullptr;  // the word before is this flag
  std::size_t positionals = 0;               // of `command`, before the word
  Settings settings;                         // what names the cache
  std::string config;
};

const CLI::Option* find_flag(const CLI::App& root, const CLI::App& command,
                             const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  for (const CLI::App* const app : {&command, &root}) {
    for (const CLI::Option* const option : app->get_options()) {
      if (option->check_name(name)) return option;
    }
  }
  return nullptr;
}

void note_value(Place& place, const std::string& flag, const std::string& value) {
  if (flag == "--cache") place.settings.cache = value;
  if (flag == "--config") place.config = value;
}

Place place_of(const CLI::App& root, const std::vector<std::string>& words) {
  Place place;
  place.command = &root;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.wants_value != nullptr) {
      note_value(place, place.wants_value->get_name(), word);
      place.wants_value = nullptr;
    } else if (word.starts_with("-")) {
      const CLI::Option* const option = find_flag(root, *place.command, word);
      const std::size_t equals = word.find('=');
      if (option == nullptr || option->get_items_expected_max() == 0) continue;
      if (equals == std::string::npos) place.wants_value = option;
      if (equals != std::string::npos)
        note_value(place, option->get_name(), word.substr(equals + 1));
    } else if (const CLI::App* const next = subcommand_named(*place.command, word)) {
      place.command = next;
    } else {
      ++place.positionals;
    }
  }
  return place;
}

std::vector<std::string> collections(Place& place) {
  merge(place.settings, settings_from_environment());
  if (const auto file = settings_from_file(place.config)) merge(place.settings, *file);
  ReaderOptions options;
  options.repair = false;
  options.open_deadline = std::chrono::milliseconds(0);
  std::vector<std::string> names;
  if (const auto reader = Reader::open(cache_path(place.settings), options)) {
    if (auto found = reader->collections()) names = std::move(*found);
  }
  if (names.empty()) names = {"episodes", "patterns", "heuristics"};
  if (std::ranges::find(names, "embeddings") == names.end()) names.emplace_back("embeddings");
  return names;
}

std::vector<std::string> values_of(Place& place) {
  const std::string flag = place.wants_value->get_name();
  if (flag == "--cache" || flag == "--config" || flag == "--token-file" || flag == "--vector") {
    return {kFiles};
  }
  if (flag == "--similarity") return {"cosine", "dot", "l2"};
  if (flag == "--collection") {
    auto names = collections(place);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("embeddings"); });
    return names;
  }
  const bool of_kind = flag == "--of" && place.command->get_name() == "nearest";
  if (of_kind) return {"episodes", "patterns", "heuristics"};
  if (flag == "--source") return {"file:", "libsql://", "https://", "http://"};
  return {};
}

std::vector<std::string> flags_of(const CLI::App& root, const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* const app : {&command, &root}) {
    for (const CLI::Option* const option : app->get_options()) {
      for (const auto& name : option->get_lnames()) {
        std::string flag = "--" + name;
        if (std::ranges::find(names, flag) == names.end()) names.push_back(std::move(flag));
      }
    }
  }
  return names;
}

std::vector<std::string> candidates(const CLI::App& root, const std::vector<std::string>& words) {
  Place place = place_of(root, words);
  if (place.wants_value != nullptr) return values_of(place);
  const bool flag = !words.empty() && words.back().starts_with("-");
  if (flag) return flags_of(root, *place.command);
  std::vector<std::string> names;
  for (const CLI::App* const next : place.command->get_subcommands({})) {
    names.push_back(next->get_name());
  }
  if (!names.empty() || place.positionals > 0) return names;
  const std::string& command = place.command->get_name();
  if (command == "get" || command == "list") return collections(place);
  if (command == "completion") return {"bash", "zsh", "fish"};
  return {};
}

}  // namespace

void complete_words(const CLI::App& app, const std::vector<std::string>& words) {
  const std::string typed = words.empty() ? "" : words.back();
  for (const std::string& candidate : candidates(app, words)) {
    if (candidate == kFiles || candidate.starts_with(typed)) write_out(candidate + "\n");
  }
}

}  // namespace tidemark::cli
