#include "tests/fault/simulation/operations.h"

#include <algorithm>
#include <utility>

#include "tests/fault/simulation/tables.h"
#include "tests/fault/simulation/values.h"

namespace tidemark::simulation {
namespace {

constexpr std::size_t kRowsMax = 30;    // of a table; then inserts become deletes
constexpr std::size_t kColumnsMax = 9;  // of a table, with added ones
constexpr std::size_t kCopiesMax = 4;   // of the source that are kept

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

// A table that is there, the large ones more often.
std::string any_table(Dice& dice, const State& now) {
  std::vector<std::string> names;
  for (const auto& [name, table] : now) {
    names.push_back(name);
    if (name == "episodes" || name == "embeddings") names.insert(names.end(), 2, name);
  }
  return names.empty() ? "" : dice.of(names);
}

// One row of the table, by its place: any, odd keys too.
std::string one_row(Dice& dice, const std::string& table, std::size_t rows) {
  return "rowid = (SELECT rowid FROM " + quoted(table) + " ORDER BY rowid LIMIT 1 OFFSET " +
         std::to_string(dice.below(std::max<std::size_t>(1, rows))) + ")";
}

std::string key_name(const Table& table) { return table.columns[table.key_column].name; }

}  // namespace

Operations::Operations(Database& source, std::string folder)
    : source_(source), folder_(std::move(folder)) {}

const std::vector<Operations::Kind>& Operations::kinds() {
  static const std::vector<Kind> all = {{"insert", 240, &Operations::insert},
                                        {"odd key", 10, &Operations::insert_odd_key},
                                        {"bulk insert", 10, &Operations::bulk_insert},
                                        {"edit", 200, &Operations::edit},
                                        {"re-date", 80, &Operations::re_date},
                                        {"re-parent", 60, &Operations::re_parent},
                                        {"change key", 40, &Operations::change_key},
                                        {"update or ignore", 30, &Operations::update_or_ignore},
                                        {"upsert", 60, &Operations::upsert},
                                        {"replace", 40, &Operations::replace},
                                        {"delete", 90, &Operations::erase},
                                        {"delete all", 4, &Operations::erase_all},
                                        {"write unlogged", 3, &Operations::write_unlogged},
                                        {"add column", 2, &Operations::add_column},
                                        {"index", 4, &Operations::toggle_index},
                                        {"recreate", 5, &Operations::recreate},
                                        {"rename", 4, &Operations::rename},
                                        {"save copy", 12, &Operations::save_copy},
                                        {"restore", 6, &Operations::restore},
                                        {"replace file", 4, &Operations::replace_file},
                                        {"a client pushes its log", 20, &Operations::push_log},
                                        {"capture install", 12, &Operations::install},
                                        {"capture prune", 8, &Operations::prune},
                                        {"capture remove", 1, &Operations::remove}};
  return all;
}

std::string Operations::change(Dice& dice, const State& now, bool during_pass) {
  const auto& all = kinds();
  std::size_t total = 0;
  for (const Kind& kind : all) total += kind.weight;
  while (true) {
    std::size_t pick = dice.below(total);
    const Kind* chosen = all.data();
    for (; pick >= chosen->weight; ++chosen) pick -= chosen->weight;
    if (during_pass && (chosen->make == &Operations::replace_file ||
                        chosen->make == &Operations::write_unlogged)) {
      continue;
    }
    return std::string(chosen->name) + " " + (this->*chosen->make)(dice, now);
  }
}

std::string Operations::insert_with(Dice& dice, const State& now, const std::string& verb,
                                    const std::string& tail) {
  const std::string name = any_table(dice, now);
  if (name.empty()) return "nothing";
  const Table& table = *now.at(name);
  std::string columns;
  std::string marks;
  std::vector<Value> args;
  for (const Column& column : table.columns) {
    columns += (columns.empty() ? "" : ", ") + quoted(column.name);
    marks += marks.empty() ? "?" : ", ?";
    args.push_back(value_for(dice, column.name));
  }
  const auto* const key = std::get_if<std::string>(&args[table.key_column]);
  std::string sql = verb + " INTO " + quoted(name) + "(" + columns + ") VALUES(" + marks + ")";
  if (tail == "upsert") {
    const std::size_t edited = dice.below(table.columns.size());
    const std::string column = quoted(table.columns[edited].name);
    sql += " ON CONFLICT(" + quoted(key_name(table)) + ") DO UPDATE SET " + column +
           " = excluded." + column;
  }
  source_.run(sql, args);
  return name + (key != nullptr ? " " + *key : "");
}

std::string Operations::insert(Dice& dice, const State& now) {
  for (const auto& [name, table] : now) {
    if (table->rows.size() > kRowsMax) {
      source_.run("DELETE FROM " + quoted(name) + " WHERE rowid % 2 = 0");
      return "deletes half of " + name;
    }
  }
  return insert_with(dice, now, "INSERT", {});
}

std::string Operations::insert_odd_key(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty() || name == "heuristics") return "nothing";
  const std::vector<Value> keys = {Value{}, Value(Blob{"k"}), Value(kNotUtf8 + "e"),
                                   Value("e\xff" + std::to_string(dice.below(9)))};
  const std::string column = quoted(key_name(*now.at(name)));
  const Value key = dice.of(keys);
  if (name == "episodes") {
    source_.run("INSERT INTO episodes(" + column + ", start_time) VALUES(?, ?)",
                {key, order_value(dice)});
  } else {
    source_.run("INSERT INTO " + quoted(name) + "(" + column + ") VALUES(?)", {key});
  }
  const auto* const text = std::get_if<std::string>(&key);
  return name + (text != nullptr ? ", a text that is not UTF-8" : ", NULL or a blob");
}

std::string Operations::bulk_insert(Dice& dice, const State& now) {
  source_.run("BEGIN");
  std::string text;
  for (int i = 0; i < 6; ++i) text += insert_with(dice, now, "INSERT OR IGNORE", {}) + ", ";
  source_.run("COMMIT");
  return text;
}

std::string Operations::edit(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty()) return "nothing";
  const Table& table = *now.at(name);
  const std::size_t at = dice.below(table.columns.size());
  if (at == table.key_column) return change_key(dice, now);
  const std::string& column = table.columns[at].name;
  source_.run("UPDATE " + quoted(name) + " SET " + quoted(column) + " = ? WHERE " +
                  one_row(dice, name, table.rows.size()),
              {value_for(dice, column)});
  return name + "." + column;
}

std::string Operations::re_date(Dice& dice, const State& now) {
  if (!now.contains("episodes")) return "nothing";
  source_.run("UPDATE episodes SET start_time = ? WHERE " +
                  one_row(dice, "episodes", now.at("episodes")->rows.size()),
              {order_value(dice)});
  return "an episode";
}

std::string Operations::re_parent(Dice& dice, const State& now) {
  std::vector<std::string> names;
  for (const auto& [name, table] : now) {
    if (table->find("item_id")) names.push_back(name);
  }
  if (names.empty()) return "nothing";
  const std::string name = dice.of(names);
  source_.run("UPDATE " + quoted(name) + " SET item_id = ? WHERE " +
                  one_row(dice, name, now.at(name)->rows.size()),
              {parent_id(dice)});
  return name;
}

std::string Operations::change_key(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty()) return "nothing";
  const std::string key = key_name(*now.at(name));
  source_.run("UPDATE " + quoted(name) + " SET " + quoted(key) + " = ? WHERE " +
                  one_row(dice, name, now.at(name)->rows.size()),
              {value_for(dice, key)});
  return name;
}

std::string Operations::update_or_ignore(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty()) return "nothing";
  const std::string key = quoted(key_name(*now.at(name)));
  // Many rows to one key: all but one are ignored.
  source_.run("UPDATE OR IGNORE " + quoted(name) + " SET " + key + " = ? WHERE rowid % 3 = ?",
              {value_for(dice, key_name(*now.at(name))), static_cast<std::int64_t>(dice.below(3))});
  return name;
}

std::string Operations::upsert(Dice& dice, const State& now) {
  return insert_with(dice, now, "INSERT", "upsert");
}

std::string Operations::replace(Dice& dice, const State& now) {
  return insert_with(dice, now, "INSERT OR REPLACE", {});
}

std::string Operations::erase(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty()) return "nothing";
  source_.run("DELETE FROM " + quoted(name) + " WHERE " +
              one_row(dice, name, now.at(name)->rows.size()));
  return name;
}

// As a client whose triggers are off: afterwards they are as they were.
std::string Operations::write_unlogged(Dice& dice, const State& now) {
  if (!captures_) return "nothing";
  const auto triggers = source_.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'");
  for (const auto& row : triggers) {
    source_.run("DROP TRIGGER " + quoted(std::get<std::string>(row[0])));
  }
  std::string what;
  switch (dice.below(4)) {
    case 0:
      what = insert_with(dice, now, "INSERT OR IGNORE", {});
      break;
    case 1:
      what = erase(dice, now);
      break;
    case 2:
      what = re_date(dice, now);
      break;
    default:
      what = edit(dice, now);
  }
  for (const auto& row : triggers) source_.run(std::get<std::string>(row[1]));
  renews_ = true;
  return what;
}

std::string Operations::erase_all(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (!name.empty()) source_.run("DELETE FROM " + quoted(name));
  return name;
}

std::string Operations::add_column(Dice& dice, const State& now) {
  const std::string name = any_table(dice, now);
  if (name.empty() || now.at(name)->columns.size() >= kColumnsMax) return "nothing";
  const std::string column = "added" + std::to_string(++added_columns_);
  source_.run("ALTER TABLE " + quoted(name) + " ADD COLUMN " + column +
              (dice.one_in(2) ? " TEXT" : " TEXT DEFAULT 'd'"));
  return name + "." + column;
}

// What an index changes is how the source is asked.
std::string Operations::toggle_index(Dice& dice, const State& now) {
  const bool order = dice.one_in(2);
  if (!now.contains(order ? "episodes" : "embeddings")) return "nothing";
  const std::string name = order ? "episodes_by_start" : "embeddings_by_item";
  const std::string on = order ? "episodes(start_time)" : "embeddings(item_id)";
  const bool there =
      !source_.rows("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = '" + name + "'")
           .empty();
  source_.run(there ? "DROP INDEX " + name : "CREATE INDEX " + name + " ON " + on);
  return name + (there ? " dropped" : " made");
}

std::string Operations::recreate(Dice& dice, const State& now) {
  const Made& made = dice.of(tables());
  const bool there = now.contains(made.name);
  source_.run("BEGIN");
  if (there) source_.run("DROP TABLE " + std::string(made.name));
  const bool back = !there || dice.one_in(2) || std::string(made.name) == "episodes";
  if (back) source_.run("CREATE TABLE " + std::string(made.name) + made.sql);
  source_.run("COMMIT");
  return std::string(made.name) + (back ? "" : ", which stays away");
}

std::string Operations::rename(Dice& dice, const State& now) {
  const Made& made = dice.of(tables());
  const std::string name = made.name;
  const std::string away = "old_" + name;
  source_.run("DROP TABLE IF EXISTS " + away);
  if (!now.contains(name)) return "nothing";
  source_.run("BEGIN");
  source_.run("ALTER TABLE " + name + " RENAME TO " + away);
  // An episodes table that is away makes passes fail: seldom, and recreate brings it back.
  const bool again = dice.one_in(2) || (name == "episodes" && !dice.one_in(4));
  if (again) {
    source_.run("CREATE TABLE " + name + made.sql);
    const std::string key = key_name(*now.at(name));
    source_.run("INSERT INTO " + name + "(" + key + ") SELECT " + key + " FROM " + away +
                " WHERE rowid % 2 = 1");
  }
  source_.run("COMMIT");
  return name + (again ? " and made anew" : "");
}

std::string Operations::save_copy(Dice& dice, const State&) {
  const std::size_t number = copies_ < kCopiesMax ? copies_++ : dice.below(kCopiesMax);
  source_.save_to(folder_ + "/copy" + std::to_string(number) + ".db");
  return std::to_string(number);
}

std::string Operations::restore(Dice& dice, const State&) {
  if (copies_ == 0) return "nothing";
  const std::string number = std::to_string(dice.below(copies_));
  source_.restore_in_place(folder_ + "/copy" + number + ".db");
  return "copy " + number;
}

void Operations::capture(Dice& dice) {
  captures_ = true;
  static_cast<void>(install(dice, {}));
}

void Operations::erase_newest_log_entry() {
  if (!captures_ || !source_.has_table("tidemark_changes")) return;
  source_.run("DROP TRIGGER IF EXISTS tidemark_log_delete");
  source_.run("DELETE FROM tidemark_changes WHERE seq = (SELECT max(seq) FROM tidemark_changes)");
}

// Its own copy of the log, by primary key, as Turso Sync does: over newer entries, or away with
// them.
std::string Operations::push_log(Dice& dice, const State&) {
  if (!captures_ || !source_.has_table("tidemark_changes")) return "nothing";
  const std::string newest = "(SELECT max(seq) FROM tidemark_changes)";
  const std::string back = newest + " - " + std::to_string(dice.below(5));
  switch (dice.below(3)) {
    case 0:
      source_.run(
          "INSERT OR REPLACE INTO tidemark_changes(seq, tbl, id, nonce) SELECT seq, tbl, "
          "'pushed', 7 FROM tidemark_changes WHERE seq = " +
          back);
      return "over another entry";
    case 1:
      source_.run("DELETE FROM tidemark_changes WHERE seq = " + back);
      return "without an entry";
    default:
      source_.run("UPDATE tidemark_changes SET id = 'pushed' WHERE seq = " + back);
      return "with another id";
  }
}

std::string Operations::install(Dice& dice, const State&) {
  return administer(CaptureAction::install, dice);
}

std::string Operations::prune(Dice& dice, const State&) {
  return administer(CaptureAction::prune, dice);
}

std::string Operations::remove(Dice& dice, const State&) {
  return administer(CaptureAction::remove, dice);
}

// As the command line does.
std::string Operations::administer(CaptureAction action, Dice& dice) {
  if (!captures_) return "nothing";
  CaptureRequest request;
  request.action = action;
  request.keep = static_cast<std::int64_t>(1 + dice.below(60));
  if (action == CaptureAction::install) request.renew = std::exchange(renews_, false);
  const auto run = [&]() -> Result<void> {
    TIDEMARK_ASSIGN(admin, CaptureAdmin::open("file:" + source_.path()));
    TIDEMARK_ASSIGN(plan, admin.plan(request));
    TIDEMARK_ASSIGN(status, admin.apply(plan, request));
    static_cast<void>(status);
    return {};
  };
  const auto done = run();
  return done ? "keeping " + std::to_string(*request.keep) : "refused: " + done.error().message;
}

std::string Operations::replace_file(Dice& dice, const State&) {
  if (copies_ == 0) return "nothing";
  const std::string number = std::to_string(dice.below(copies_));
  source_.replace_file(folder_ + "/copy" + number + ".db");
  return "by copy " + number;
}

}  // namespace tidemark::simulation
