// Which tables can be captured, and which SQL an installation, a prune and a removal are.
#include "source/capture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "source/capture_names.h"
#include "source/tuning.h"
#include "tests/support/rows.h"

namespace tidemark::source {
namespace {

using support::number;
using support::text;

struct Index {
  bool unique = false;
  std::string origin = "c";
};

struct Table {
  std::string name;
  std::string sql;
  std::string key_type = "TEXT";
  int keys = 1;
  std::vector<Index> indexes;
};

CaptureSurvey survey_of(const std::vector<Table>& tables) {
  model::RowSet objects;
  objects.set_columns({"type", "name", "tbl_name", "sql"});
  turso::BatchReply reply;
  for (const Table& table : tables) {
    objects.add(
        std::vector<ValueView>{text("table"), text(table.name), text(table.name), text(table.sql)});
    model::RowSet info;
    info.set_columns({"cid", "name", "type", "notnull", "dflt_value", "pk"});
    for (int i = 0; i < 2; ++i) {
      info.add(std::vector<ValueView>{number(i), text(i == 0 ? "id" : "v"), text(table.key_type),
                                      number(0), ValueView::null(), number(i < table.keys)});
    }
    reply.results.push_back(std::move(info));
    model::RowSet list;
    list.set_columns({"seq", "name", "unique", "origin", "partial"});
    for (const Index& index : table.indexes) {
      list.add(std::vector<ValueView>{number(0), text("i"), number(index.unique ? 1 : 0),
                                      text(index.origin), number(0)});
    }
    reply.results.push_back(std::move(list));
  }
  auto survey = read_tables(objects, reply);
  EXPECT_TRUE(survey);
  return survey ? *survey : CaptureSurvey{};
}

std::string refusal(Table table) {
  table.name = "episodes";
  return survey_of({table}).tables.at(0).refusal;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Capture, takes_a_rowid_table_with_one_integer_or_text_key) {
  EXPECT_EQ(refusal({"",
                     "CREATE TABLE episodes(id TEXT PRIMARY KEY, v)",
                     "TEXT",
                     1,
                     {{true, "pk"}, {false, "c"}}}),
            "");
  EXPECT_EQ(refusal({"", "CREATE TABLE episodes(id INTEGER PRIMARY KEY)", "INTEGER", 1, {}}), "");
}

TEST(Capture, says_of_a_table_why_it_stays_in_scan_mode) {
  EXPECT_TRUE(has(refusal({"", "CREATE TABLE episodes(id)", "TEXT", 0, {}}), "no primary key"));
  EXPECT_TRUE(has(refusal({"", "CREATE TABLE episodes(id)", "TEXT", 2, {}}), "several columns"));
  EXPECT_TRUE(has(refusal({"", "CREATE TABLE episodes(id)", "BLOB", 1, {}}), "neither"));
  for (const char* origin : {"c", "u"}) {
    EXPECT_TRUE(
        has(refusal({"", "CREATE TABLE episodes(id)", "TEXT", 1, {{true, origin}}}), "UNIQUE"));
  }
  for (const char* options : {"WITHOUT ROWID", "strict,without \n rowid", " Without  RowId "}) {
    const std::string sql = "CREATE TABLE episodes(id TEXT PRIMARY KEY)" + std::string(options);
    EXPECT_TRUE(has(refusal({"", sql, "TEXT", 1, {}}), "WITHOUT ROWID")) << options;
  }
  EXPECT_EQ(
      refusal(
          {"", "CREATE TABLE episodes(id TEXT PRIMARY KEY, \"without rowid\" INT)", "TEXT", 1, {}}),
      "");
  EXPECT_TRUE(
      has(refusal({"", "CREATE VIRTUAL TABLE episodes USING x(id)", "TEXT", 1, {}}), "virtual"));
}

TEST(Capture, refuses_an_mvcc_journal_and_takes_any_other) {
  for (const auto& [mode, refused] :
       {std::pair{"wal", false}, {"delete", false}, {"mvcc", true}, {"experimental_MVCC", true}}) {
    CaptureSurvey survey = survey_of({{"episodes", "CREATE TABLE episodes(id)", "TEXT", 1, {}}});
    read_journal(support::rows({"journal_mode"}, {{text(mode)}}), survey);
    EXPECT_EQ(!survey.tables[0].refusal.empty(), refused) << mode;
    EXPECT_EQ(!install_statements(survey, 1), refused);
  }
}

TEST(Capture, names_every_reason_where_no_table_can_be_captured) {
  const auto statements =
      install_statements(survey_of({{"episodes", "CREATE TABLE episodes(id)", "BLOB", 1, {}},
                                    {"patterns", "CREATE TABLE patterns(id)", "TEXT", 0, {}}}),
                         1);
  ASSERT_FALSE(statements);
  EXPECT_EQ(statements.error().code, ErrorCode::unsupported);
  EXPECT_TRUE(has(statements.error().message, "episodes: its key"));
  EXPECT_TRUE(has(statements.error().message, "patterns: it has no primary key"));
}

TEST(Capture, a_source_without_episodes_is_refused_with_its_tables_but_not_ours) {
  model::RowSet objects;
  objects.set_columns({"type", "name", "tbl_name", "sql"});
  for (const char* name : {"notes", "tidemark_changes"}) {
    objects.add(std::vector<ValueView>{text("table"), text(name), text(name), text("")});
  }
  const auto batch = tables_batch(objects);
  ASSERT_FALSE(batch);
  EXPECT_TRUE(has(batch.error().message, "notes"));
  EXPECT_FALSE(has(batch.error().message, "tidemark_changes"));
}

TEST(Capture, no_trigger_has_a_conflict_clause) {
  const auto statements = install_statements(
      survey_of({{"episodes", "CREATE TABLE episodes(id TEXT COLLATE NOCASE)", "TEXT", 1, {}}}), 1);
  ASSERT_TRUE(statements);
  std::size_t triggers = 0;
  for (const std::string& sql : *statements) {
    if (!sql.starts_with("CREATE TRIGGER")) continue;
    ++triggers;
    EXPECT_FALSE(has(sql, " OR ")) << sql;
    EXPECT_FALSE(has(sql, "ON CONFLICT")) << sql;
  }
  EXPECT_EQ(triggers, 8U);
}

TEST(Capture, names_are_quoted_and_keep_is_the_callers) {
  const auto statements = install_statements(
      survey_of({{"episodes", "CREATE TABLE episodes(id)", "TEXT", 1, {}},
                 {"embeddings_it's \"x\"", "CREATE TABLE y(id)", "TEXT", 1, {}}}),
      77);
  ASSERT_TRUE(statements);
  const auto found = std::ranges::find_if(*statements, [](const std::string& sql) {
    return sql.starts_with("CREATE TRIGGER \"tidemark_insert_embeddings_it's \"\"x\"\"\"");
  });
  ASSERT_NE(found, statements->end());
  EXPECT_TRUE(has(*found, " ON \"embeddings_it's \"\"x\"\"\" ")) << *found;
  EXPECT_TRUE(has(*found, "VALUES('embeddings_it''s \"x\"', NEW.\"id\"")) << *found;
  EXPECT_TRUE(has(*found, "- 77;")) << *found;
}

CaptureSurvey with_log(std::int64_t first, std::int64_t head) {
  CaptureSurvey survey;
  survey.guard.emplace();
  survey.guard->head = head;
  survey.first = first;
  return survey;
}

TEST(Capture, a_prune_goes_in_bounded_steps_to_the_newest_changes) {
  EXPECT_TRUE(prune_transactions({}, 0).empty());
  EXPECT_TRUE(prune_transactions(with_log(1, 50), 50).empty());
  EXPECT_TRUE(prune_transactions(with_log(1, 50), 49).empty());
  const auto one = prune_transactions(with_log(1, 50), 10);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_TRUE(has(one[0][0], "value = 40"));
  EXPECT_TRUE(has(one[0][1], "seq < 40"));
  const auto steps = prune_transactions(with_log(1, 1 + 2 * kPruneChunkRows + 5), 0);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_TRUE(has(steps[0][1], "seq < " + std::to_string(1 + kPruneChunkRows)));
  EXPECT_TRUE(has(steps[2][1], "seq < " + std::to_string(1 + 2 * kPruneChunkRows + 5)));
  EXPECT_LE(prune_transactions(with_log(1, std::int64_t{1} << 60U), 0).size(),
            static_cast<std::size_t>(kPruneChunksMax) + 1);
}

TEST(Capture, knows_its_own_triggers_by_name) {
  EXPECT_TRUE(is_capture_trigger("tidemark_log_insert"));
  EXPECT_TRUE(is_capture_trigger("Tidemark_Before_Update_x"));
  EXPECT_FALSE(is_capture_trigger("tidemark_mine"));
  EXPECT_FALSE(is_capture_trigger("insert_episodes"));
}

}  // namespace
}  // namespace tidemark::source
