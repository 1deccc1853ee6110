#include "tests/fault/simulation/plants.h"

#include <algorithm>
#include <functional>

namespace tidemark::simulation {
namespace {

using Cells = std::span<const ValueView>;

bool has(const turso::Statement& statement, const char* text) {
  return statement.sql.find(text) != std::string::npos;
}
bool is_schema(const turso::Statement& s) { return has(s, "FROM sqlite_master"); }
bool is_window(const turso::Statement& s) { return has(s, "typeof(") && has(s, " DESC LIMIT "); }
bool is_list(const turso::Statement& s) { return has(s, "typeof(") && has(s, "ORDER BY"); }
bool is_children(const turso::Statement& s) { return has(s, "WHERE \"item_id\" IN (?"); }
bool is_page(const turso::Statement& s) { return has(s, " IN (?") && !is_children(s); }
bool is_odd(const turso::Statement& s) { return has(s, "SELECT quote("); }

bool is_touched(const turso::Statement& s) { return has(s, "CROSS JOIN"); }
bool is_touched_children(const turso::Statement& s) {
  return is_touched(s) && has(s, "t.\"item_id\" = +c.id");
}
bool is_range(const turso::Statement& s) { return has(s, "SELECT DISTINCT tbl, id"); }
bool is_range_end(const turso::Statement& s) { return has(s, "SELECT max(seq), (SELECT nonce"); }
bool is_head(const turso::Statement& s) { return has(s, "SELECT (SELECT max(seq)"); }
bool is_capture_meta(const turso::Statement& s) { return has(s, "FROM tidemark_meta WHERE key <"); }
bool is_backfill(const turso::Statement& s) { return is_window(s) && has(s, " COLLATE BINARY <="); }

// The rows again, each as `keep` leaves it; false drops it.
using Keep = std::function<bool(std::size_t row, std::vector<ValueView>& cells)>;
void filter(model::RowSet& rows, const Keep& keep) {
  model::RowSet out;
  out.set_columns(rows.columns());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Cells row = rows.row(i);
    std::vector<ValueView> cells(row.begin(), row.end());
    if (keep(i, cells)) out.add(cells);
  }
  rows = std::move(out);
}

void drop(model::RowSet& rows, std::size_t at) {
  filter(rows, [at](std::size_t row, auto&) { return row != at; });
}

bool same_order(ValueView a, ValueView b) {
  return a.type() == b.type() && a.as_int64() == b.as_int64() && a.as_real() == b.as_real() &&
         a.bytes() == b.bytes();
}

// Equal order values come with their keys the other way round.
void swap_ties(model::RowSet& rows) {
  model::RowSet out;
  out.set_columns(rows.columns());
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    while (end < rows.size() && same_order(rows.row(end)[1], rows.row(i)[1])) ++end;
    for (std::size_t k = end; k-- > i;) out.add(rows.row(k));
    i = end;
  }
  rows = std::move(out);
}

void blank(model::RowSet& rows, const std::string& column, ValueView value) {
  const auto at = std::ranges::find(rows.columns(), column);
  if (at == rows.columns().end()) return;
  const auto index = static_cast<std::size_t>(at - rows.columns().begin());
  filter(rows, [&](std::size_t, auto& cells) {
    cells[index] = value;
    return true;
  });
}

Value owned(ValueView cell) {
  if (cell.type() == ValueType::text) return std::string(cell.bytes());
  return cell.type() == ValueType::int64 ? Value(cell.as_int64()) : Value{};
}

// The schema stays what it was at the first look.
void freeze(PlantMemory& memory, const std::string& sql, model::RowSet& rows) {
  if (!memory.schema.contains(sql)) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& kept = memory.schema[sql].emplace_back();
      for (const ValueView cell : rows.row(i)) kept.push_back(owned(cell));
    }
    return;
  }
  model::RowSet out;
  out.set_columns(rows.columns());
  for (const auto& kept : memory.schema[sql]) {
    std::vector<ValueView> cells;
    for (const Value& value : kept) cells.push_back(view(value));
    out.add(cells);
  }
  rows = std::move(out);
}

void keep_nonce(PlantMemory& memory, std::optional<std::int64_t> seq, ValueView& nonce) {
  if (!seq || nonce.type() != ValueType::int64) return;
  const auto kept = memory.nonces.try_emplace(*seq, nonce.as_int64()).first;
  nonce = ValueView::int64(kept->second);
}

// Each log row has the nonce that it had when it was first seen.
void keep_nonces(PlantMemory& memory, const turso::Statement& head, model::RowSet& rows) {
  filter(rows, [&](std::size_t, auto& cells) {
    const auto keep = [&](std::optional<std::int64_t> seq, ValueView& nonce) {
      keep_nonce(memory, seq, nonce);
    };
    const auto asked = [&](std::size_t i) {
      const auto* const seq = std::get_if<std::int64_t>(&head.args.at(i));
      return seq == nullptr ? std::optional<std::int64_t>() : *seq;
    };
    keep(asked(0), cells[1]);
    keep(asked(1), cells[2]);
    if (cells[0].type() == ValueType::int64) keep(cells[0].as_int64(), cells[3]);
    return true;
  });
}

// The row at `ahead` alone.
void keep_nonce_of_ahead(PlantMemory& memory, const turso::Statement& head, model::RowSet& rows) {
  filter(rows, [&](std::size_t, auto& cells) {
    const bool known = cells[0].type() == ValueType::int64 && cells[3].type() == ValueType::int64;
    if (known) memory.nonces.try_emplace(cells[0].as_int64(), cells[3].as_int64());
    const auto* const ahead = std::get_if<std::int64_t>(&head.args.at(1));
    if (ahead != nullptr) keep_nonce(memory, *ahead, cells[2]);
    return true;
  });
}

void hide_floor(model::RowSet& rows) {
  filter(rows, [](std::size_t, auto& cells) {
    if (cells[0].bytes() == "floor") cells[1] = ValueView::int64(0);
    return true;
  });
}

void keep_epochs(PlantMemory& memory, model::RowSet& rows) {
  filter(rows, [&](std::size_t, auto& cells) {
    if (!cells[0].bytes().starts_with("epoch:")) return true;
    const auto kept =
        memory.epochs.try_emplace(std::string(cells[0].bytes()), cells[1].bytes()).first;
    cells[1] = ValueView::text(kept->second);
    return true;
  });
}

void bend_bad_text(model::RowSet& rows) {
  filter(rows, [](std::size_t, auto& cells) {
    for (ValueView& cell : cells) {
      const bool bad = cell.type() == ValueType::text && cell.bytes().contains('\xff');
      if (bad) cell = ValueView::text("bent");
    }
    return true;
  });
}

// What a pass that follows the log reads.
void corrupt_delta(Plant plant, PlantMemory& memory, const turso::Statement& statement,
                   model::RowSet& rows) {
  switch (plant) {
    case Plant::hides_touched_row:
      if (is_touched(statement) && !is_touched_children(statement) && rows.size() > 0) {
        drop(rows, 0);
      }
      return;
    case Plant::hides_touched_children:
      if (is_touched_children(statement) && rows.size() > 0) drop(rows, 0);
      return;
    case Plant::hides_part_of_range:
      if (is_range(statement) && rows.size() > 0) drop(rows, rows.size() - 1);
      return;
    case Plant::hides_other_branch:
      if (is_head(statement)) keep_nonces(memory, statement, rows);
      if (is_range_end(statement)) {
        filter(rows, [&](std::size_t, auto& cells) {
          if (cells[0].type() == ValueType::int64) {
            keep_nonce(memory, cells[0].as_int64(), cells[1]);
          }
          return true;
        });
      }
      return;
    case Plant::hides_backfill:
      if (is_backfill(statement)) rows.clear();
      return;
    case Plant::hides_floor:
      if (is_capture_meta(statement)) hide_floor(rows);
      return;
    case Plant::hides_new_epochs:
      if (is_capture_meta(statement)) keep_epochs(memory, rows);
      return;
    case Plant::hides_other_ahead:
      if (is_head(statement)) keep_nonce_of_ahead(memory, statement, rows);
      return;
    default:
      return;
  }
}

void corrupt_rows(Plant plant, PlantMemory& memory, const turso::Statement& statement,
                  model::RowSet& rows) {
  const bool window = is_window(statement) && rows.columns().size() == 2;
  switch (plant) {
    case Plant::hides_newest:
      if (window && rows.size() > 0) drop(rows, 0);
      return;
    case Plant::hides_last_of_list:
      if (is_list(statement) && rows.size() > 0) drop(rows, rows.size() - 1);
      return;
    case Plant::hides_null_order:
      if (window) filter(rows, [](std::size_t, auto& cells) { return !cells[1].is_null(); });
      return;
    case Plant::swaps_ties:
      if (window) swap_ties(rows);
      return;
    case Plant::hides_what_is_older:
      if (window && rows.size() > 3) {
        filter(rows, [](std::size_t row, auto&) { return row < 3; });
      }
      return;
    case Plant::hides_embedding:
      if (is_children(statement) && rows.size() > 0) drop(rows, rows.size() - 1);
      return;
    case Plant::drops_item_type:
      if (is_children(statement)) blank(rows, "item_type", ValueView::text("episode"));
      if (is_page(statement)) blank(rows, "item_type", ValueView::text("episode"));
      return;
    case Plant::hides_row_of_page:
      if (is_page(statement) && rows.size() > 0) drop(rows, 0);
      return;
    case Plant::hides_odd_keys:
      if (is_odd(statement)) rows.clear();
      return;
    case Plant::hides_dimension:
      if (is_page(statement)) blank(rows, "dimension", ValueView::null());
      return;
    case Plant::bends_bad_text:
      if (is_page(statement)) bend_bad_text(rows);
      return;
    case Plant::hides_schema_change:
      if (is_schema(statement) || statement.sql.starts_with("PRAGMA table_info"))
        freeze(memory, statement.sql, rows);
      return;
    default:
      corrupt_delta(plant, memory, statement, rows);
  }
}

turso::BatchReply empty_reply(const turso::BatchReply& like) {
  turso::BatchReply out;
  for (const auto& rows : like.results) {
    out.results.emplace_back().set_columns(rows.columns());
  }
  return out;
}

turso::BatchReply copy_of(const turso::BatchReply& reply) {
  turso::BatchReply out = empty_reply(reply);
  for (std::size_t i = 0; i < reply.results.size(); ++i) {
    for (std::size_t r = 0; r < reply.results[i].size(); ++r) {
      out.results[i].add(reply.results[i].row(r));
    }
  }
  return out;
}

}  // namespace

const std::vector<PlantInfo>& all_plants() {
  static const std::vector<PlantInfo> all = {
      {Plant::hides_newest, "the list lacks the newest episode", "7: the scope is the newest N"},
      {Plant::hides_last_of_list, "lists lack their last row", "8: a list is read to its end"},
      {Plant::hides_null_order, "episodes without an order value are not listed",
       "7: NULL order comes last, and is in the window"},
      {Plant::swaps_ties, "equal order values are not ordered by key", "7: k DESC breaks ties"},
      {Plant::hides_what_is_older, "the source seems exhausted after three",
       "7: the boundary is -infinity only when the source is exhausted"},
      {Plant::hides_embedding, "a parent's list lacks an embedding",
       "10: the embeddings of a cached parent are a complete list"},
      {Plant::drops_item_type, "every embedding is taken for an episode's",
       "7: item_type names the parent's collection"},
      {Plant::hides_row_of_page, "a row that is there is taken for gone",
       "8: deleted only after the source does not have it"},
      {Plant::hides_odd_keys, "keys that cannot be cached are not told",
       "7: a NULL, non-UTF-8 or other-class key is skipped and listed"},
      {Plant::hides_dimension, "a wrong dimension is not seen", "9: an invalid row is skipped"},
      {Plant::bends_bad_text, "a text that is not UTF-8 is made fit",
       "9: an invalid row is skipped, not mended"},
      {Plant::stale_page, "pages come from an older state",
       "8: rows of one state are committed only with their guard"},
      {Plant::claims_a_snapshot, "requests of a pass see different states",
       "8: over file: a scan is one read transaction"},
      {Plant::hides_schema_change, "the schema never changes", "8: the guard block is the schema"},
      {Plant::empty_for_lost, "an empty reply stands for a lost one",
       "9: a pass that could not ask skips"},
      {Plant::reply_to_another, "a page gets the reply to the page before",
       "8: replies to abandoned attempts are dropped"},
      {Plant::keeps_old_file, "a replaced file is not noticed",
       "8: file: sources are checked before each pass"},
      {Plant::fast_clock, "the clock is read too late",
       "10: checked_at is the clock before the first request"},
      {Plant::loses_log_entries, "a pushing client erases what was just logged",
       "8: guard triggers keep an item's newest entry"},
      {Plant::hides_touched_row, "a touched row is taken for gone",
       "8: whether a touched item was deleted is decided by looking it up"},
      {Plant::hides_touched_children, "an embedding of a touched parent is not told",
       "8: a delta brings the embeddings of touched parents"},
      {Plant::hides_part_of_range, "a log row of the range is not read",
       "8: every statement reads exactly the range"},
      {Plant::hides_other_branch, "log rows of another history look like those seen",
       "8: another nonce at the anchor is a doubt"},
      {Plant::hides_backfill, "nothing is below the window",
       "7: window rule: what is missing is filled from below"},
      {Plant::never_audits, "no pass compares a cache that follows a log",
       "8: an audit finds what was written with triggers off"},
      {Plant::hides_log_from_audit, "what was logged while an audit read is not asked for",
       "8: a difference that the log explains is not missed"}};
  return all;
}

bool reads_rows(const turso::Batch& batch) {
  return std::ranges::any_of(batch.statements, is_page);
}

void corrupt(Plant plant, PlantMemory& memory, const turso::Batch& batch,
             Result<turso::BatchReply>& reply) {
  if (plant == Plant::none) return;
  if (plant == Plant::empty_for_lost && !reply && memory.last && reads_rows(batch) &&
      memory.last_sql == batch.statements.back().sql) {
    reply = empty_reply(*memory.last);
  }
  if (!reply) return;
  // Nothing but the range: a delta asks for rows with it.
  if (plant == Plant::hides_log_from_audit && is_range(batch.statements.back())) {
    reply->results.back().clear();
  }
  for (std::size_t i = 0; i < reply->results.size() && i < batch.statements.size(); ++i) {
    corrupt_rows(plant, memory, batch.statements[i], reply->results[i]);
  }
  const bool remembers = plant == Plant::empty_for_lost || plant == Plant::reply_to_another;
  if (!remembers || !reads_rows(batch)) return;
  turso::BatchReply now = copy_of(*reply);
  const bool same_form = memory.last && memory.last_sql == batch.statements.back().sql;
  if (plant == Plant::reply_to_another && same_form) reply = copy_of(*memory.last);
  memory.last = std::move(now);
  memory.last_sql = batch.statements.back().sql;
}

}  // namespace tidemark::simulation
