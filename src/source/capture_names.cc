#include "source/capture_names.h"

#include <algorithm>

namespace tidemark::source {

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return out;
}

bool names_collation(std::string_view table_sql) {
  return lower_ascii(table_sql).find("collate") != std::string::npos;
}

std::vector<std::string> table_triggers(std::string_view table, std::string_view table_sql) {
  std::vector<std::string> names = {"tidemark_insert_", "tidemark_update_", "tidemark_delete_"};
  if (names_collation(table_sql)) {
    names.emplace_back("tidemark_before_insert_");
    names.emplace_back("tidemark_before_update_");
  }
  for (std::string& name : names) name += lower_ascii(table);
  return names;
}

bool is_capture_trigger(std::string_view name) {
  const std::string text = lower_ascii(name);
  if (std::ranges::find(kLogTriggers, text) != kLogTriggers.end()) return true;
  const auto prefixes = table_triggers("", "collate");
  return std::ranges::any_of(prefixes,
                             [&](const auto& prefix) { return text.starts_with(prefix); });
}

}  // namespace tidemark::source
