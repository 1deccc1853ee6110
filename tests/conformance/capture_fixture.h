// A source with change capture on each implementation, what an application writes there, and what
// the log then says.
#pragma once

#include <string>
#include <vector>

#include "source/capture.h"
#include "sync/capture_admin.h"
#include "tests/conformance/fixture.h"

namespace tidemark::conformance {

using Words = std::vector<std::string>;

inline constexpr const char* kTables = R"(
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, v, start_time INTEGER);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY COLLATE NOCASE, v);
CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, v);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY,
  item_id TEXT REFERENCES episodes(episode_id) ON DELETE CASCADE ON UPDATE CASCADE);
)";
// Apart, for Turso 0.6 refuses to rename anything while a trigger's table has such a name.
inline constexpr const char* kWeirdTable = R"(
CREATE TABLE "embeddings_we ""ird's"("k ""ey'" TEXT PRIMARY KEY, item_id TEXT
  REFERENCES episodes(episode_id) ON DELETE SET NULL);
)";
inline constexpr const char* kWeird = "\"embeddings_we \"\"ird's\"";

class CaptureTest : public ConnectionTest {
 protected:
  void start(std::int64_t keep = 100'000, const std::string& tables = kTables,
             const std::string& more = kWeirdTable) {
    prepare(tables + more);
    serve();
    run(install(keep));
  }
  std::unique_ptr<turso::Connection> writer() {
    turso::ConnectOptions options;
    options.writable = true;
    return connect(options);
  }
  source::CaptureSurvey survey() {
    const auto found = sync::survey_capture(*connect(), kPatience, {});
    if (!found) throw std::runtime_error(found.error().message);
    return *found;
  }
  Words install(std::int64_t keep = 100'000) {
    const auto statements = source::install_statements(survey(), keep);
    if (!statements) throw std::runtime_error(statements.error().message);
    return *statements;
  }
  void run(const Words& statements) {
    if (statements.empty()) return;
    const auto done = sync::run_statements(*writer(), statements, kPatience, {});
    if (!done) {
      throw std::runtime_error(done.error().message + ": " + done.error().source_text);
    }
  }
  // One application's statement.
  void write(const std::string& sql) { run({sql}); }
  // Foreign keys are switched on outside a transaction; the real server's only connection keeps it.
  void write_with_keys(const std::string& sql) {
    if (GetParam().name == "tursodb") {
      served().write("PRAGMA foreign_keys = ON");
      served().write(sql);
      return;
    }
    support::SqliteSource source(path());
    source.run("PRAGMA foreign_keys = ON; " + sql);
  }
  model::RowSet rows(const std::string& sql, std::vector<Value> args = {}) {
    auto reply = ask(*connect(), sql, std::move(args));
    if (!reply) throw std::runtime_error(sql + ": " + reply.error().message);
    return std::move(reply->results.at(0));
  }
  // "table key" of each change after `seq`, in order.
  Words changes(std::int64_t seq = 1) {
    const auto set =
        rows("SELECT tbl || ' ' || typeof(id) || ' ' || id FROM tidemark_changes WHERE seq > " +
             std::to_string(seq) + " ORDER BY seq");
    Words out;
    for (std::size_t i = 0; i < set.size(); ++i) out.emplace_back(set.row(i)[0].bytes());
    return out;
  }
  std::int64_t number(const std::string& sql) { return rows(sql).row(0)[0].as_int64(); }
  std::int64_t head() { return number("SELECT max(seq) FROM tidemark_changes"); }
  // What `sql` adds to the log.
  Words logged(const std::string& sql) {
    const std::int64_t before = head();
    write(sql);
    return changes(before);
  }
  source::Guard guard(const source::GuardRequest& request = {}) {
    turso::Batch batch;
    batch.statements = source::guard_statements(request);
    const auto reply = ask(*connect(), batch);
    if (!reply) throw std::runtime_error(reply.error().message);
    const auto read = source::read_guard(reply->results);
    if (!read) throw std::runtime_error(read.error().message);
    return *read;
  }
};

}  // namespace tidemark::conformance
