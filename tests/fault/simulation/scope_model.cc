#include "tests/fault/simulation/scope_model.h"

#include <algorithm>
#include <cctype>

namespace tidemark::simulation {
namespace {

// NULL where the source has no order column.
Value order_of(const Table& table, const SourceRow& row) {
  for (const char* const name : {"timestamp", "start_time", "created_at"}) {
    if (const auto column = table.find(name)) return row.cells[*column];
  }
  return {};
}

// The window: the newest n rows that have a key, fit or not; bad keys take no place.
std::vector<const SourceRow*> window_of(const Table& table, std::uint64_t n, bool& complete) {
  std::vector<const SourceRow*> rows;
  for (const SourceRow& row : table.rows) {
    if (row.key_is_utf8) rows.push_back(&row);
  }
  std::ranges::sort(rows, [&](const SourceRow* a, const SourceRow* b) {
    const Value x = order_of(table, *a);
    const Value y = order_of(table, *b);
    if (order_less(x, y) || order_less(y, x)) return order_less(y, x);
    return *b->key < *a->key;
  });
  complete = rows.size() <= n;
  if (!complete) rows.resize(static_cast<std::size_t>(n));
  return rows;
}

std::vector<const SourceRow*> by_key(const Table& table) {
  std::vector<const SourceRow*> rows;
  for (const SourceRow& row : table.rows) {
    if (row.key_is_utf8) rows.push_back(&row);
  }
  std::ranges::sort(rows, {}, [](const SourceRow* row) { return *row->key; });
  return rows;
}

// The kind that an item_type names; empty: any.
std::string named_kind(const Value& type) {
  const auto* const text = std::get_if<std::string>(&type);
  if (text == nullptr) return {};
  std::string lower;
  for (const char c : *text)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string kind : {"episodes", "patterns", "heuristics"}) {
    if (lower == kind || lower + "s" == kind) return kind;
  }
  return {};
}

class Builder {
 public:
  Builder(const State& state, const Scope& scope) : state_(state), scope_(scope) {}

  ScopeView build() {
    for (const auto& [name, table] : state_) {
      const std::string kind = kind_of(name);
      if (kind == "embeddings" ? scope_.sync_embeddings
                               : kind == "episodes" || scope_.sync_patterns) {
        take_odd_keys(name, *table);
      }
      if (kind == "episodes") {
        take(name, window_of(*table, scope_.max_episodes_cache, out_.window_complete));
      } else if ((kind == "patterns" || kind == "heuristics") && scope_.sync_patterns) {
        take(name, by_key(*table));
      }
    }
    for (const auto& [name, table] : state_) {
      if (kind_of(name) == "embeddings" && scope_.sync_embeddings) take_embeddings(name, *table);
    }
    return std::move(out_);
  }

 private:
  void take_odd_keys(const std::string& name, const Table& table) {
    for (const SourceRow& row : table.rows) {
      if (!row.key) out_.odd.emplace(name, row.cells[table.key_column].index() == 0 ? "NULL" : "k");
      if (row.key && !row.key_is_utf8) ++out_.not_utf8;
    }
  }

  void take(const std::string& name, const std::vector<const SourceRow*>& rows) {
    for (const SourceRow* const row : rows) {
      listed_[name].insert(*row->key);
      if (row->hash == kInvalidRow) {
        out_.skipped.emplace(name, *row->key);
      } else {
        out_.rows[name].emplace_back(*row->key, row->hash);
        cached_[name].insert(*row->key);
      }
    }
  }

  using Keys = std::map<std::string, std::set<std::string>>;
  static bool has(const Keys& keys, const std::string& kind, const std::string& id) {
    return std::ranges::any_of(keys, [&](const auto& of) {
      return (kind.empty() || of.first == kind) && of.second.contains(id);
    });
  }

  void take_embeddings(const std::string& name, const Table& table) {
    const auto parent = table.find("item_id");
    const auto type = table.find("item_type");
    for (const SourceRow* const row : by_key(table)) {
      const auto* const id = parent ? std::get_if<std::string>(&row->cells[*parent]) : nullptr;
      if (id == nullptr) continue;
      const std::string kind = type ? named_kind(row->cells[*type]) : "";
      if (row->hash == kInvalidRow) {
        if (has(listed_, kind, *id)) out_.skipped.emplace(name, *row->key);
      } else if (has(cached_, kind, *id)) {
        out_.rows[name].emplace_back(*row->key, row->hash);
        out_.children[*id].insert(name + "/" + *row->key);
      }
    }
  }

  const State& state_;
  const Scope& scope_;
  ScopeView out_;
  Keys listed_;
  Keys cached_;
};

}  // namespace

std::string kind_of(const std::string& table) {
  if (table == "episodes" || table == "patterns" || table == "heuristics") return table;
  return table == "embeddings" || table.starts_with("embeddings_") ? "embeddings" : "";
}

ScopeView scope_of(const State& state, const Scope& scope) { return Builder(state, scope).build(); }

}  // namespace tidemark::simulation
