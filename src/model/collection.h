// What a source table is to tidemark: its kind, columns and roles (design: "roles by looking").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::model {

enum class Kind : std::uint8_t { episodes, patterns, heuristics, embeddings };

[[nodiscard]] std::string_view to_string(Kind kind);
[[nodiscard]] std::optional<Kind> kind_from_string(std::string_view name);

struct Column {
  std::string name;
  std::string declared_type;  // as the schema spells it; may be empty
  bool operator==(const Column&) const = default;
};

// How the source finds rows of a table, which says nothing of what they are. An index counts when
// it begins with the column and is in BINARY order.
struct Access {
  bool key_index = false;
  bool order_index = false;  // episodes
  bool parent_index = true;  // embeddings; in any order
  bool operator==(const Access&) const = default;
};

// One source table and the roles of its columns (indexes into `columns`).
// The collection's name is the table's name.
struct Collection {
  std::string name;
  Kind kind = Kind::episodes;
  std::vector<Column> columns;
  std::size_t key_column = 0;
  bool integer_key = false;                       // INTEGER affinity; otherwise TEXT
  std::optional<std::size_t> order_column;        // episodes only: newest = greatest
  std::optional<std::size_t> parent_column;       // embeddings: id of the parent
  std::optional<std::size_t> parent_type_column;  // embeddings: names the parent's collection
  std::optional<Kind> parent_kind;  // embeddings: fixed by the column's name (episode_id, ...)
  std::optional<std::size_t> vector_column;       // embedding_vector (f32 blob)
  std::optional<std::size_t> vector_text_column;  // embedding_data (JSON text)
  std::optional<std::size_t> dimension_column;    // declared number of floats
  std::vector<std::size_t> index_columns;         // patterns: columns that can be queried
  Access access;
  bool operator==(const Collection&) const = default;

  // A 32-bit id of the column names in order; rows carry it, meta maps it back to names.
  [[nodiscard]] std::uint32_t schema_id() const;
  [[nodiscard]] std::optional<std::size_t> column_index(std::string_view column) const;
};

// All that discovery found at a source.
struct Catalog {
  std::vector<Collection> collections;  // episodes first, then patterns, heuristics, embeddings*
  std::vector<std::string> notes;       // e.g. "no table heuristics"
  std::string fingerprint;              // of the source's schema, hex; equal = nothing changed
  bool operator==(const Catalog&) const = default;

  [[nodiscard]] const Collection* find(std::string_view name) const;
  [[nodiscard]] const Collection* find(Kind kind) const;  // the first of that kind
};

// Whether the same tables were found, columns and roles included, however their rows are found.
[[nodiscard]] bool same_tables(const std::vector<Collection>& a, const std::vector<Collection>& b);

// The kind that an embedding's type text names: singular or plural, any case ("Episode",
// "episodes"); nullopt when it names none.
[[nodiscard]] std::optional<Kind> parent_kind_of(std::string_view item_type);

}  // namespace tidemark::model
