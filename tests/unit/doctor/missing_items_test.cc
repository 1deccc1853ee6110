// What diagnose() says of missing items, on both sides of each bound.
#include "tests/unit/doctor/healthy.h"

namespace tidemark::doctor {
namespace {

constexpr auto kMissing = Heading::missing_items;

TEST(MissingItems, no_cache_and_one_that_is_being_filled) {
  Measurements m = healthy();
  m.cache = {};
  m.last_pass.reset();
  m.cache_rights.reset();
  m.cache.problem = Error{ErrorCode::invalid, "no cache", {}, {}};
  expect_found(m, kMissing, Severity::problem, "/c/cache.redb", "`tidemark sync`");
  m.lock = LockHolder{"pid 42", {}, {}};  // the daemon's
  expect_found(m, kMissing, Severity::notice, "yet", "is filling it");
}

TEST(MissingItems, damage) {
  Measurements m = healthy();
  m.cache.readable = false;
  m.cache.problem = Error{ErrorCode::corrupt, "a page is damaged", {}, {}};
  expect_found(m, kMissing, Severity::problem, "a page is damaged", "`tidemark repair`");
  m = healthy();
  m.cache.freshness.state = FreshnessState::needs_repair;
  expect_found(m, kMissing, Severity::problem, "damaged", "`tidemark repair`");
}

TEST(MissingItems, rows_that_were_skipped) {
  Measurements m = healthy();
  m.cache.freshness.incomplete = 1;
  m.last_pass->skipped = {{"patterns", "p1", "the text is not UTF-8"}};
  m.source->rows["patterns"] = 21;
  expect_found(m, kMissing, Severity::problem, "patterns p1: the text", "at the source");
}

TEST(MissingItems, reads_that_the_cache_cannot_answer) {
  Measurements m = healthy();
  m.cache.reads = ReadCounts{700, 100, 200};
  expect_healthy(m);
  m.cache.reads = ReadCounts{699, 100, 201};
  expect_found(m, kMissing, Severity::notice, "79 % of 1,000", "--max-episodes-cache 2000 ");
  m.source->rows["episodes"] = 1'500;  // no more are there to be had
  expect_found(m, kMissing, Severity::notice, "79 %", "--max-episodes-cache 1500 ");
  m.cache.reads = ReadCounts{400, 99, 501};
  m.cache.scope.sync_patterns = false;
  expect_found(m, kMissing, Severity::problem, "49 %", "--sync-patterns --set-scope");
  m.cache.reads = ReadCounts{1, 0, 998};  // too few to say
  expect_healthy(m);
}

TEST(MissingItems, a_scope_that_the_cache_does_not_have) {
  Measurements m = healthy();
  m.subject.max_episodes_named = 1'000;
  m.subject.sync_patterns_named = true;
  expect_healthy(m);
  m.subject.max_episodes_named = 5'000;
  expect_found(m, kMissing, Severity::problem, "scope", "--set-scope");
  m.subject.max_episodes_named = 1'000;
  m.subject.sync_embeddings_named = false;
  expect_found(m, kMissing, Severity::problem, "scope", "--set-scope");
}

TEST(MissingItems, counts_that_differ_from_the_sources) {
  Measurements m = healthy();
  m.source->rows["patterns"] = 23;
  expect_found(m, kMissing, Severity::notice, "20 patterns", "`tidemark sync`");
  m.cache.scope.sync_patterns = false;  // none are wanted
  expect_healthy(m);
  m = healthy();
  m.source->rows["episodes"] = 999;
  expect_found(m, kMissing, Severity::notice, "999", "--against-source");
}

TEST(MissingItems, a_pass_that_found_a_difference) {
  Measurements m = healthy();
  m.last_pass->validation.problems = {"an index lacks an entry"};
  expect_found(m, kMissing, Severity::problem, "an index", "`tidemark repair`");
}

}  // namespace
}  // namespace tidemark::doctor
