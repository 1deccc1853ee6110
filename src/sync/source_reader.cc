#include "sync/source_reader.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "cache/row_impl.h"
#include "source/exact.h"
#include "source/source.h"

namespace tidemark::sync {
namespace {

using model::Collection;

constexpr std::size_t kSchemaColumns = 4;

Result<Row> row_of(const std::shared_ptr<const model::Catalog>& catalog,
                   const Collection& collection, const model::Record& record) {
  auto names = std::make_shared<std::vector<std::string>>();
  for (const auto& column : collection.columns) names->push_back(column.name);
  // The row keeps the catalog, which its collection's name is in, and its column names.
  struct Kept {
    std::shared_ptr<const model::Catalog> catalog;
    std::shared_ptr<const std::vector<std::string>> names;
  };
  auto kept = std::make_shared<const Kept>(Kept{catalog, std::move(names)});
  auto impl = std::make_unique<Row::Impl>();
  impl->collection = collection.name;
  impl->key = record.key;
  impl->names = {kept, kept->names.get()};
  impl->bytes =
      cache::encode_row(collection.name, record.key, collection.schema_id(), record.cells);
  TIDEMARK_ASSIGN(
      view, cache::RowView::open(collection.name, impl->key, std::get<std::string>(impl->bytes)));
  impl->view = view;
  return Row(std::move(impl));
}

std::unexpected<Error> too_large(std::string_view collection, std::string_view key) {
  return fail(ErrorCode::unsupported,
              "the source has " + std::string(collection) + " " + std::string(key) +
                  ", but it is too large for it to send",
              "make the row smaller");
}

}  // namespace

// The tables that a name means, each with its key and its statement.
struct SourceReader::Question {
  struct Part {
    const Collection* collection;
    Value key;
    turso::Statement statement;
  };
  std::vector<Part> parts;
  bool exact = false;

  [[nodiscard]] turso::Batch batch() const {
    turso::Batch batch;
    batch.statements.push_back(source::schema_statement());
    for (const Part& part : parts) {
      batch.statements.push_back(
          exact ? source::exact_statement(part.statement, part.collection->columns.size())
                : part.statement);
    }
    return batch;
  }
};

Value key_value(const Collection& collection, const std::string& text) {
  std::int64_t number = 0;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), number).ec;
  // "07" is the key of no integer.
  const bool whole = error == std::errc{} && std::to_string(number) == text;
  if (collection.integer_key && whole) return number;
  return text;
}

SourceReader::SourceReader(std::unique_ptr<turso::Connection> connection, model::Catalog known)
    : connection_(std::move(connection)),
      catalog_(std::make_shared<const model::Catalog>(std::move(known))) {}

SourceReader::Question SourceReader::ask_about(std::string_view collection,
                                               std::string_view key) const {
  const auto kind = model::kind_from_string(collection);
  Question question;
  for (const Collection& table : catalog_->collections) {
    if (kind ? table.kind != *kind : table.name != collection) continue;
    Value value = key_value(table, std::string(key));
    auto statements = source::rows_statements(table, {&value, 1});
    question.parts.push_back({&table, std::move(value), std::move(statements.at(0))});
  }
  return question;
}

Result<turso::BatchReply> SourceReader::ask(turso::Batch batch, const AskLimits& limits) {
  const std::size_t asked = batch.statements.size();
  TIDEMARK_ASSIGN(reply, turso::run(*connection_, std::move(batch), limits.deadline, limits.stop));
  if (reply.results.size() != asked || reply.results[0].columns().size() != kSchemaColumns) {
    return turso::unexpected_reply("what its tables are");
  }
  return std::move(reply);
}

Result<void> SourceReader::discover(const AskLimits& limits) {
  TIDEMARK_ASSIGN(schema, ask({{source::schema_statement()}}, limits));
  TIDEMARK_ASSIGN(batch, source::discovery_batch(schema.results[0]));
  TIDEMARK_ASSIGN(reply, turso::run(*connection_, std::move(batch), limits.deadline, limits.stop));
  TIDEMARK_ASSIGN(catalog, source::read_discovery(schema.results[0], reply));
  catalog_ = std::make_shared<const model::Catalog>(std::move(catalog));
  return {};
}

// nullopt: the tables are not those of the catalog.
Result<std::optional<std::vector<model::RowSet>>> SourceReader::ask_rows(const Question& question,
                                                                         const AskLimits& limits) {
  TIDEMARK_ASSIGN(reply, ask(question.batch(), limits));
  if (source::fingerprint(reply.results[0]) != catalog_->fingerprint) return std::nullopt;
  reply.results.erase(reply.results.begin());
  if (!question.exact) return std::move(reply.results);
  for (model::RowSet& rows : reply.results) {
    TIDEMARK_ASSIGN(plain, source::read_exact(rows));
    rows = std::move(plain);
  }
  return std::move(reply.results);
}

Result<std::optional<std::vector<Row>>> SourceReader::get_known(Question& question,
                                                                const AskLimits& limits) {
  TIDEMARK_ASSIGN(asked, ask_rows(question, limits));
  if (asked && !question.exact && std::ranges::any_of(*asked, &model::RowSet::inexact)) {
    question.exact = true;
    TIDEMARK_ASSIGN(exact, ask_rows(question, limits));
    asked = std::move(exact);
  }
  if (!asked) return std::nullopt;
  std::vector<Row> rows;
  std::vector<model::Skipped> unfit;
  for (std::size_t i = 0; i < question.parts.size(); ++i) {
    const Question::Part& part = question.parts[i];
    TIDEMARK_ASSIGN(page,
                    source::read_rows(*part.collection, {&part.key, 1}, std::move((*asked)[i])));
    for (const model::Record& record : page.records) {
      TIDEMARK_ASSIGN(row, row_of(catalog_, *part.collection, record));
      rows.push_back(std::move(row));
    }
    std::ranges::move(page.skipped, std::back_inserter(unfit));
  }
  if (!rows.empty() || unfit.empty()) return rows;
  return fail(ErrorCode::unsupported,
              "the source has " + unfit[0].collection + " " + unfit[0].key +
                  ", but it cannot be read: " + unfit[0].reason,
              "mend the row at the source");
}

Result<std::optional<std::vector<Row>>> SourceReader::get(std::string_view collection,
                                                          std::string_view key,
                                                          const AskLimits& limits) {
  Question question = ask_about(collection, key);
  if (!question.parts.empty()) {
    auto found = get_known(question, limits);
    if (!found && turso::is_too_large(found.error())) return too_large(collection, key);
    if (found && *found) return found;
    // A table or column that is gone is an SQL error.
    if (!found && found.error().code != ErrorCode::invalid) return found;
  }
  TIDEMARK_TRY(discover(limits));
  Question again = ask_about(collection, key);
  if (again.parts.empty()) return std::nullopt;
  auto found = get_known(again, limits);
  if (!found || *found) return found;
  return fail(ErrorCode::unavailable, "the tables of the source changed meanwhile", "ask again");
}

}  // namespace tidemark::sync
