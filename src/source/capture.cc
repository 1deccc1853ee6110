#include "source/capture.h"

#include <algorithm>
#include <set>

#include "source/capture_names.h"
#include "source/capture_sql.h"
#include "source/quoting.h"
#include "source/source.h"
#include "source/tables.h"

namespace tidemark::source {
namespace {

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(to));
}

// "WITHOUT ROWID" stands behind the columns, with any blanks between the words.
bool is_without_rowid(std::string_view table_sql) {
  const std::size_t end = table_sql.rfind(')');
  std::string rest = lower_ascii(end == std::string_view::npos ? "" : table_sql.substr(end + 1));
  std::erase_if(rest, [](unsigned char c) { return c <= ' '; });
  return rest.find("withoutrowid") != std::string::npos;
}

// The key's column, or why there is none.
void read_key(const model::RowSet& info, CaptureTable& table) {
  std::string declared;
  std::size_t keys = 0;
  for (std::size_t i = 0; i < info.size(); ++i) {
    const auto row = info.row(i);
    if (row[5].as_int64() == 0) continue;
    ++keys;
    table.key = row[1].bytes();
    declared = row[2].bytes();
  }
  if (keys != 1) {
    table.refusal = keys == 0 ? "it has no primary key" : "its primary key has several columns";
  } else if (!has_integer_affinity(declared) && !has_text_affinity(declared)) {
    table.refusal = "its key " + table.key + " is neither INTEGER nor TEXT";
  }
  if (!table.refusal.empty()) table.key.clear();
}

bool has_other_unique(const model::RowSet& index_list) {
  for (std::size_t i = 0; i < index_list.size(); ++i) {
    const auto row = index_list.row(i);
    if (row[2].as_int64() != 0 && row[3].bytes() != "pk") return true;
  }
  return false;
}

CaptureTable read_table(const std::string& name, std::string_view sql, const model::RowSet& info,
                        const model::RowSet& index_list) {
  CaptureTable table{name, {}, std::string(sql), {}};
  read_key(info, table);
  if (!table.refusal.empty()) return table;
  if (lower_ascii(sql).starts_with("create virtual")) {
    table.refusal = "it is a virtual table, which has no triggers";
  } else if (is_without_rowid(sql)) {
    table.refusal = "it is a WITHOUT ROWID table";
  } else if (has_other_unique(index_list)) {
    table.refusal =
        "it has a UNIQUE index besides its key: a REPLACE through it removes rows unseen";
  }
  return table;
}

// The tables whose capture is as it should be, and those that need it made.
struct Wanted {
  std::vector<const CaptureTable*> healthy;
  std::vector<const CaptureTable*> to_make;
};

Wanted wanted_tables(const CaptureSurvey& survey) {
  Wanted wanted;
  for (const CaptureTable& table : survey.tables) {
    if (!table.refusal.empty()) continue;
    const bool healthy = survey.log_works() && survey.guard->epochs.contains(table.name) &&
                         !survey.guard->unhealthy.contains(table.name);
    (healthy ? wanted.healthy : wanted.to_make).push_back(&table);
  }
  return wanted;
}

// Triggers that belong to no table to be captured. Those to be made drop their forerunners.
std::vector<std::string> drop_others(const CaptureSurvey& survey, const Wanted& wanted) {
  std::set<std::string> stay;
  stay.insert(kLogTriggers.begin(), kLogTriggers.end());  // they go with their table
  for (const auto& tables : {wanted.healthy, wanted.to_make}) {
    for (const CaptureTable* const table : tables) {
      for (auto& name : table_triggers(table->name, table->sql)) stay.insert(std::move(name));
    }
  }
  std::vector<std::string> statements;
  for (const std::string& name : survey.triggers) {
    if (!stay.contains(lower_ascii(name))) statements.push_back(drop_trigger(name));
  }
  return statements;
}

// Epochs of tables that are gone or can no longer be captured.
std::vector<std::string> forget_others(const CaptureSurvey& survey) {
  std::vector<std::string> statements;
  if (!survey.log_works()) return statements;  // meta is made anew
  for (const auto& [name, epoch] : survey.guard->epochs) {
    const auto table = std::ranges::find(survey.tables, name, &CaptureTable::name);
    if (table != survey.tables.end() && table->refusal.empty()) continue;
    append(statements, forget_table(name));
  }
  return statements;
}

std::unexpected<Error> nothing_to_capture(const CaptureSurvey& survey) {
  std::string reasons;
  for (const CaptureTable& table : survey.tables) {
    reasons += (reasons.empty() ? "" : "; ") + table.name + ": " + table.refusal;
  }
  return fail(ErrorCode::unsupported, "no table can be captured: " + reasons,
              "`tidemark sync` works without capture, by reading the whole scope in each pass");
}

}  // namespace

turso::Statement objects_statement() {
  return {
      "SELECT type, name, tbl_name, sql FROM sqlite_master "
      "WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY type, name",
      {}};
}

Result<turso::Batch> tables_batch(const model::RowSet& objects) {
  if (objects.columns().size() != 4) return turso::unexpected_reply("what its tables are");
  TIDEMARK_TRY(discovery_batch(objects));
  turso::Batch batch;
  for (const Candidate& table : candidates(objects)) {
    batch.statements.push_back({"PRAGMA table_info(" + quote_name(table.name) + ")", {}});
    batch.statements.push_back({"PRAGMA index_list(" + quote_name(table.name) + ")", {}});
  }
  return batch;
}

Result<CaptureSurvey> read_tables(const model::RowSet& objects, const turso::BatchReply& reply) {
  const auto tables = candidates(objects);
  if (reply.results.size() != 2 * tables.size()) {
    return turso::unexpected_reply("what its tables are");
  }
  CaptureSurvey survey;
  std::map<std::string, std::string> sql_of;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto row = objects.row(i);
    const std::string_view name = row[1].bytes();
    if (row[0].bytes() == "trigger" && is_capture_trigger(name)) survey.triggers.emplace_back(name);
    if (row[0].bytes() != "table") continue;
    sql_of[std::string(name)] = row[3].bytes();
    survey.has_log = survey.has_log || name == kLogTable;
    survey.has_meta = survey.has_meta || name == kMetaTable;
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const model::RowSet& info = reply.results[2 * i];
    const model::RowSet& index_list = reply.results[2 * i + 1];
    if (info.columns().size() < 6 || (index_list.size() > 0 && index_list.columns().size() < 4)) {
      return turso::unexpected_reply("what its tables are");
    }
    survey.tables.push_back(read_table(tables[i].name, sql_of[tables[i].name], info, index_list));
  }
  return survey;
}

turso::Batch log_batch() {
  turso::Batch batch;
  batch.statements = guard_statements({});
  batch.statements.push_back({"SELECT min(seq) FROM tidemark_changes", {}});
  return batch;
}

Result<void> read_log(const turso::BatchReply& reply, CaptureSurvey& survey) {
  if (reply.results.size() != kGuardStatements + 1 || reply.results.back().size() != 1) {
    return turso::unexpected_reply("how capture is");
  }
  TIDEMARK_ASSIGN(guard, read_guard(reply.results));
  survey.guard = std::move(guard);
  const ValueView first = reply.results.back().row(0)[0];
  if (first.type() == ValueType::int64) survey.first = first.as_int64();
  return {};
}

turso::Statement journal_statement() { return {"PRAGMA journal_mode", {}}; }

void read_journal(const model::RowSet& rows, CaptureSurvey& survey) {
  if (rows.size() == 0 || lower_ascii(rows.row(0)[0].bytes()).find("mvcc") == std::string::npos) {
    return;
  }
  for (CaptureTable& table : survey.tables) {
    if (table.refusal.empty()) table.refusal = "the database's journal mode is MVCC";
  }
}

Result<std::vector<std::string>> install_statements(const CaptureSurvey& survey, std::int64_t keep,
                                                    bool renew) {
  if (survey.guard && survey.guard->version > kCaptureVersion) {
    return fail(ErrorCode::unsupported, "the source has a newer change capture than this tidemark",
                "upgrade tidemark");
  }
  const Wanted wanted = wanted_tables(survey);
  if (wanted.healthy.empty() && wanted.to_make.empty()) return nothing_to_capture(survey);
  std::vector<std::string> statements = drop_others(survey, wanted);
  append(statements, forget_others(survey));
  if (!survey.log_works()) {
    append(statements, create_log(survey.guard ? survey.guard->database_id : std::string()));
  }
  for (const CaptureTable* const table : wanted.to_make) {
    append(statements, create_table_triggers(table->name, table->key, table->sql, keep));
    append(statements, record_table(table->name, table->sql));
  }
  if (!renew) return statements;
  for (const CaptureTable* const table : wanted.healthy) {
    append(statements, record_table(table->name, table->sql));
  }
  return statements;
}

std::vector<std::string> remove_statements(const CaptureSurvey& survey) {
  std::vector<std::string> statements;
  if (!survey.has_anything()) return statements;
  for (const std::string& name : survey.triggers) statements.push_back(drop_trigger(name));
  statements.emplace_back("DROP TABLE IF EXISTS tidemark_changes");
  statements.emplace_back("DROP TABLE IF EXISTS tidemark_meta");
  return statements;
}

std::vector<std::vector<std::string>> prune_transactions(const CaptureSurvey& survey,
                                                         std::int64_t keep) {
  std::vector<std::vector<std::string>> transactions;
  if (!survey.guard || !survey.first) return transactions;
  const std::int64_t target = survey.guard->head - keep;
  const std::int64_t distance = target - *survey.first;
  if (distance <= 0) return transactions;
  const std::int64_t step = std::max(kPruneChunkRows, distance / kPruneChunksMax + 1);
  for (std::int64_t done = step; done < distance; done += step) {
    transactions.push_back(prune_to(*survey.first + done));
  }
  transactions.push_back(prune_to(target));
  return transactions;
}

}  // namespace tidemark::source
