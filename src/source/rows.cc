// Rows by key, and what makes a row fit to be cached.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>
#include <unordered_set>

#include "base/utf8.h"
#include "source/quoting.h"
#include "source/source.h"
#include "source/tuning.h"

namespace tidemark::source {
namespace {

using model::Collection;

// n of F32_BLOB(n); nullopt for any other type.
std::optional<std::size_t> declared_dimension(std::string_view type) {
  const std::size_t open = type.find('(');
  if (open == std::string_view::npos) return std::nullopt;
  std::size_t n = 0;
  const char* const first = type.data() + open + 1;
  const auto [end, error] = std::from_chars(first, type.data() + type.size(), n);
  if (error != std::errc{} || end == first) return std::nullopt;
  return n;
}

std::string_view bytes_of(const std::vector<float>& floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)};
}

// Decodes one embedding row's vector in place. Returns why the row cannot be cached, or nothing.
class VectorDecoder {
 public:
  VectorDecoder(const Collection& collection, model::RecordPage& page)
      : collection_(collection), page_(page) {}

  std::string decode(std::size_t row) {
    const auto cells = page_.rows.row(row);
    const auto blob = cell(cells, collection_.vector_column);
    const auto text = cell(cells, collection_.vector_text_column);
    std::optional<std::vector<float>> floats;
    if (text.type() == ValueType::text) floats = turso::parse_float_array(text.bytes());
    if (blob.type() == ValueType::blob && !blob.bytes().empty())
      return from_blob(row, blob, floats);
    if (blob.type() != ValueType::null) ++page_.vectors_kept_raw;
    if (floats && blob.is_null()) {
      if (std::string why = wrong_dimension(cells, floats->size()); !why.empty()) return why;
      page_.rows.replace(row, *collection_.vector_text_column,
                         ValueView::vector(bytes_of(*floats)));
    } else if (text.type() != ValueType::null && blob.is_null()) {
      ++page_.vectors_kept_raw;
    }
    return {};
  }

 private:
  static ValueView cell(std::span<const ValueView> cells, std::optional<std::size_t> column) {
    return column ? cells[*column] : ValueView::null();
  }

  std::string from_blob(std::size_t row, ValueView blob,
                        const std::optional<std::vector<float>>& floats) {
    const auto cells = page_.rows.row(row);
    if (blob.bytes().size() % sizeof(float) != 0) {
      ++page_.vectors_kept_raw;
      return {};
    }
    std::string why = wrong_dimension(cells, blob.bytes().size() / sizeof(float));
    if (!why.empty()) return why;
    if (floats && bytes_of(*floats) == blob.bytes()) {
      page_.rows.replace(row, *collection_.vector_text_column, ValueView::repeated());
    }
    page_.rows.replace(row, *collection_.vector_column, ValueView::vector(blob.bytes()));
    return {};
  }

  std::string wrong_dimension(std::span<const ValueView> cells, std::size_t found) const {
    const auto dimension = cell(cells, collection_.dimension_column);
    std::optional<std::size_t> wanted;
    if (dimension.type() == ValueType::int64 && dimension.as_int64() > 0) {
      wanted = static_cast<std::size_t>(dimension.as_int64());
    } else if (collection_.vector_column) {
      wanted = declared_dimension(collection_.columns[*collection_.vector_column].declared_type);
    }
    if (!wanted || *wanted == found) return {};
    return "the vector has " + std::to_string(found) + " floats, not " + std::to_string(*wanted);
  }

  const Collection& collection_;
  model::RecordPage& page_;
};

std::string unfit(std::span<const ValueView> cells) {
  std::size_t bytes = 0;
  for (const ValueView& cell : cells) {
    bytes += cell.bytes().size();
    if (cell.type() == ValueType::text && !base::is_utf8(cell.bytes()))
      return "a text is not UTF-8";
  }
  if (bytes > kRowBytesMax) return "the row is too large (" + std::to_string(bytes) + " bytes)";
  return {};
}

std::string key_of(const Collection& collection) {
  return quote_name(collection.columns[collection.key_column].name);
}

std::string select_rows_where(const Collection& collection) {
  std::string select = "SELECT ";
  for (std::size_t i = 0; i < collection.columns.size(); ++i) {
    select += (i == 0 ? "" : ", ") + quote_name(collection.columns[i].name);
  }
  return select + " FROM " + quote_name(collection.name) + " WHERE ";
}

}  // namespace

std::vector<turso::Statement> rows_statements(const Collection& collection,
                                              std::span<const Value> keys) {
  return by_keys(select_rows_where(collection) + key_of(collection), keys);
}

turso::Statement range_statement(const Collection& collection, const Value& first,
                                 const Value& last, std::size_t limit) {
  const std::string key = key_of(collection);
  return {select_rows_where(collection) + key + " >= ?1 AND " + key + " <= ?2 LIMIT " +
              std::to_string(limit),
          {first, last}};
}

Result<model::RecordPage> read_rows(const Collection& collection, std::span<const Value> keys,
                                    model::RowSet rows) {
  if (rows.columns().size() != collection.columns.size()) {
    return turso::unexpected_reply("the rows of " + collection.name);
  }
  std::unordered_set<std::string_view> asked;
  std::deque<std::string> numbers;
  for (const Value& key : keys) {
    const auto* const text = std::get_if<std::string>(&key);
    asked.insert(text != nullptr ? *text : numbers.emplace_back(model::key_text(key)));
  }
  model::RecordPage page;
  page.rows = std::move(rows);
  VectorDecoder vectors(collection, page);
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    const ValueView key = page.rows.row(i)[collection.key_column];
    std::string text =
        key.type() == ValueType::int64 ? std::to_string(key.as_int64()) : std::string(key.bytes());
    if (key.type() != ValueType::int64 && key.type() != ValueType::text) continue;
    if (!asked.contains(text)) continue;  // equal only by the column's collation
    std::string why = unfit(page.rows.row(i));
    if (why.empty() && collection.kind == model::Kind::embeddings) why = vectors.decode(i);
    if (!why.empty()) {
      page.skipped.push_back({collection.name, std::move(text), std::move(why)});
      continue;
    }
    page.records.push_back({std::move(text), page.rows.row(i)});
  }
  // replace() changed cells in place, not their addresses: the spans still hold.
  return page;
}

}  // namespace tidemark::source
