// Which tables are ours and what their columns are for: found by looking, as docs/cache-format.md
// says.
#include <algorithm>
#include <array>
#include <utility>

#include "source/capture_names.h"
#include "source/fingerprint.h"
#include "source/indexed.h"
#include "source/quoting.h"
#include "source/source.h"
#include "source/tables.h"

namespace tidemark::source {
namespace {

using model::Collection;
using model::Kind;

constexpr std::array<std::string_view, 3> kOrderColumns = {"timestamp", "start_time", "created_at"};
constexpr std::array<std::string_view, 4> kIndexColumns = {"pattern_type", "domain",
                                                           "context_domain", "task_type"};

std::string lower(std::string_view text) { return lower_ascii(text); }

// One of the tables of change capture.
bool is_own(std::span<const ValueView> schema_row) {
  return schema_row[1].bytes().starts_with(kOwnPrefix);
}

std::unexpected<Error> no_episodes(const model::RowSet& schema_rows) {
  std::string tables;
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (row[0].bytes() == "view" && lower(row[1].bytes()) == "episodes") {
      return fail(ErrorCode::unsupported, "episodes is a view at the source",
                  "tidemark reads tables; name the table behind the view `episodes`");
    }
    if (row[0].bytes() == "table" && !is_own(row))
      tables += (tables.empty() ? "" : ", ") + std::string(row[1].bytes());
  }
  return fail(
      ErrorCode::invalid,
      "the source has no table `episodes`; it has " + (tables.empty() ? "no tables" : tables),
      "is this the right database? see README for the schema that tidemark reads");
}

std::optional<std::size_t> find_column(const Collection& collection, std::string_view name) {
  for (std::size_t i = 0; i < collection.columns.size(); ++i) {
    if (lower(collection.columns[i].name) == name) return i;
  }
  return std::nullopt;
}

Result<void> read_key(Collection& collection, const model::RowSet& info, std::string_view wanted) {
  std::size_t keys = 0;
  for (std::size_t i = 0; i < info.size(); ++i) {
    const bool is_key = wanted.empty() ? info.row(i)[5].as_int64() > 0
                                       : lower(info.row(i)[1].bytes()) == lower(wanted);
    if (!is_key) continue;
    ++keys;
    collection.key_column = i;
  }
  const std::string table = "table " + collection.name;
  if (keys != 1) {
    return fail(
        ErrorCode::unsupported,
        table + (keys == 0 ? " has no primary key" : " has a primary key of several columns"),
        "tidemark needs a primary key of one column, INTEGER or TEXT");
  }
  const std::string& declared = collection.columns[collection.key_column].declared_type;
  collection.integer_key = has_integer_affinity(declared);
  if (!collection.integer_key && !has_text_affinity(declared)) {
    return fail(ErrorCode::unsupported,
                table + ": the key " + collection.columns[collection.key_column].name +
                    " is declared as '" + declared + "'",
                "tidemark needs a primary key of one column, INTEGER or TEXT");
  }
  return {};
}

void read_parent_roles(Collection& collection) {
  constexpr std::array<std::pair<std::string_view, std::optional<Kind>>, 3> kParents = {
      {{"item_id", std::nullopt}, {"episode_id", Kind::episodes}, {"pattern_id", Kind::patterns}}};
  for (const auto& [name, kind] : kParents) {
    collection.parent_column = find_column(collection, name);
    if (!collection.parent_column) continue;
    collection.parent_kind = kind;
    if (!kind) collection.parent_type_column = find_column(collection, "item_type");
    break;
  }
  collection.vector_column = find_column(collection, "embedding_vector");
  collection.vector_text_column = find_column(collection, "embedding_data");
  collection.dimension_column = find_column(collection, "dimension");
}

Result<void> read_roles(Collection& collection, const model::RowSet& info,
                        const RoleOverrides& overrides) {
  const bool episodes = collection.kind == Kind::episodes;
  TIDEMARK_TRY(read_key(collection, info, episodes ? overrides.episodes_key : std::string{}));
  if (episodes) {
    for (const std::string_view name : kOrderColumns) {
      if (!collection.order_column) collection.order_column = find_column(collection, name);
    }
    if (!overrides.episodes_order.empty()) {
      collection.order_column = find_column(collection, lower(overrides.episodes_order));
    }
  }
  if (collection.kind == Kind::patterns) {
    for (const std::string_view name : kIndexColumns) {
      if (const auto column = find_column(collection, name))
        collection.index_columns.push_back(*column);
    }
  }
  if (collection.kind == Kind::embeddings) read_parent_roles(collection);
  return {};
}

// One byte for UTF-8, two for UTF-16; every server answers it.
turso::Statement encoding_statement() { return {"SELECT length(CAST('a' AS BLOB))", {}}; }

turso::Statement columns_statement(std::string_view table) {
  return {"PRAGMA table_info(" + quote_name(table) + ")", {}};
}

void find_indexes(model::Catalog& catalog, const model::RowSet& schema_rows) {
  for (Collection& collection : catalog.collections) {
    const auto walks = [&](std::size_t column) {
      const std::string& name = collection.columns[column].name;
      return is_indexed(schema_rows, collection.name, name) &&
             is_binary(schema_rows, collection.name, name);
    };
    collection.access.key_index = walks(collection.key_column);
    if (collection.order_column) collection.access.order_index = walks(*collection.order_column);
  }
}

// Embeddings are listed by their parents, in every pass.
void note_unindexed(model::Catalog& catalog, const model::RowSet& schema_rows) {
  for (Collection& collection : catalog.collections) {
    if (!collection.parent_column || *collection.parent_column == collection.key_column) continue;
    const std::string& column = collection.columns[*collection.parent_column].name;
    collection.access.parent_index = is_indexed(schema_rows, collection.name, column);
    if (collection.access.parent_index) continue;
    catalog.notes.push_back(collection.name + "." + column +
                            " has no index, so each pass reads all of " + collection.name +
                            "; this helps: CREATE INDEX " +
                            quote_name(collection.name + "_by_" + column) + " ON " +
                            quote_name(collection.name) + "(" + quote_name(column) + ")");
  }
}

void add_notes(model::Catalog& catalog) {
  for (const Kind kind : {Kind::patterns, Kind::heuristics, Kind::embeddings}) {
    if (catalog.find(kind) == nullptr) {
      catalog.notes.push_back("the source has no table " + std::string(to_string(kind)));
    }
  }
  for (const Collection& collection : catalog.collections) {
    if (collection.kind == Kind::episodes && !collection.order_column) {
      catalog.notes.emplace_back(
          "episodes has no timestamp, start_time or created_at: newest = greatest key");
    }
    if (collection.kind == Kind::embeddings && !collection.parent_column) {
      catalog.notes.push_back(collection.name +
                              " names no parent (item_id, episode_id, pattern_id): not cached");
    }
  }
}

}  // namespace

turso::Statement schema_statement() {
  return {
      "SELECT type, name, tbl_name, sql FROM sqlite_master "
      "WHERE substr(name, 1, 7) <> 'sqlite_' AND (substr(name, 1, 9) <> 'tidemark_' "
      "OR (type = 'table' AND name IN ('tidemark_changes', 'tidemark_meta'))) "
      "ORDER BY type, name",
      {}};
}

std::string fingerprint(const model::RowSet& schema_rows) {
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    if (!is_own(schema_rows.row(i))) fingerprint.add(schema_rows.row(i));
  }
  return fingerprint.text();
}

std::vector<turso::Statement> usual_discovery() {
  std::vector<turso::Statement> statements = {encoding_statement()};
  for (const Kind kind : {Kind::episodes, Kind::patterns, Kind::heuristics, Kind::embeddings}) {
    statements.push_back(columns_statement(to_string(kind)));
  }
  return statements;
}

Result<turso::Batch> discovery_batch(const model::RowSet& schema_rows) {
  turso::Batch batch;
  batch.statements.push_back(encoding_statement());
  bool episodes = false;
  for (const Candidate& candidate : candidates(schema_rows)) {
    batch.statements.push_back(columns_statement(candidate.name));
    episodes = episodes || candidate.kind == Kind::episodes;
  }
  if (!episodes) return no_episodes(schema_rows);
  return batch;
}

Result<model::Catalog> read_discovery(const model::RowSet& schema_rows,
                                      const turso::BatchReply& reply,
                                      const RoleOverrides& overrides) {
  const auto tables = candidates(schema_rows);
  if (reply.results.size() != tables.size() + 1 || reply.results[0].size() != 1) {
    return turso::unexpected_reply("what its tables are");
  }
  if (reply.results[0].row(0)[0].as_int64() != 1) {
    return fail(
        ErrorCode::unsupported, "the source database is UTF-16",
        "convert it: dump it and load it into a database made with PRAGMA encoding='UTF-8'");
  }
  model::Catalog catalog;
  catalog.fingerprint = fingerprint(schema_rows);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const model::RowSet& info = reply.results[i + 1];
    if (info.columns().size() < 6 || info.size() == 0) {
      return turso::unexpected_reply("the columns of " + tables[i].name);
    }
    Collection collection;
    collection.name = tables[i].name;
    collection.kind = tables[i].kind;
    for (std::size_t c = 0; c < info.size(); ++c) {
      collection.columns.push_back(
          {std::string(info.row(c)[1].bytes()), std::string(info.row(c)[2].bytes())});
    }
    TIDEMARK_TRY(read_roles(collection, info, overrides));
    if (collection.vector_column) {
      model::Column& vector = collection.columns[*collection.vector_column];
      if (vector.declared_type.find('(') == std::string::npos) {
        vector.declared_type += declared_size(schema_rows, collection.name, vector.name);
      }
    }
    catalog.collections.push_back(std::move(collection));
  }
  add_notes(catalog);
  find_indexes(catalog, schema_rows);
  note_unindexed(catalog, schema_rows);
  return catalog;
}

}  // namespace tidemark::source
