#include "sync/capture_admin.h"

#include <algorithm>

#include "source/tuning.h"

namespace tidemark::sync {
namespace {

Result<turso::BatchReply> ask(turso::Connection& connection, turso::Batch batch,
                              std::chrono::milliseconds deadline, const std::stop_token& stop) {
  return turso::run(connection, std::move(batch), std::chrono::steady_clock::now() + deadline,
                    stop);
}

// Statements that a server may refuse: a reply, or none where it did.
Result<std::optional<turso::BatchReply>> try_ask(turso::Connection& connection, turso::Batch batch,
                                                 std::chrono::milliseconds deadline,
                                                 const std::stop_token& stop) {
  auto reply = ask(connection, std::move(batch), deadline, stop);
  if (reply) return std::optional(std::move(*reply));
  if (reply.error().code == ErrorCode::invalid) return std::nullopt;
  return std::unexpected(std::move(reply).error());
}

CapturedTable table_status(const source::CaptureSurvey& survey, const source::CaptureTable& table) {
  CapturedTable status;
  status.table = table.name;
  if (survey.guard) {
    const source::Guard& guard = *survey.guard;
    if (const auto epoch = guard.epochs.find(table.name); epoch != guard.epochs.end()) {
      status.captured = true;
      status.epoch = epoch->second;
    }
    if (const auto sick = guard.unhealthy.find(table.name); sick != guard.unhealthy.end()) {
      status.reason = sick->second;
    }
  }
  if (!table.refusal.empty()) {
    status.reason = "stays in scan mode: " + table.refusal;
  } else if (!status.captured) {
    status.reason = "not captured; run `tidemark capture install`";
  }
  status.healthy = status.captured && status.reason.empty();
  return status;
}

std::string trouble_of(const source::CaptureSurvey& survey) {
  if (survey.guard) return survey.guard->log_trouble;
  return survey.has_anything() ? "parts of an installation are left; run `tidemark capture install`"
                               : std::string();
}

// Captured tables that are no longer at the source.
void add_gone(const source::CaptureSurvey& survey, CaptureStatus& status) {
  if (!survey.guard) return;
  for (const auto& [name, epoch] : survey.guard->epochs) {
    if (std::ranges::find(status.tables, name, &CapturedTable::table) != status.tables.end()) {
      continue;
    }
    status.tables.push_back({name, true, false, survey.guard->unhealthy.at(name), epoch});
  }
}

}  // namespace

Result<source::CaptureSurvey> survey_capture(turso::Connection& connection,
                                             std::chrono::milliseconds deadline,
                                             const std::stop_token& stop) {
  turso::Batch objects_batch;
  objects_batch.statements.push_back(source::objects_statement());
  TIDEMARK_ASSIGN(objects, ask(connection, std::move(objects_batch), deadline, stop));
  if (objects.results.size() != 1) return turso::unexpected_reply("what its tables are");
  TIDEMARK_ASSIGN(batch, source::tables_batch(objects.results[0]));
  TIDEMARK_ASSIGN(tables, ask(connection, std::move(batch), deadline, stop));
  TIDEMARK_ASSIGN(survey, source::read_tables(objects.results[0], tables));
  if (survey.has_log && survey.has_meta) {
    TIDEMARK_ASSIGN(log, try_ask(connection, source::log_batch(), deadline, stop));
    if (log) TIDEMARK_TRY(source::read_log(*log, survey));
  }
  turso::Batch journal_batch;
  journal_batch.statements.push_back(source::journal_statement());
  TIDEMARK_ASSIGN(journal, try_ask(connection, std::move(journal_batch), deadline, stop));
  if (journal && !journal->results.empty()) source::read_journal(journal->results[0], survey);
  return std::move(survey);
}

CaptureStatus status_of(const source::CaptureSurvey& survey) {
  CaptureStatus status;
  status.installed = survey.has_log && survey.has_meta;
  status.trouble = trouble_of(survey);
  if (survey.guard) {
    status.version = survey.guard->version;
    status.database_id = survey.guard->database_id;
    status.head = survey.guard->head;
    status.floor = survey.guard->floor;
    if (survey.first) status.log_rows_max = status.head - *survey.first + 1;
  }
  bool any = false;
  bool all = true;
  for (const source::CaptureTable& table : survey.tables) {
    status.tables.push_back(table_status(survey, table));
    const bool healthy = status.tables.back().healthy;
    any = any || healthy;
    all = all && (healthy || (!table.refusal.empty() && !status.tables.back().captured));
  }
  add_gone(survey, status);
  status.healthy = status.installed && status.trouble.empty() && any && all &&
                   status.tables.size() == survey.tables.size();
  return status;
}

Result<void> run_statements(turso::Connection& connection,
                            const std::vector<std::string>& statements,
                            std::chrono::milliseconds deadline, const std::stop_token& stop) {
  turso::Batch batch;
  for (const std::string& sql : statements) batch.statements.push_back({sql, {}});
  const auto reply = ask(connection, std::move(batch), deadline, stop);
  if (reply) return {};
  if (!turso::is_read_only(reply.error())) return std::unexpected(reply.error());
  return fail(ErrorCode::rejected, connection.name() + " may be read, but not written",
              "the right to write is missing: use a token or a user that has it, or hand the SQL "
              "that --print-sql shows to an administrator",
              reply.error().source_text);
}

}  // namespace tidemark::sync

namespace tidemark {

struct CaptureAdmin::Impl {
  turso::SourceUrl url;
  CaptureOptions options;

  [[nodiscard]] Result<std::unique_ptr<turso::Connection>> connect(bool writable) const {
    turso::ConnectOptions connect_options;
    connect_options.token = options.token;
    connect_options.ca_file = options.ca_file;
    connect_options.request_timeout = options.request_deadline;
    connect_options.writable = writable;
    return turso::connect(url, std::move(connect_options));
  }
  [[nodiscard]] Result<source::CaptureSurvey> survey(const std::stop_token& stop) const {
    TIDEMARK_ASSIGN(connection, connect(false));
    const std::stop_callback wake(stop, [&connection] { connection->wake(); });
    return sync::survey_capture(*connection, options.request_deadline, stop);
  }
};

std::string CapturePlan::to_sql() const {
  std::string sql;
  for (const auto& statements : transactions) {
    sql += "BEGIN;\n";
    for (const std::string& statement : statements) sql += statement + ";\n";
    sql += "COMMIT;\n";
  }
  return sql;
}

CaptureAdmin::CaptureAdmin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CaptureAdmin::CaptureAdmin(CaptureAdmin&&) noexcept = default;
CaptureAdmin& CaptureAdmin::operator=(CaptureAdmin&&) noexcept = default;
CaptureAdmin::~CaptureAdmin() = default;

Result<CaptureAdmin> CaptureAdmin::open(const std::string& source, CaptureOptions options) {
  TIDEMARK_ASSIGN(url, turso::parse_source_url(source));
  return CaptureAdmin(std::make_unique<Impl>(Impl{std::move(url), std::move(options)}));
}

Result<CaptureStatus> CaptureAdmin::status(const std::stop_token& stop) {
  TIDEMARK_ASSIGN(survey, impl_->survey(stop));
  return sync::status_of(survey);
}

Result<CapturePlan> CaptureAdmin::plan(const CaptureRequest& request, const std::stop_token& stop) {
  const std::int64_t keep = request.keep.value_or(source::kLogKeep);
  if (keep < 0) return fail(ErrorCode::invalid, "keep is below 0", "give a number of changes");
  TIDEMARK_ASSIGN(survey, impl_->survey(stop));
  CapturePlan plan;
  plan.status = sync::status_of(survey);
  if (request.action == CaptureAction::prune) {
    if (!survey.log_works()) {
      return fail(ErrorCode::invalid, "there is no working change log to prune",
                  "run `tidemark capture status` to see why");
    }
    plan.transactions = source::prune_transactions(survey, keep);
    return plan;
  }
  std::vector<std::string> statements;
  if (request.action == CaptureAction::install) {
    TIDEMARK_ASSIGN(wanted, source::install_statements(survey, keep, request.renew));
    statements = std::move(wanted);
  } else {
    statements = source::remove_statements(survey);
  }
  if (!statements.empty()) plan.transactions.push_back(std::move(statements));
  return plan;
}

Result<CaptureStatus> CaptureAdmin::apply(const CapturePlan& plan, const CaptureRequest& request,
                                          const std::stop_token& stop) {
  {
    TIDEMARK_ASSIGN(connection, impl_->connect(true));
    const std::stop_callback wake(stop, [&connection] { connection->wake(); });
    for (const auto& statements : plan.transactions) {
      TIDEMARK_TRY(
          sync::run_statements(*connection, statements, impl_->options.request_deadline, stop));
    }
  }
  TIDEMARK_ASSIGN(now, status(stop));
  const bool as_planned = request.action == CaptureAction::remove    ? !now.installed
                          : request.action == CaptureAction::install ? now.healthy
                                                                     : now.trouble.empty();
  if (!as_planned) {
    return fail(ErrorCode::internal,
                "the source is not as planned afterwards" +
                    (now.trouble.empty() ? std::string() : ": " + now.trouble),
                "run `tidemark capture status`; another program may have changed it meanwhile");
  }
  return now;
}

}  // namespace tidemark
