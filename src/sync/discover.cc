#include "sync/discover.h"

#include <algorithm>
#include <iterator>

#include "source/guard.h"
#include "source/source.h"

namespace tidemark::sync {
namespace {

std::string describe(const model::Collection& collection) {
  const auto column = [&](std::size_t index) { return collection.columns[index].name; };
  std::string text = collection.name + ": key " + column(collection.key_column) +
                     (collection.integer_key ? " (integer)" : "");
  if (collection.order_column) text += ", newest by " + column(*collection.order_column);
  if (collection.parent_column) text += ", parent " + column(*collection.parent_column);
  if (collection.parent_type_column) text += " of " + column(*collection.parent_type_column);
  if (collection.vector_column) text += ", vector " + column(*collection.vector_column);
  if (collection.vector_text_column)
    text += ", vector text " + column(*collection.vector_text_column);
  for (std::size_t i = 0; i < collection.index_columns.size(); ++i) {
    text += (i == 0 ? ", indexes " : " and ") + column(collection.index_columns[i]);
  }
  return text;
}

// The reply to `wanted` from that to `asked`, where it has all of it; takes the results out.
std::optional<turso::BatchReply> answered_already(const turso::Batch& wanted,
                                                  const turso::Batch& asked,
                                                  turso::BatchReply& answer) {
  turso::BatchReply reply;
  reply.results.reserve(wanted.statements.size());
  for (const auto& statement : wanted.statements) {
    const auto same = std::ranges::find(asked.statements, statement.sql, &turso::Statement::sql);
    if (same == asked.statements.end()) return std::nullopt;
    reply.results.push_back(
        std::move(answer.results[static_cast<std::size_t>(same - asked.statements.begin())]));
  }
  return reply;
}

// The second step, with the schema once more: what comes is of the schema that the fingerprint is
// taken of, or of none.
Result<turso::BatchReply> ask_details(Fetcher& fetcher, turso::Batch batch,
                                      const model::RowSet& schema) {
  batch.statements.push_back(source::schema_statement());
  TIDEMARK_ASSIGN(reply, fetcher.ask(batch));
  if (reply.results.size() != batch.statements.size()) {
    return turso::unexpected_reply("what its tables are");
  }
  if (source::fingerprint(reply.results.back()) != source::fingerprint(schema)) {
    return fail(ErrorCode::unavailable, "the tables of the source changed during the pass",
                "run `tidemark sync` again");
  }
  reply.results.pop_back();
  return std::move(reply);
}

}  // namespace

std::vector<std::string> describe_roles(const model::Catalog& catalog) {
  std::vector<std::string> roles;
  roles.reserve(catalog.collections.size());
  for (const auto& collection : catalog.collections) roles.push_back(describe(collection));
  return roles;
}

Result<Discovered> discover(Fetcher& fetcher, const std::optional<model::Catalog>& known) {
  turso::Batch ping;
  ping.statements.push_back(source::schema_statement());
  if (!known) std::ranges::copy(source::usual_discovery(), std::back_inserter(ping.statements));
  TIDEMARK_ASSIGN(answer, fetcher.ask(ping));
  const model::RowSet& schema = answer.results.at(0);
  if (answer.results.size() != ping.statements.size() || schema.columns().size() != 4) {
    return turso::unexpected_reply("what its tables are");
  }
  const bool has_log = source::capture_present(schema);
  if (known && known->fingerprint == source::fingerprint(schema)) {
    return Discovered{*known, has_log};
  }
  TIDEMARK_ASSIGN(batch, source::discovery_batch(schema));
  auto reply = answered_already(batch, ping, answer);
  if (!reply) {
    TIDEMARK_ASSIGN(asked, ask_details(fetcher, std::move(batch), schema));
    reply = std::move(asked);
  }
  TIDEMARK_ASSIGN(catalog, source::read_discovery(schema, *reply));
  return Discovered{std::move(catalog), has_log};
}

std::chrono::steady_clock::time_point pass_deadline(const SyncConfig& config,
                                                    const base::Clock& clock) {
  if (config.pass_deadline.count() == 0) return std::chrono::steady_clock::time_point::max();
  return clock.steady() + config.pass_deadline;
}

}  // namespace tidemark::sync
