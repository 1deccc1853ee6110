// The only parser of replies: rows go from the JSON text into a RowSet, with no document between.
#include <simdjson.h>

#include <bit>
#include <charconv>
#include <deque>
#include <limits>

#include "base/utf8.h"
#include "turso/hrana/base64.h"
#include "turso/hrana/members.h"
#include "turso/hrana/pipeline.h"
#include "turso/json_number.h"

namespace tidemark::turso::hrana {
namespace {

using simdjson::SUCCESS;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::unexpected<Error> not_hrana(std::string_view what) {
  return fail(ErrorCode::unavailable, "the reply is not Hrana: " + std::string(what),
              "check that the URL is that of a Turso database and that no proxy answers for it");
}

// Turns one reply's value objects into cells. Texts and blobs are borrowed until the next row.
class RowDecoder {
 public:
  // False: not a value. A cell that lost something on the way marks the row set as inexact.
  [[nodiscard]] bool cell(od::value value, ValueView& out) {
    od::object object;
    if (value.get_object().get(object) != SUCCESS) return false;
    std::string_view type;
    Scalar content;
    bool there = false;
    const bool whole = each_member(object, [&](std::string_view name, od::value member) {
      if (name == "type") return member.get_string().get(type) == SUCCESS;
      if (name != "value" && name != "base64") return true;
      there = true;
      return read_scalar(member, content);
    });
    if (!whole) return false;
    out = ValueView::null();
    if (type == "null") return true;
    if (!there) return false;
    if (type == "text") return text(content, out);
    if (type == "integer") return integer(content, out);
    if (type == "float") return real(content, out);
    return type == "blob" && blob(content, out);
  }
  void next_row() { blobs_.clear(); }
  [[nodiscard]] bool inexact() const { return inexact_; }

 private:
  bool text(const Scalar& content, ValueView& out) {
    if (content.type != od::json_type::string) return false;
    inexact_ = inexact_ || content.text.find(kReplacement) != std::string_view::npos;
    out = ValueView::text(content.text);
    return true;
  }

  // A text of digits by the specification; a JSON number is taken as well.
  static bool integer(const Scalar& content, ValueView& out) {
    std::int64_t number = content.whole;
    if (content.type == od::json_type::string) {
      const char* const end = content.text.data() + content.text.size();
      const auto [at, error] = std::from_chars(content.text.data(), end, number);
      if (error != std::errc{} || at != end) return false;
    } else if (!content.is_whole) {
      return false;
    }
    out = ValueView::int64(number);
    return true;
  }

  // JSON has no infinities: servers write null for both, and SQLite stores no NaN.
  bool real(const Scalar& content, ValueView& out) {
    if (content.type == od::json_type::string) return false;
    const bool infinite = content.type == od::json_type::null;
    inexact_ = inexact_ || infinite;
    out = ValueView::real(infinite ? std::numeric_limits<double>::infinity() : content.real);
    return true;
  }

  bool blob(const Scalar& content, ValueView& out) {
    if (content.type != od::json_type::string) return false;
    std::string& bytes = blobs_.emplace_back();
    if (!decode_base64(content.text, bytes)) return false;
    out = ValueView::blob(bytes);
    return true;
  }

  std::deque<std::string> blobs_;  // of this row: their addresses stay
  bool inexact_ = false;
};

[[nodiscard]] bool read_columns(od::value value, std::vector<std::string>& names) {
  od::array columns;
  if (value.get_array().get(columns) != SUCCESS) return false;
  for (auto column : columns) {
    od::object object;
    if (column.get_object().get(object) != SUCCESS) return false;
    std::string& title = names.emplace_back();  // empty for a column without a name
    const bool whole = each_member(object, [&](std::string_view name, od::value member) {
      Scalar text;
      if (name != "name") return true;
      if (!read_scalar(member, text)) return false;
      title = std::string(text.text);
      return true;
    });
    if (!whole) return false;
  }
  return true;
}

[[nodiscard]] bool read_lines(od::value value, model::RowSet& rows) {
  od::array lines;
  if (value.get_array().get(lines) != SUCCESS) return false;
  const std::size_t width = rows.columns().size();
  RowDecoder decoder;
  std::vector<ValueView> cells(width);
  for (auto line : lines) {
    od::array values;
    if (line.get_array().get(values) != SUCCESS) return false;
    std::size_t n = 0;
    for (auto item : values) {
      od::value plain;
      const bool good = n < width && item.get(plain) == SUCCESS && decoder.cell(plain, cells[n]);
      if (!good) return false;
      ++n;
    }
    if (n != width) return false;
    if (width > 0) rows.add(cells);
    decoder.next_row();
  }
  if (decoder.inexact()) rows.mark_inexact();
  return true;
}

// Columns come before rows, as every server writes them.
Result<model::RowSet> decode_rows(od::object result, std::optional<std::uint64_t>& rows_read) {
  model::RowSet rows;
  bool columns_seen = false;
  bool rows_seen = false;
  const bool whole = each_member(result, [&](std::string_view name, od::value member) {
    if (name == "cols") {
      std::vector<std::string> names;
      columns_seen = read_columns(member, names);
      rows.set_columns(std::move(names));
      return columns_seen;
    }
    if (name == "rows") {
      rows_seen = columns_seen && read_lines(member, rows);
      return rows_seen;
    }
    Scalar count;
    if (name == "rows_read" && read_scalar(member, count) && count.is_whole && count.whole >= 0) {
      rows_read = rows_read.value_or(0) + static_cast<std::uint64_t>(count.whole);
    }
    return true;
  });
  if (!whole || !rows_seen) return not_hrana("a result that is no list of rows");
  return rows;
}

// An error object of the server; itself an error when it is broken JSON.
Result<Error> decode_error(od::value value) {
  od::object object;
  if (value.get_object().get(object) != SUCCESS) return not_hrana("an error of no form");
  std::string message;
  std::string code;
  const bool whole = each_member(object, [&](std::string_view name, od::value member) {
    Scalar text;
    if (name != "message" && name != "code") return true;
    if (!read_scalar(member, text)) return false;
    (name == "code" ? code : message) = std::string(text.text);
    return true;
  });
  if (!whole) return not_hrana("broken JSON");
  return statement_error(code, message);
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
      bool null = false;
      if (!read_null(value, null)) return not_hrana("broken JSON");
      if (null) continue;
      od::object result;
      if (value.get_object().get(result) != SUCCESS) return not_hrana("a step result of no form");
      if (index == statements_ + 2) committed_ = true;
      if (index == 0 || index > statements_ + 1) continue;
      TIDEMARK_ASSIGN(rows, decode_rows(result, reply_.rows_read));
      if (index == 1) {
        const bool ours = rows.size() == 1 && rows.row(0)[0].bytes() == nonce_;
        marked_ = ours ? Mark::ours : Mark::other;
        continue;
      }
      reply_.results.push_back(std::move(rows));
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
      bool null = false;
      if (!read_null(value, null)) return not_hrana("broken JSON");
      if (null) continue;
      if (!counts) continue;
      TIDEMARK_ASSIGN(error, decode_error(value));
      error_ = std::move(error);
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
Result<BatchReply> decode_entry(od::object entry, std::size_t statements, std::uint64_t nonce) {
  std::optional<Result<BatchReply>> reply;
  const auto in_response = [&](std::string_view name, od::value member) {
    od::object batch;
    if (name != "result") return true;
    if (member.get_object().get(batch) != SUCCESS) return false;
    reply = StepsDecoder(statements, nonce).decode(batch);
    return reply->has_value();
  };
  const bool whole = each_member(entry, [&](std::string_view name, od::value member) {
    if (name == "error") {
      auto error = decode_error(member);
      reply = std::unexpected(error ? std::move(*error) : std::move(error).error());
      return false;
    }
    od::object response;
    if (name != "response") return true;
    return member.get_object().get(response) == SUCCESS && each_member(response, in_response);
  });
  if (reply && (whole || !*reply)) return std::move(*reply);
  return not_hrana("a result of an unknown form");
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
  static_assert(kReplyPadding >= simdjson::SIMDJSON_PADDING);
  thread_local od::parser parser;
  if (body.capacity() < body.size() + kReplyPadding) body.reserve(body.size() + kReplyPadding);
  // Pages differ a little in size: without rounding, each larger one would allocate all anew.
  if (parser.capacity() < body.size()) {
    error = parser.allocate(std::bit_ceil(body.size()));
    if (error != SUCCESS) return fail(ErrorCode::internal, "no memory to parse a reply");
  }
  od::document document;
  error = parser.iterate(body.data(), body.size(), body.capacity()).get(document);
  if (error != SUCCESS) return not_hrana("no JSON");
  return decode_document(document, statements, nonce);
}

}  // namespace

bool is_misplaced(const Error& error) { return error.source_text == kMisplaced; }

Result<BatchReply> decode_pipeline_in(std::string& body, std::size_t statements,
                                      std::uint64_t nonce) {
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
