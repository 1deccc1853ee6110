// The row decoder: bytes as they came, bytes with a right hash (so that all behind the hash check
// is reached), and cells that must come back as they were stored.
#include <algorithm>
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache/index.h"
#include "cache/row_format.h"
#include "cache/row_impl.h"
#include "tests/fuzz/fuzz.h"

namespace tidemark {
namespace {

using fuzz::must;

constexpr std::string_view kTable = "embeddings";
constexpr std::string_view kKey = "k1";

// The hash as docs/cache-format.md describes it, written anew.
void put_right_hash(std::string& row) {
  if (row.size() < 16) return;
  std::string hashed;
  for (const std::string_view part : {kTable, kKey}) {
    const auto length = static_cast<std::uint32_t>(part.size());
    hashed.append(reinterpret_cast<const char*>(&length), sizeof length);
    hashed += part;
  }
  hashed += row.substr(0, 8);
  hashed += row.substr(16);
  const std::uint64_t hash = XXH3_64bits(hashed.data(), hashed.size());
  std::memcpy(row.data() + 8, &hash, sizeof hash);
}

void read_value(ValueView value) {
  float floats[8];
  must(value.copy_vector(floats) <= 8, "a copy fits its span");
  must(value.type() != ValueType::vector || value.dimension() * 4 == value.bytes().size(),
       "a vector is whole floats");
  // Every byte is looked at, so that a view past the row is seen by ASan.
  volatile unsigned char seen = 0;
  for (const char c : value.bytes()) seen = static_cast<unsigned char>(c);
  static_cast<void>(seen);
}

void read_indexes(const cache::RowView& row) {
  if (row.size() == 0) return;
  for (const auto kind : {model::Kind::episodes, model::Kind::patterns, model::Kind::embeddings}) {
    model::Collection collection;
    collection.name = kTable;
    collection.kind = kind;
    for (std::size_t i = 0; i < row.size(); ++i) {
      collection.columns.push_back({"c" + std::to_string(i), "TEXT"});
    }
    const std::size_t last = row.size() - 1;
    collection.order_column = last;
    collection.parent_column = last / 2;
    collection.parent_type_column = last;
    collection.index_columns = {0, last};
    const auto entries = cache::index_entries(collection, "k1", row);
    must(std::ranges::is_sorted(entries), "index entries are sorted");
  }
}

void read_row(const std::string& bytes) {
  auto impl = std::make_unique<Row::Impl>();
  impl->collection = kTable;
  impl->key = kKey;
  impl->bytes = bytes;
  const auto view = cache::RowView::open(kTable, kKey, std::get<std::string>(impl->bytes));
  if (!view) {
    must(view.error().code == ErrorCode::corrupt, "what is no row is corrupt");
    return;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < view->size(); ++i) {
    names.push_back("c" + std::to_string(i));
    read_value(view->at(i));
  }
  read_indexes(*view);
  impl->names = std::make_shared<const std::vector<std::string>>(std::move(names));
  impl->view = *view;
  const Row row(std::move(impl));
  must(!row.at("no such column"), "an unknown column has no value");
  must(nlohmann::json::accept(row.to_json()), "to_json writes JSON");
}

void store_and_read(fuzz::Input input) {
  const auto schema_id = input.number<std::uint32_t>();
  std::vector<ValueView> cells;
  while (!input.empty()) cells.push_back(input.value());
  std::string bytes = cache::encode_row(kTable, kKey, schema_id, cells);
  const std::string stored = bytes;
  put_right_hash(bytes);
  must(bytes == stored, "the stored hash is the documented one");
  read_row(bytes);
  const auto row = cache::RowView::open(kTable, kKey, bytes);
  must(row && row->size() == cells.size() && row->schema_id() == schema_id, "a stored row opens");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const ValueView cell = row->at(i);
    const double real = cell.as_real();
    const double before = cells[i].as_real();
    must(cell.type() == cells[i].type() && cell.as_int64() == cells[i].as_int64() &&
             cell.bytes() == cells[i].bytes() && std::memcmp(&real, &before, sizeof real) == 0,
         "a cell comes back as it was stored");
  }
}

}  // namespace
}  // namespace tidemark

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidemark::fuzz::Input input(data, size);
  const auto mode = input.number<std::uint8_t>() % 3;
  std::string bytes(input.rest());
  if (mode == 2) {
    tidemark::store_and_read(input);
  } else {
    if (mode == 1) tidemark::put_right_hash(bytes);
    tidemark::read_row(bytes);
  }
  return 0;
}
