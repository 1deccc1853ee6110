// What the applier asks for again.
#include "sync/applier.h"

#include "tests/support/small_cache.h"

namespace tidemark::sync {
namespace {

// The keys to confirm after an episode came and then was gone, before the lists had ended.
std::size_t asked_again_after_a_removal(bool resumed) {
  const support::SmallCache cache;
  auto writer = cache::Writer::create(cache.path, {}, {});
  auto session = writer->begin();
  const model::Catalog catalog = support::small_catalog();
  const Scope scope;
  Filling filling;
  filling.commit_bytes = 1'000'000;
  filling.resumed = resumed;
  Applier applier(*session, catalog, scope, filling);
  FetchedRows came;
  came.collection = &catalog.collections[0];
  came.rows = {support::episode("a", 1, ""), support::episode("b", 2, "")};
  came.places = {"place of a", "place of b"};
  EXPECT_TRUE(applier.take(std::move(came)));
  FetchedRows gone;
  gone.collection = &catalog.collections[0];
  gone.missing = {"a"};
  EXPECT_TRUE(applier.take(std::move(gone)));
  const auto candidates = applier.candidates();
  EXPECT_TRUE(candidates);
  return candidates->size();
}

// A list may have been told that the row is stored, and so have asked for it no more.
TEST(Applier, what_a_resumed_fill_removes_while_it_lists_is_asked_for_again) {
  EXPECT_EQ(asked_again_after_a_removal(true), 1U);
  EXPECT_EQ(asked_again_after_a_removal(false), 0U);
}

}  // namespace
}  // namespace tidemark::sync
