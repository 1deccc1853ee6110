// The only parser of replies: rows go from the JSON text into a RowSet, with no document between.
#include <simdjson.h>

#include <charconv>
#include <deque>
#include <limits>

#include "base/utf8.h"
#include "turso/hrana/base64.h"
#include "turso/hrana/pipeline.h"
#include "turso/json_number.h"

namespace tidemark::turso::hrana {
namespace {

namespace od = simdjson::ondemand;
using simdjson::SUCCESS;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::unexpected<Error> not_hrana(std::string_view what) {
  return fail(ErrorCode::unavailable, "the reply is not Hrana: " + std::string(what),
              "check that the URL is that of a Turso database and that no proxy answers for it");
}

// A member that is no text, or not there, is an empty one.
std::string_view text_of(od::object& object, std::string_view name) {
  std::string_view text;
  if (object.find_field_unordered(name).get_string().get(text) != SUCCESS) return {};
  return text;
}

// Turns one reply's value objects into cells. Texts and blobs are borrowed until the next row.
class RowDecoder {
 public:
  // False: not a value. A cell that lost something on the way marks the row set as inexact.
  [[nodiscard]] bool cell(od::value value, ValueView& out) {
    od::object object;
    std::string_view type;
    if (value.get_object().get(object) != SUCCESS) return false;
    if (object.find_field_unordered("type").get_string().get(type) != SUCCESS) return false;
    if (type == "text") return text(object, out);
    if (type == "integer") return integer(object, out);
    if (type == "float") return real(object, out);
    if (type == "blob") return blob(object, out);
    out = ValueView::null();
    return type == "null";
  }
  void next_row() { blobs_.clear(); }
  [[nodiscard]] bool inexact() const { return inexact_; }

 private:
  bool text(od::object& object, ValueView& out) {
    std::string_view text;
    if (object.find_field_unordered("value").get_string().get(text) != SUCCESS) return false;
    inexact_ = inexact_ || text.find(kReplacement) != std::string_view::npos;
    out = ValueView::text(text);
    return true;
  }

  // A text of digits by the specification; a JSON number is taken as well.
  static bool integer(od::object& object, ValueView& out) {
    od::value value;
    std::int64_t number = 0;
    if (object.find_field_unordered("value").get(value) != SUCCESS) return false;
    std::string_view digits;
    if (value.get_string().get(digits) == SUCCESS) {
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error != std::errc{} || end != digits.data() + digits.size()) return false;
    } else if (value.get_int64().get(number) != SUCCESS) {
      return false;
    }
    out = ValueView::int64(number);
    return true;
  }

  // JSON has no infinities: servers write null for both, and SQLite stores no NaN.
  bool real(od::object& object, ValueView& out) {
    od::value value;
    double number = 0;
    if (object.find_field_unordered("value").get(value) != SUCCESS) return false;
    if (!read_real(value, number)) {
      if (!value.is_null()) return false;
      inexact_ = true;
      number = std::numeric_limits<double>::infinity();
    }
    out = ValueView::real(number);
    return true;
  }

  bool blob(od::object& object, ValueView& out) {
    std::string_view text;
    if (object.find_field_unordered("base64").get_string().get(text) != SUCCESS) return false;
    std::string& bytes = blobs_.emplace_back();
    if (!decode_base64(text, bytes)) return false;
    out = ValueView::blob(bytes);
    return true;
  }

  std::deque<std::string> blobs_;  // of this row: their addresses stay
  bool inexact_ = false;
};

Result<model::RowSet> decode_rows(od::object& result) {
  od::array columns;
  if (result.find_field_unordered("cols").get_array().get(columns) != SUCCESS) {
    return not_hrana("a result without columns");
  }
  std::vector<std::string> names;
  for (auto column : columns) {
    od::object object;
    if (column.get_object().get(object) != SUCCESS) return not_hrana("a column of no form");
    names.emplace_back(text_of(object, "name"));  // null for a column without a name
  }
  const std::size_t width = names.size();
  model::RowSet rows;
  rows.set_columns(std::move(names));
  od::array lines;
  if (result.find_field_unordered("rows").get_array().get(lines) != SUCCESS) {
    return not_hrana("a result without rows");
  }
  RowDecoder decoder;
  std::vector<ValueView> cells(width);
  for (auto line : lines) {
    od::array values;
    if (line.get_array().get(values) != SUCCESS) return not_hrana("a row that is no list");
    std::size_t n = 0;
    for (auto value : values) {
      od::value plain;
      const bool good = n < width && value.get(plain) == SUCCESS && decoder.cell(plain, cells[n]);
      if (!good) return not_hrana("a value of an unknown form");
      ++n;
    }
    if (n != width) return not_hrana("a row with another number of values than columns");
    if (width > 0) rows.add(cells);
    decoder.next_row();
  }
  if (decoder.inexact()) rows.mark_inexact();
  return rows;
}

Error decode_error(od::value value) {
  od::object object;
  if (value.get_object().get(object) != SUCCESS) return statement_error({}, "no words");
  const std::string message(text_of(object, "message"));
  return statement_error(text_of(object, "code"), message);
}

constexpr std::string_view kMisplaced = "MISPLACED";

// A batch's result: one entry a step in both lists, in either order.
class StepsDecoder {
 public:
  StepsDecoder(std::size_t statements, std::uint64_t nonce)
      : statements_(statements), nonce_(std::to_string(nonce)) {}

  Result<BatchReply> decode(od::object batch) {
    for (auto field : batch) {
      std::string_view name;
      if (field.unescaped_key().get(name) != SUCCESS) return not_hrana("broken JSON");
      Result<void> done;
      if (name == "step_results") done = results(field.value());
      if (name == "step_errors") done = errors(field.value());
      if (!done) return std::unexpected(std::move(done).error());
    }
    if (error_) return std::unexpected(std::move(*error_));
    // BEGIN, the nonce, the statements, COMMIT; the ROLLBACK has no result.
    if (marked_ == Mark::other) {
      return fail(ErrorCode::unavailable, "the source answered another request than the one sent",
                  "check what is between: a proxy, or a server that answers twice",
                  std::string(kMisplaced));
    }
    const bool whole = seen_ == statements_ + 4 && errors_seen_ == seen_;
    if (!whole || reply_.results.size() != statements_) {
      return not_hrana("another number of results");
    }
    if (!committed_ || marked_ != Mark::ours) return not_hrana("a transaction without an end");
    return std::move(reply_);
  }

 private:
  Result<void> results(simdjson::simdjson_result<od::value> list) {
    od::array steps;
    if (list.get_array().get(steps) != SUCCESS) return not_hrana("step results that are no list");
    for (auto step : steps) {
      const std::size_t index = seen_++;
      od::value value;
      if (step.get(value) != SUCCESS) return not_hrana("broken JSON");
      if (value.is_null()) continue;
      od::object result;
      if (value.get_object().get(result) != SUCCESS) return not_hrana("a step result of no form");
      if (index == statements_ + 2) committed_ = true;
      if (index == 0 || index > statements_ + 1) continue;
      TIDEMARK_ASSIGN(rows, decode_rows(result));
      if (index == 1) {
        const bool ours = rows.size() == 1 && rows.row(0)[0].bytes() == nonce_;
        marked_ = ours ? Mark::ours : Mark::other;
        continue;
      }
      reply_.results.push_back(std::move(rows));
      std::uint64_t read = 0;
      if (result.find_field_unordered("rows_read").get_uint64().get(read) == SUCCESS) {
        reply_.rows_read = reply_.rows_read.value_or(0) + read;
      }
    }
    return {};
  }

  // The first error of a step counts; that of the ROLLBACK (nothing to roll back) does not.
  Result<void> errors(simdjson::simdjson_result<od::value> list) {
    od::array steps;
    if (list.get_array().get(steps) != SUCCESS) return not_hrana("step errors that are no list");
    for (auto step : steps) {
      od::value value;
      if (step.get(value) != SUCCESS) return not_hrana("broken JSON");
      const bool counts = errors_seen_++ <= statements_ + 2 && !error_;
      if (counts && !value.is_null()) error_ = decode_error(value);
    }
    return {};
  }

  enum class Mark { missing, ours, other };

  const std::size_t statements_;
  const std::string nonce_;
  Mark marked_ = Mark::missing;
  std::size_t seen_ = 0;  // results; and errors, one of each for a step
  std::size_t errors_seen_ = 0;
  bool committed_ = false;
  std::optional<Error> error_;
  BatchReply reply_;
};

// One entry of `results`: that of the batch.
Result<BatchReply> decode_entry(od::object object, std::size_t statements, std::uint64_t nonce) {
  std::string_view type;
  if (object.find_field_unordered("type").get_string().get(type) != SUCCESS) {
    return not_hrana("a result of an unknown form");
  }
  if (type == "error") {
    od::value error;
    if (object.find_field_unordered("error").get(error) != SUCCESS) {
      return not_hrana("an error without words");
    }
    return std::unexpected(decode_error(error));
  }
  od::object batch;
  const auto found = object.find_field_unordered("response").find_field_unordered("result");
  if (type != "ok" || simdjson::simdjson_result(found).get_object().get(batch) != SUCCESS) {
    return not_hrana("a result of an unknown form");
  }
  return StepsDecoder(statements, nonce).decode(batch);
}

// The first entry is the batch's; that of `close` says nothing.
Result<BatchReply> decode_results(od::array entries, std::size_t statements, std::uint64_t nonce) {
  std::optional<Result<BatchReply>> reply;
  for (auto entry : entries) {
    od::object object;
    if (entry.get_object().get(object) != SUCCESS) return not_hrana("a result of no form");
    if (!reply) reply = decode_entry(object, statements, nonce);
    if (!*reply) return std::move(*reply);
  }
  if (!reply) return not_hrana("an empty list of results");
  return std::move(*reply);
}

// To the last byte, so that a reply that was cut off is never taken for a whole one.
Result<BatchReply> decode_document(od::document& document, std::size_t statements,
                                   std::uint64_t nonce) {
  std::optional<BatchReply> reply;
  od::object root;
  if (document.get_object().get(root) != SUCCESS) return not_hrana("no object");
  for (auto field : root) {
    std::string_view name;
    if (field.unescaped_key().get(name) != SUCCESS) return not_hrana("broken JSON");
    if (name != "results") continue;
    od::array entries;
    if (field.value().get_array().get(entries) != SUCCESS) return not_hrana("no list of results");
    TIDEMARK_ASSIGN(decoded, decode_results(entries, statements, nonce));
    reply = std::move(decoded);
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == SUCCESS) return not_hrana("more than one document");
  if (!reply) return not_hrana("no list of results");
  return std::move(*reply);
}

Result<BatchReply> parse(std::string& body, std::size_t statements, std::uint64_t nonce,
                         simdjson::error_code& error) {
  thread_local od::parser parser;
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  od::document document;
  error = parser.iterate(body.data(), body.size(), body.capacity()).get(document);
  if (error != SUCCESS) return not_hrana("no JSON");
  return decode_document(document, statements, nonce);
}

}  // namespace

bool is_misplaced(const Error& error) { return error.source_text == kMisplaced; }

Result<BatchReply> decode_pipeline(std::string body, std::size_t statements, std::uint64_t nonce) {
  const std::uint64_t bytes = body.size();
  simdjson::error_code error = SUCCESS;
  auto reply = parse(body, statements, nonce, error);
  if (error == simdjson::UTF8_ERROR) {
    // A server may send a stored text as it is: read the rest, and mark such rows as inexact.
    body = base::replace_invalid_utf8(body);
    reply = parse(body, statements, nonce, error);
  }
  if (reply) reply->body_bytes = bytes;
  return reply;
}

}  // namespace tidemark::turso::hrana
