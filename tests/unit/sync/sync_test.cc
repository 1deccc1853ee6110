// Pure parts of the engine: the plan, the scope, page sizes.
#include <gtest/gtest.h>

#include "sync/audit.h"
#include "sync/page_sizer.h"
#include "sync/plan.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using namespace std::chrono_literals;

TEST(Scope, unnamed_settings_come_from_the_cache_and_defaults_only_without_one) {
  SyncConfig config;
  config.max_episodes_cache = 50;
  EXPECT_EQ(resolve_scope(std::nullopt, config, {})->max_episodes_cache, 50U);
  EXPECT_EQ(resolve_scope(Scope{7, true, true}, config, {})->max_episodes_cache, 7U);
}

TEST(Scope, a_named_difference_needs_set_scope) {
  SyncRequest request;
  request.max_episodes_cache = 9;
  const auto refused = resolve_scope(Scope{7, true, true}, {}, request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_NE(refused.error().hint.find("--set-scope"), std::string::npos);
  request.set_scope = true;
  EXPECT_EQ(resolve_scope(Scope{7, true, true}, {}, request)->max_episodes_cache, 9U);
}

TEST(Plan, fills_without_a_cache_and_when_tables_changed_else_scans) {
  model::Catalog found;
  found.collections.emplace_back().name = "episodes";
  EXPECT_EQ(make_plan(std::nullopt, found, false, false, {}).mode, Mode::fill);
  EXPECT_EQ(make_plan(found, found, false, false, {}).mode, Mode::scan);
  EXPECT_EQ(make_plan(found, found, false, true, {}).mode, Mode::fill);
  EXPECT_EQ(make_plan(model::Catalog{}, found, false, false, {}).mode, Mode::fill);
  EXPECT_EQ(make_plan(found, found, false, false, {}, true).mode, Mode::fill);
}

TEST(Audit, is_due_when_never_done_long_ago_asked_for_or_done_in_the_future) {
  const SyncConfig config;
  const std::chrono::system_clock::time_point now{100h};
  const auto done_at = [](std::chrono::microseconds time) {
    return cache::AuditRecord{time.count(), 0, {}};
  };
  EXPECT_TRUE(why_audit({}, now, config));
  EXPECT_FALSE(why_audit(done_at(100h), now, config));
  EXPECT_FALSE(why_audit(done_at(76h + 1us), now, config));
  EXPECT_TRUE(why_audit(done_at(76h), now, config));
  EXPECT_FALSE(why_audit(done_at(100h + 1s), now, config));  // clocks of two processes
  EXPECT_TRUE(why_audit(done_at(101h), now, config));
  SyncConfig always;
  always.validate_checksums = true;
  EXPECT_TRUE(why_audit(done_at(100h), now, always));
}

TEST(Audit, a_log_that_missed_changes_is_trusted_under_another_epoch_or_out_of_scope) {
  cache::AuditRecord audit;
  audit.missed["patterns"] = {2, "one"};
  model::Catalog catalog;
  catalog.collections.emplace_back().name = "patterns";
  catalog.collections[0].kind = model::Kind::patterns;
  source::Guard guard;
  guard.epochs = {{"patterns", "one"}, {"episodes", "x"}};
  EXPECT_NE(missed_before(audit, guard, catalog, {}).value_or("").find("missed 2 changes"),
            std::string::npos);
  EXPECT_FALSE(missed_before(audit, guard, catalog, {10, false, true}));
  forget_renewed(audit, guard.epochs);
  EXPECT_EQ(audit.missed.size(), 1U);
  guard.epochs["patterns"] = "two";
  EXPECT_FALSE(missed_before(audit, guard, catalog, {}));
  forget_renewed(audit, guard.epochs);
  EXPECT_TRUE(audit.missed.empty());
}

TEST(Plan, knows_by_the_cache_what_reading_everything_costs_at_the_least) {
  cache::Meta meta;
  meta.identity.scope = {100, true, true};
  for (const auto& [name, kind] :
       {std::pair("episodes", model::Kind::episodes), std::pair("patterns", model::Kind::patterns),
        std::pair("embeddings", model::Kind::embeddings)}) {
    model::Collection& collection = meta.catalog.catalog.collections.emplace_back();
    collection.name = name;
    collection.kind = kind;
  }
  meta.sums = {{"episodes", {100, 0, 0}}, {"patterns", {20, 0, 0}}, {"embeddings", {300, 0, 0}}};
  EXPECT_EQ(least_price(meta, {100, true, true}), 840U);
  EXPECT_EQ(least_price(meta, {100, true, false}), 240U);
  EXPECT_EQ(least_price(meta, {10, false, true}), 20U);  // embeddings of how many is not known
  EXPECT_EQ(least_price({}, {100, true, true}), 0U);
}

TEST(PageSizer, grows_to_its_byte_target_and_shrinks_when_slow_or_refused) {
  PageSizer sizer(100);
  EXPECT_EQ(sizer.rows(), 100U);
  sizer.measured(100, 100 * 1'000, 10ms);
  EXPECT_EQ(sizer.rows(), 100 * kPageGrowthMax);
  sizer.measured(sizer.rows(), sizer.rows() * 1'000, 10ms);
  EXPECT_EQ(sizer.rows(), kPageBytesTarget / 1'000);
  sizer.measured(1'000, 1'000'000, 3s);
  EXPECT_EQ(sizer.rows(), 500U);
  sizer.too_large(500);
  EXPECT_EQ(sizer.rows(), 250U);
  sizer.measured(250, 250, 1ms);
  EXPECT_LE(sizer.rows(), 250U);
  for (int i = 0; i < 20; ++i) sizer.too_large(sizer.rows());
  EXPECT_EQ(sizer.rows(), 1U);
}

TEST(SyncConfig, names_every_bad_field_at_once) {
  SyncConfig config;
  config.max_episodes_cache = 0;
  config.batch_size = 0;
  config.max_concurrent_fetches = 11;
  const auto checked = config.validate();
  ASSERT_FALSE(checked);
  for (const char* field : {"max_episodes_cache", "batch_size", "max_concurrent_fetches"}) {
    EXPECT_NE(checked.error().message.find(field), std::string::npos) << field;
  }
}

}  // namespace
}  // namespace tidemark::sync
