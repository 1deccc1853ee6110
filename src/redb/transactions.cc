#include <cstring>

#include "base/assert.h"
#include "redb/calls.h"

namespace tidemark::redb {
namespace {

ErrorCode code_of(std::int32_t code) {
  switch (code) {
    case TDMK_REDB_INVALID:
      return ErrorCode::invalid;
    case TDMK_REDB_UNSUPPORTED:
      return ErrorCode::unsupported;
    case TDMK_REDB_BUSY:
      return ErrorCode::busy;
    case TDMK_REDB_CORRUPT:
      return ErrorCode::corrupt;
    case TDMK_REDB_NEEDS_REPAIR:
      return ErrorCode::needs_repair;
    case TDMK_REDB_NO_SPACE:
      return ErrorCode::no_space;
    default:
      return ErrorCode::internal;
  }
}

// In place of a length: no such key (the header's rule).
constexpr std::uint32_t kNoValue = UINT32_MAX;
// Values copied out at a time.
constexpr std::size_t kGetBatchBytes = std::size_t{1} << 20U;

std::uint32_t load_u32(const char* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::unexpected<Error> failed(std::string_view operation, tdmk_redb_error* error) {
  std::size_t length = 0;
  const char* const text = tdmk_redb_error_message(error, &length);
  Error out{code_of(tdmk_redb_error_code(error)),
            std::string(operation) + ": " + std::string(text, length),
            {},
            {}};
  // A redb that panics met pages that contradict each other.
  if (out.code == ErrorCode::internal && out.message.find("redb panicked") != std::string::npos) {
    out.code = ErrorCode::corrupt;
  }
  if (out.code == ErrorCode::corrupt) out.hint = "run `tidemark repair`";
  if (out.code == ErrorCode::no_space) {
    const std::uint64_t bytes = tdmk_redb_error_bytes_needed(error);
    out.hint = "free " + (bytes == 0 ? "space" : "at least " + std::to_string(bytes) + " bytes") +
               " on the disk of the cache, then run it again";
  }
  tdmk_redb_error_free(error);
  return std::unexpected(std::move(out));
}

tdmk_redb_range to_c(const Range& range) {
  tdmk_redb_range out{};
  if (range.from) {
    out.from = range.from->data();
    out.from_len = range.from->size();
    out.from_bound = range.from_exclusive ? TDMK_REDB_EXCLUDED : TDMK_REDB_INCLUDED;
  }
  if (range.to) {
    out.to = range.to->data();
    out.to_len = range.to->size();
    out.to_bound = range.to_inclusive ? TDMK_REDB_INCLUDED : TDMK_REDB_EXCLUDED;
  }
  out.backward = range.backward;
  out.keys_only = range.keys_only;
  out.entries_max = range.entries_max;
  out.bytes_max = range.bytes_max;
  return out;
}

void Slice::Free::operator()(tdmk_redb_buffer* buffer) const { tdmk_redb_buffer_free(buffer); }

Slice::Slice(tdmk_redb_buffer* buffer, std::string_view bytes, bool more)
    : buffer_(buffer), more_(more) {
  while (!bytes.empty()) {
    TIDEMARK_ASSERT(bytes.size() >= 8);
    const std::size_t key = load_u32(bytes.data());
    const std::size_t value = load_u32(bytes.data() + 4);
    TIDEMARK_ASSERT(bytes.size() - 8 >= key + value);
    entries_.push_back({bytes.substr(8, key), bytes.substr(8 + key, value)});
    bytes.remove_prefix(8 + key + value);
  }
}

Values::Values(tdmk_redb_buffer* buffer, std::string_view bytes, std::size_t count)
    : buffer_(buffer) {
  values_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    TIDEMARK_ASSERT(bytes.size() >= sizeof(std::uint32_t));
    const std::uint32_t length = load_u32(bytes.data());
    bytes.remove_prefix(sizeof length);
    if (length == kNoValue) {
      values_.emplace_back();
      continue;
    }
    TIDEMARK_ASSERT(bytes.size() >= length);
    values_.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
}

Guard::Guard(Guard&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
Guard& Guard::operator=(Guard&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(bytes_, other.bytes_);
  return *this;
}
Guard::~Guard() { tdmk_redb_guard_free(handle_); }

ReadTransaction::ReadTransaction(ReadTransaction&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), commit_(other.commit_) {}
ReadTransaction& ReadTransaction::operator=(ReadTransaction&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(commit_, other.commit_);
  return *this;
}
ReadTransaction::~ReadTransaction() { tdmk_redb_read_free(handle_); }

Result<std::optional<Guard>> ReadTransaction::get(TableName table, std::string_view key) const {
  tdmk_redb_guard* guard = nullptr;
  const char* data = nullptr;
  std::size_t length = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_read_get(handle_, table.name.data(), table.name.size(), byte_key(table), key.data(),
                         key.size(), &guard, &data, &length, &error) != TDMK_REDB_OK) {
    return failed("get", error);
  }
  if (guard == nullptr) return std::nullopt;
  return Guard(guard, {data, length});
}

Result<Slice> ReadTransaction::scan(TableName table, const Range& range) const {
  const tdmk_redb_range c_range = to_c(range);
  tdmk_redb_buffer* buffer = nullptr;
  const char* data = nullptr;
  std::size_t length = 0;
  bool more = false;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_read_scan(handle_, table.name.data(), table.name.size(), byte_key(table), &c_range,
                          &buffer, &data, &length, &more, &error) != TDMK_REDB_OK) {
    return failed("scan", error);
  }
  return Slice(buffer, {data, length}, more);
}

Result<std::uint64_t> ReadTransaction::count(TableName table) const {
  std::uint64_t count = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_read_count(handle_, table.name.data(), table.name.size(), byte_key(table), &count,
                           &error) != TDMK_REDB_OK) {
    return failed("count", error);
  }
  return count;
}

WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}
WriteTransaction& WriteTransaction::operator=(WriteTransaction&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}
WriteTransaction::~WriteTransaction() { tdmk_redb_write_abort(handle_); }

Result<void> WriteTransaction::apply(TableName table, std::span<const Change> changes) {
  std::vector<tdmk_redb_change> c_changes;
  c_changes.reserve(changes.size());
  for (const Change& change : changes) {
    const std::string_view value = change.value.value_or(std::string_view{});
    c_changes.push_back({change.key.data(), change.key.size(), value.data(), value.size(),
                         !change.value.has_value()});
  }
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_apply(handle_, table.name.data(), table.name.size(), byte_key(table),
                            c_changes.data(), c_changes.size(), &error) != TDMK_REDB_OK) {
    return failed("write", error);
  }
  return {};
}

Result<std::optional<std::string>> WriteTransaction::get(TableName table, std::string_view key) {
  tdmk_redb_buffer* buffer = nullptr;
  const char* data = nullptr;
  std::size_t length = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_get(handle_, table.name.data(), table.name.size(), byte_key(table),
                          key.data(), key.size(), &buffer, &data, &length,
                          &error) != TDMK_REDB_OK) {
    return failed("get", error);
  }
  if (buffer == nullptr) return std::nullopt;
  std::string value(data, length);
  tdmk_redb_buffer_free(buffer);
  return value;
}

Result<Values> WriteTransaction::get_batch(TableName table,
                                           std::span<const std::string_view> keys) {
  std::vector<tdmk_redb_change> c_keys;
  c_keys.reserve(keys.size());
  for (const std::string_view key : keys) {
    c_keys.push_back({key.data(), key.size(), nullptr, 0, false});
  }
  tdmk_redb_buffer* buffer = nullptr;
  const char* data = nullptr;
  std::size_t length = 0;
  std::size_t answered = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_get_batch(handle_, table.name.data(), table.name.size(), byte_key(table),
                                c_keys.data(), c_keys.size(), kGetBatchBytes, &buffer, &data,
                                &length, &answered, &error) != TDMK_REDB_OK) {
    return failed("get", error);
  }
  return Values(buffer, {data, length}, answered);
}

Result<Slice> WriteTransaction::scan(TableName table, const Range& range) {
  const tdmk_redb_range c_range = to_c(range);
  tdmk_redb_buffer* buffer = nullptr;
  const char* data = nullptr;
  std::size_t length = 0;
  bool more = false;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_scan(handle_, table.name.data(), table.name.size(), byte_key(table), &c_range,
                           &buffer, &data, &length, &more, &error) != TDMK_REDB_OK) {
    return failed("scan", error);
  }
  return Slice(buffer, {data, length}, more);
}

Result<std::uint64_t> WriteTransaction::count(TableName table) {
  std::uint64_t count = 0;
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_count(handle_, table.name.data(), table.name.size(), byte_key(table), &count,
                            &error) != TDMK_REDB_OK) {
    return failed("count", error);
  }
  return count;
}

Result<void> WriteTransaction::drop_table(TableName table) {
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_drop_table(handle_, table.name.data(), table.name.size(), &error) !=
      TDMK_REDB_OK) {
    return failed("drop table", error);
  }
  return {};
}

Result<void> WriteTransaction::commit() && {
  tdmk_redb_error* error = nullptr;
  if (tdmk_redb_write_commit(std::exchange(handle_, nullptr), &error) != TDMK_REDB_OK) {
    return failed("commit", error);
  }
  return {};
}

}  // namespace tidemark::redb
