#include "model/record.h"

namespace tidemark::model {

std::string key_text(const Value& key) {
  if (const auto* number = std::get_if<std::int64_t>(&key)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&key)) return *text;
  return {};
}

std::optional<Parent> parent_of(const Collection& embeddings, std::span<const ValueView> cells) {
  if (!embeddings.parent_column) return std::nullopt;
  const ValueView id = cells[*embeddings.parent_column];
  Parent parent;
  parent.kind = embeddings.parent_kind;
  if (id.type() == ValueType::text) {
    parent.key = std::string(id.bytes());
  } else if (id.type() == ValueType::int64) {
    parent.key = std::to_string(id.as_int64());
  } else {
    return std::nullopt;
  }
  if (!parent.kind && embeddings.parent_type_column) {
    const ValueView type = cells[*embeddings.parent_type_column];
    if (type.type() == ValueType::text) parent.kind = parent_kind_of(type.bytes());
  }
  return parent;
}

}  // namespace tidemark::model
