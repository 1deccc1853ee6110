// What makes a cache doubt its source, and what a guard says of the capture that it reads.
#include "source/guard.h"

#include <gtest/gtest.h>

#include "source/capture_names.h"
#include "source/source.h"
#include "tests/support/rows.h"

namespace tidemark::source {
namespace {

using support::number;
using support::text;

const GuardState kStored{"db", {{"episodes", "e1"}, {"patterns", "p1"}}, 10, 7, 20, 8};

// A source that has not changed under kStored.
Guard same() {
  Guard guard;
  guard.database_id = "db";
  guard.version = kCaptureVersion;
  guard.floor = 5;
  guard.head = 30;
  guard.epochs = kStored.epochs;
  guard.anchor_nonce = 7;
  guard.ahead_nonce = 8;
  return guard;
}

std::string reason(const Guard& now, const GuardState& stored = kStored) {
  return doubt(stored, now).value_or("none");
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Doubt, there_is_none_while_everything_holds) {
  EXPECT_EQ(reason(same()), "none");
  EXPECT_FALSE(is_behind(kStored, same()));
}

TEST(Doubt, another_database_is_named_first) {
  Guard now = same();
  now.database_id = "other";
  now.head = 1;
  EXPECT_TRUE(has(reason(now), "another database")) << reason(now);
  EXPECT_FALSE(is_behind(kStored, now));
}

TEST(Doubt, an_epoch_that_differs_or_is_gone_names_its_table) {
  Guard now = same();
  now.epochs["patterns"] = "p2";
  EXPECT_TRUE(has(reason(now), "patterns was installed anew")) << reason(now);
  now.epochs.erase("patterns");
  EXPECT_TRUE(has(reason(now), "patterns was removed")) << reason(now);
}

TEST(Doubt, a_table_that_is_captured_since_is_compared_once) {
  Guard now = same();
  now.epochs["heuristics"] = "h1";
  EXPECT_TRUE(has(reason(now), "heuristics was installed")) << reason(now);
  now.unhealthy["heuristics"] = "its trigger is missing";  // then it is in scan mode
  EXPECT_EQ(reason(now), "none");
}

TEST(Doubt, an_unhealthy_table_brings_its_reason) {
  Guard now = same();
  now.unhealthy["episodes"] = "tidemark_update_episodes is missing";
  EXPECT_TRUE(has(reason(now), "tidemark_update_episodes is missing")) << reason(now);
}

TEST(Doubt, a_position_below_the_floor) {
  Guard now = same();
  now.floor = 10;
  EXPECT_EQ(reason(now), "none");
  now.floor = 11;
  EXPECT_TRUE(has(reason(now), "pruned")) << reason(now);
}

TEST(Doubt, an_anchor_that_is_missing_or_another) {
  Guard now = same();
  now.anchor_nonce = std::nullopt;
  EXPECT_TRUE(has(reason(now), "change 10")) << reason(now);
  now.anchor_nonce = 9;
  EXPECT_TRUE(has(reason(now), "backup")) << reason(now);
}

TEST(Doubt, at_position_zero_there_is_no_anchor) {
  GuardState stored = kStored;
  stored.position = stored.ahead = 0;
  stored.position_nonce = stored.ahead_nonce = std::nullopt;
  Guard now = same();
  now.floor = 0;
  now.anchor_nonce = now.ahead_nonce = std::nullopt;
  EXPECT_EQ(reason(now, stored), "none");
  now.floor = 1;
  EXPECT_TRUE(has(reason(now, stored), "pruned"));
}

TEST(Doubt, while_behind_ahead_its_row_is_an_anchor_too) {
  Guard now = same();
  now.ahead_nonce = 1;
  EXPECT_TRUE(has(reason(now), "change 20")) << reason(now);
  now.ahead_nonce = std::nullopt;
  EXPECT_TRUE(has(reason(now), "change 20")) << reason(now);
  GuardState caught_up = kStored;
  caught_up.ahead = caught_up.position;
  EXPECT_EQ(reason(now, caught_up), "none");
}

TEST(Doubt, a_head_that_went_back_is_behind_first) {
  Guard now = same();
  now.head = 19;  // below ahead
  EXPECT_TRUE(is_behind(kStored, now));
  EXPECT_TRUE(has(reason(now), "ends at change 19")) << reason(now);
  now.head = 20;
  EXPECT_FALSE(is_behind(kStored, now));
}

struct Object {
  std::string type, name, table, sql;
  bool as_recorded = true;
};

const std::vector<Object> kInstalled = {
    {"index", "tidemark_changes_item", "tidemark_changes", ""},
    {"index", "by_start", "Episodes", "CREATE INDEX by_start ON Episodes(start_time)"},
    {"table", "Episodes", "Episodes", "CREATE TABLE Episodes(id TEXT PRIMARY KEY)"},
    {"table", "tidemark_changes", "tidemark_changes", ""},
    {"table", "tidemark_meta", "tidemark_meta", ""},
    {"trigger", "tidemark_delete_episodes", "Episodes", ""},
    {"trigger", "tidemark_insert_episodes", "Episodes", ""},
    {"trigger", "tidemark_log_delete", "tidemark_changes", ""},
    {"trigger", "tidemark_log_insert", "tidemark_changes", ""},
    {"trigger", "tidemark_log_update", "tidemark_changes", ""},
    {"trigger", "tidemark_rename_episodes", "Episodes", ""},
    {"trigger", "tidemark_update_episodes", "Episodes", ""}};

std::vector<model::RowSet> reply(const std::vector<Object>& objects, std::int64_t version = 1,
                                 ValueView max_seq = number(40)) {
  std::vector<model::RowSet> results(3);
  results[0].set_columns({"type", "name", "tbl_name", "sql", "recorded"});
  for (const Object& object : objects) {
    results[0].add(std::vector<ValueView>{text(object.type), text(object.name), text(object.table),
                                          object.sql.empty() ? ValueView::null() : text(object.sql),
                                          object.as_recorded ? number(1) : ValueView::null()});
  }
  results[1].set_columns({"key", "value"});
  const auto meta = [&](const char* key, ValueView value) {
    results[1].add(std::vector<ValueView>{text(key), value});
  };
  meta("capture_version", number(version));
  meta("database_id", text("db"));
  meta("epoch:Episodes", text("e1"));
  meta("floor", number(12));
  results[2].set_columns({"head", "anchor", "ahead", "head_nonce"});
  results[2].add(std::vector<ValueView>{max_seq, number(-5), ValueView::null(), number(7)});
  return results;
}

Guard read(const std::vector<model::RowSet>& results) {
  const auto guard = read_guard(results);
  EXPECT_TRUE(guard);
  return guard ? *guard : Guard{};
}

std::string trouble(const std::vector<Object>& objects, std::int64_t version = 1) {
  const Guard guard = read(reply(objects, version));
  const auto found = guard.unhealthy.find("Episodes");
  return found == guard.unhealthy.end() ? "none" : found->second;
}

TEST(Guard, reads_what_is_installed) {
  const Guard guard = read(reply(kInstalled));
  EXPECT_EQ(guard.database_id, "db");
  EXPECT_EQ(guard.version, 1);
  EXPECT_EQ(guard.floor, 12);
  EXPECT_EQ(guard.head, 40);
  EXPECT_EQ(guard.epochs, (std::map<std::string, std::string>{{"Episodes", "e1"}}));
  EXPECT_EQ(guard.log_trouble, "");
  EXPECT_TRUE(guard.unhealthy.empty());
  EXPECT_EQ(guard.head_nonce, 7);
  EXPECT_EQ(guard.anchor_nonce, -5);
  EXPECT_FALSE(guard.ahead_nonce);
}

TEST(Guard, the_head_of_an_empty_log_is_its_floor) {
  const Guard guard = read(reply(kInstalled, 1, ValueView::null()));
  EXPECT_EQ(guard.head, 12);
  EXPECT_FALSE(guard.head_nonce);
}

TEST(Guard, its_schema_is_that_of_the_users_objects) {
  model::RowSet plain;
  plain.set_columns({"type", "name", "tbl_name", "sql"});
  for (const Object& object : kInstalled) {
    if (object.sql.empty()) continue;
    plain.add(std::vector<ValueView>{text(object.type), text(object.name), text(object.table),
                                     text(object.sql)});
  }
  EXPECT_EQ(read(reply(kInstalled)).schema, fingerprint(plain));
  EXPECT_FALSE(capture_present(plain));
  for (const char* own : {"tidemark_changes", "tidemark_meta"}) {
    EXPECT_FALSE(capture_present(plain));
    plain.add(std::vector<ValueView>{text("table"), text(own), text(own), text("CREATE")});
  }
  EXPECT_TRUE(capture_present(plain));
  EXPECT_EQ(read(reply(kInstalled)).schema, fingerprint(plain));
}

TEST(Guard, every_object_of_capture_must_be_there_as_it_was_installed) {
  for (std::size_t i = 0; i < kInstalled.size(); ++i) {
    auto objects = kInstalled;
    objects[i].as_recorded = false;
    const bool ours = kInstalled[i].name != "by_start";
    EXPECT_EQ(has(trouble(objects), "was changed"), ours) << kInstalled[i].name;
    objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(trouble(objects) != "none", ours) << kInstalled[i].name;
  }
}

TEST(Guard, a_unique_index_or_a_collation_needs_more_than_there_is) {
  auto objects = kInstalled;
  objects[1].sql = "CREATE UNIQUE INDEX by_start ON Episodes(start_time)";
  EXPECT_TRUE(has(trouble(objects), "UNIQUE")) << trouble(objects);
  objects = kInstalled;
  objects[2].sql = "CREATE TABLE Episodes(id TEXT PRIMARY KEY COLLATE nocase)";
  EXPECT_TRUE(has(trouble(objects), "tidemark_before_insert_episodes is missing"));
}

TEST(Guard, another_version_is_not_trusted) {
  EXPECT_TRUE(has(trouble(kInstalled, 0), "capture install"));
  EXPECT_TRUE(has(trouble(kInstalled, 2), "upgrade"));
}

TEST(Guard, another_reply_is_unavailable) {
  auto results = reply(kInstalled);
  results.pop_back();
  EXPECT_EQ(read_guard(results).error().code, ErrorCode::unavailable);
  EXPECT_EQ(read_guard({}).error().code, ErrorCode::unavailable);
}

TEST(Guard, anchors_are_asked_for_where_there_are_some) {
  const auto none = guard_statements({});
  ASSERT_EQ(none.size(), kGuardStatements);
  EXPECT_EQ(none[2].args, (std::vector<Value>{Value(), Value()}));
  const auto both = guard_statements({3, 9});
  EXPECT_EQ(both[2].args, (std::vector<Value>{Value(std::int64_t{3}), Value(std::int64_t{9})}));
}

TEST(Guard, a_removed_capture_is_told_from_other_errors) {
  EXPECT_TRUE(is_capture_gone({ErrorCode::invalid, "", "", "no such table: tidemark_meta"}));
  EXPECT_FALSE(is_capture_gone({ErrorCode::invalid, "", "", "no such table: episodes"}));
}

}  // namespace
}  // namespace tidemark::source
