// A get takes a shorter way for a hit; it must answer as the long way would.
#include <gtest/gtest.h>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

TEST(ReaderGet, follows_a_catalog_that_changes_in_place_row_by_row) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("a", 1, "x"), episode("b", 2, "y")}));
  const auto reader = Reader::open(cache.path);
  ASSERT_TRUE(reader->get("episodes", "a")->row().at("body"));

  auto writer = Writer::open(cache.path, {});
  auto session = writer->begin();
  model::Catalog catalog = support::small_catalog();
  model::Collection lessons = catalog.collections[1];
  lessons.name = "lessons";
  catalog.collections.push_back(lessons);
  model::Collection& episodes = catalog.collections[0];
  episodes.columns.push_back({"mood", "TEXT"});
  Meta& meta = session->edit_meta();
  meta.catalog.catalog = catalog;
  meta.catalog.schemas[episodes.schema_id()] = {"id", "at", "body", "mood"};
  const std::vector<ValueView> cells = {ValueView::text("a"), ValueView::int64(1),
                                        ValueView::text("x"), ValueView::text("calm")};
  const std::vector<EncodedRow> rows = {encode_record(episodes, {"a", cells})};
  ASSERT_TRUE(session->put(episodes, rows));
  const std::vector<ValueView> lesson = {ValueView::text("l"), ValueView::text("kind")};
  const std::vector<EncodedRow> more = {encode_record(lessons, {"l", lesson})};
  ASSERT_TRUE(session->put(lessons, more));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());

  const auto older = reader->get("episodes", "b");  // a hit by the older catalog
  ASSERT_TRUE(older && *older);
  EXPECT_EQ(older->row().column_count(), 3U);
  const auto newer = reader->get("episodes", "a");
  ASSERT_TRUE(newer && *newer);
  EXPECT_EQ(newer->row().at("mood")->bytes(), "calm");
  const auto other = reader->get("lessons", "l");
  ASSERT_TRUE(other && *other);
  EXPECT_EQ(other->row().collection(), "lessons");
}

TEST(ReaderGet, of_a_stale_cache_fails_for_hits_too_where_it_was_asked_to) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("a", 1, "x")}));  // checked in 1970
  ReaderOptions options;
  options.when_stale = StalePolicy::fail;
  const auto reader = Reader::open(cache.path, options);
  ASSERT_TRUE(reader);
  for (int i = 0; i < 2; ++i) {
    const auto found = reader->get("episodes", "a");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::stale);
  }
}

TEST(ReaderStale, every_read_fails_or_is_served_with_its_age_as_the_policy_says) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("a", 1, "x")}));  // checked in 1970
  const auto visit = [](const Row&) { return true; };
  ReaderOptions options;
  const auto serve = Reader::open(cache.path, options);
  EXPECT_EQ(serve->freshness()->state, FreshnessState::stale);
  EXPECT_GT(*serve->freshness()->age, std::chrono::hours(24 * 365));
  EXPECT_TRUE(serve->scan({.collection = "episodes"}, visit));
  EXPECT_TRUE(*serve->snapshot()->get("episodes", "a"));
  options.when_stale = StalePolicy::fail;
  const auto strict = Reader::open(cache.path, options);
  EXPECT_EQ(strict->get("patterns", "none").error().code, ErrorCode::stale);
  EXPECT_EQ(strict->scan({.collection = "episodes"}, visit).error().code, ErrorCode::stale);
  EXPECT_EQ(strict->snapshot().error().code, ErrorCode::stale);
  EXPECT_TRUE(strict->freshness());  // says how stale
  EXPECT_TRUE(inspect(cache.path, options).readable);
  options.max_staleness = std::chrono::hours(24 * 365 * 200);
  EXPECT_TRUE(*Reader::open(cache.path, options)->get("episodes", "a"));
}

// A pass refused by the source left no word of it.
TEST(ReaderRefused, the_reason_is_kept_with_its_time_and_goes_with_the_next_commit_without_it) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("a", 1, "x")}));
  const auto reader = Reader::open(cache.path);
  EXPECT_FALSE(reader->freshness()->source_refused_since);
  for (const std::string& reason : {std::string("wrong token: 401 \n x"), std::string()}) {
    auto writer = Writer::open(cache.path, {});
    auto session = writer->begin();
    session->edit_meta().refusal = {1'700'000'000'000'000, reason};
    ASSERT_TRUE(std::move(*session).commit());
    EXPECT_EQ(writer->meta().refusal.reason, reason);
    ASSERT_TRUE(std::move(*writer).close());
    const auto refused = reader->freshness();
    EXPECT_EQ(refused->source_refused_since->time_since_epoch(),
              std::chrono::seconds(1'700'000'000));
    EXPECT_EQ(refused->source_refused_reason, reason);
    EXPECT_FALSE(refused->source_unavailable_since);
  }
  auto writer = Writer::open(cache.path, {});
  auto session = writer->begin();
  session->edit_meta().refusal = {};
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
  EXPECT_FALSE(reader->freshness()->source_refused_since);
  EXPECT_EQ(reader->freshness()->source_refused_reason, "");
}

TEST(ReaderGet, a_row_outlives_its_reader) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {episode("a", 1, "text")}));
  const auto keep = [&] {
    const auto reader = Reader::open(cache.path);
    return (*reader->get("episodes", "a")).row();
  };
  const Row row = keep();
  EXPECT_EQ(row.collection(), "episodes");
  EXPECT_EQ(row.at("body")->bytes(), "text");
}

}  // namespace
}  // namespace tidemark::cache
