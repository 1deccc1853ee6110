#include "tests/fault/simulation/log_watch.h"

#include <map>
#include <optional>

namespace tidemark::simulation {
namespace {

std::map<std::string, RowHash> items(const State& state, const std::string& table) {
  std::map<std::string, RowHash> out;
  for (const SourceRow& row : state.at(table)->rows) {
    if (row.key_is_utf8) out[*row.key] = row.text_hash;
  }
  return out;
}

}  // namespace

LogWatch::LogWatch(Database& source) : source_(source), watched_(watched()) {
  if (watched_.empty()) return;
  const auto rows = source_.rows("SELECT max(seq) FROM tidemark_changes");
  if (const auto* const seq = std::get_if<std::int64_t>(&rows[0][0])) head_ = *seq;
}

std::set<std::string> LogWatch::watched() const {
  std::set<std::string> tables;
  if (!source_.has_table("tidemark_changes")) return tables;
  for (const auto& row :
       source_.rows("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND "
                    "name LIKE 'tidemark_%' GROUP BY tbl_name HAVING count(*) >= 3")) {
    tables.insert(std::get<std::string>(row[0]));
  }
  return tables;
}

std::string LogWatch::missed(const State& before, const State& after) const {
  const std::set<std::string> still = watched_.empty() ? watched_ : watched();
  for (const std::string& table : watched_) {
    if (!still.contains(table) || !before.contains(table) || !after.contains(table)) continue;
    if (before.at(table)->columns != after.at(table)->columns) continue;  // its schema changed
    const auto was = items(before, table);
    const auto is = items(after, table);
    std::set<std::string> logged;
    for (const auto& row :
         source_.rows("SELECT CAST(id AS TEXT) FROM tidemark_changes WHERE tbl = '" + table +
                      "' AND seq > " + std::to_string(head_))) {
      logged.insert(std::get<std::string>(row[0]));
    }
    std::set<std::string> changed;
    for (const auto& [key, hash] : was) {
      if (!is.contains(key) || is.at(key) != hash) changed.insert(key);
    }
    for (const auto& [key, hash] : is) {
      if (!was.contains(key)) changed.insert(key);
    }
    for (const std::string& key : changed) {
      if (!logged.contains(key)) return "the log misses a change of " + table + " '" + key + "'";
    }
  }
  return {};
}

}  // namespace tidemark::simulation
