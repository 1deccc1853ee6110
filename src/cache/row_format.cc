#include "cache/row_format.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "cache/hash.h"
#include "cache/meta.h"
#include "cache/record_hash.h"

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace tidemark::cache {
namespace {

// 0 format, 1 flags, 2 column count (u16), 4 schema id (u32), 8 hash (u64), 16 columns
constexpr std::size_t kHashAt = 8;
constexpr std::size_t kColumnsAt = 16;
constexpr std::size_t kColumnBytes = 5;  // type (u8), end of the payload (u32)

template <typename T>
T load(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void store(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

const HashPieces kHash = fastest_hash();

// Of the table's and the key's lengths and bytes, and of the row without its hash. What is short is
// put together first: each piece costs the hash a copy of its own.
std::uint64_t hash_of(std::string_view table, std::string_view key, std::string_view bytes) {
  std::array<char, 256> head;  // NOLINT(*-member-init): written up to `size`
  std::size_t size = 0;
  const auto table_size = static_cast<std::uint32_t>(table.size());
  const auto key_size = static_cast<std::uint32_t>(key.size());
  const std::array pieces = {Piece{&table_size, sizeof table_size},
                             Piece{table.data(), table.size()},
                             Piece{&key_size, sizeof key_size},
                             Piece{key.data(), key.size()},
                             Piece{bytes.data(), kHashAt},
                             Piece{bytes.data() + kColumnsAt, bytes.size() - kColumnsAt}};
  if (2 * sizeof table_size + table.size() + key.size() + kHashAt > head.size()) {
    return kHash(pieces.data(), pieces.size());
  }
  for (const Piece& piece : std::span(pieces).first(pieces.size() - 1)) {
    std::memcpy(head.data() + size, piece.data, piece.size);
    size += piece.size;
  }
  const std::array joined = {Piece{head.data(), size}, pieces.back()};
  return kHash(joined.data(), joined.size());
}

void append_payload(std::string& out, ValueView cell) {
  switch (cell.type()) {
    case ValueType::int64: {
      const std::int64_t number = cell.as_int64();
      out.append(reinterpret_cast<const char*>(&number), sizeof number);
      return;
    }
    case ValueType::real: {
      const double number = cell.as_real();
      out.append(reinterpret_cast<const char*>(&number), sizeof number);
      return;
    }
    default:
      out += cell.bytes();
      return;
  }
}

std::unexpected<Error> corrupt(std::string_view table, std::string_view key) {
  return fail(ErrorCode::corrupt,
              "the cached row " + std::string(table) + " " + std::string(key) + " is damaged",
              kRepairHint);
}

bool column_is_sound(std::uint8_t type, std::size_t length) {
  switch (static_cast<ValueType>(type)) {
    case ValueType::null:
    case ValueType::repeated:
      return length == 0;
    case ValueType::int64:
    case ValueType::real:
      return length == sizeof(std::int64_t);
    case ValueType::vector:
      return length % sizeof(float) == 0;
    case ValueType::text:
    case ValueType::blob:
      return true;
  }
  return false;
}

}  // namespace

std::uint64_t record_hash(std::string_view name, std::string_view bytes) {
  const auto length = static_cast<std::uint32_t>(name.size());
  const std::array pieces = {Piece{&length, sizeof length}, Piece{name.data(), name.size()},
                             Piece{bytes.data(), bytes.size()}};
  return kHash(pieces.data(), pieces.size());
}

std::string encode_row(std::string_view table, std::string_view key, std::uint32_t schema_id,
                       std::span<const ValueView> cells) {
  TIDEMARK_ASSERT(cells.size() <= std::numeric_limits<std::uint16_t>::max());
  const std::size_t payload_at = kColumnsAt + cells.size() * kColumnBytes;
  std::size_t size = payload_at;
  for (const ValueView& cell : cells) size += cell.bytes().size() + sizeof(std::int64_t);
  std::string out;
  out.reserve(size);
  out.resize(payload_at);
  out[0] = static_cast<char>(kRowFormat);
  store(out, 2, static_cast<std::uint16_t>(cells.size()));
  store(out, 4, schema_id);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    append_payload(out, cells[i]);
    TIDEMARK_ASSERT(out.size() - payload_at <= std::numeric_limits<std::uint32_t>::max());
    out[kColumnsAt + i * kColumnBytes] = static_cast<char>(cells[i].type());
    store(out, kColumnsAt + i * kColumnBytes + 1,
          static_cast<std::uint32_t>(out.size() - payload_at));
  }
  store(out, kHashAt, hash_of(table, key, out));
  return out;
}

Result<RowView> RowView::open(std::string_view table, std::string_view key,
                              std::string_view bytes) {
  if (bytes.size() < kColumnsAt || static_cast<std::uint8_t>(bytes[0]) != kRowFormat ||
      bytes[1] != 0) {
    return corrupt(table, key);
  }
  RowView row = reopen(bytes);
  const std::size_t payload_at = kColumnsAt + row.columns_ * kColumnBytes;
  if (bytes.size() < payload_at) return corrupt(table, key);
  std::size_t start = 0;
  for (std::size_t i = 0; i < row.columns_; ++i) {
    const std::size_t at = kColumnsAt + i * kColumnBytes;
    const std::size_t end = load<std::uint32_t>(bytes, at + 1);
    if (end < start || end > bytes.size() - payload_at ||
        !column_is_sound(static_cast<std::uint8_t>(bytes[at]), end - start)) {
      return corrupt(table, key);
    }
    start = end;
  }
  if (start != bytes.size() - payload_at) return corrupt(table, key);
  if (row.hash_ != hash_of(table, key, bytes)) return corrupt(table, key);
  return row;
}

RowView RowView::reopen(std::string_view bytes) {
  RowView row;
  row.bytes_ = bytes;
  row.columns_ = load<std::uint16_t>(bytes, 2);
  row.schema_id_ = load<std::uint32_t>(bytes, 4);
  row.hash_ = load<std::uint64_t>(bytes, kHashAt);
  return row;
}

std::optional<std::uint64_t> RowView::stated_hash(std::string_view bytes) {
  if (bytes.size() < kColumnsAt) return std::nullopt;
  return load<std::uint64_t>(bytes, kHashAt);
}

ValueView RowView::at(std::size_t column) const {
  TIDEMARK_ASSERT(column < columns_);
  const std::size_t payload_at = kColumnsAt + columns_ * kColumnBytes;
  const std::size_t at = kColumnsAt + column * kColumnBytes;
  const std::size_t start = column == 0 ? 0 : load<std::uint32_t>(bytes_, at - kColumnBytes + 1);
  const std::size_t end = load<std::uint32_t>(bytes_, at + 1);
  const std::string_view payload = bytes_.substr(payload_at + start, end - start);
  switch (static_cast<ValueType>(bytes_[at])) {
    case ValueType::int64:
      return ValueView::int64(load<std::int64_t>(payload, 0));
    case ValueType::real:
      return ValueView::real(load<double>(payload, 0));
    case ValueType::text:
      return ValueView::text(payload);
    case ValueType::blob:
      return ValueView::blob(payload);
    case ValueType::vector:
      return ValueView::vector(payload);
    case ValueType::repeated:
      return ValueView::repeated();
    case ValueType::null:
      break;
  }
  return ValueView::null();
}

}  // namespace tidemark::cache
