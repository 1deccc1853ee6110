// What a fill that was cut short must have been, to be gone on with.
#include "sync/resume.h"

#include <gtest/gtest.h>

#include <functional>

namespace tidemark::sync {
namespace {

model::Catalog catalog() {
  model::Catalog out;
  out.collections.emplace_back().name = "episodes";
  out.fingerprint = "f";
  return out;
}

cache::Meta begun() {
  cache::Meta meta;
  meta.identity.source = "source";
  meta.capture.database_id = "id";
  meta.catalog.catalog = catalog();
  meta.filled_over = "";
  return meta;
}

std::optional<std::string> refused(const cache::Meta& meta, std::optional<std::string> standing) {
  return cannot_resume(meta, {"source", {}, catalog(), std::move(standing)});
}

TEST(Resume, of_the_same_fill_is_allowed_over_nothing_or_the_same_generation) {
  cache::Meta meta = begun();
  EXPECT_EQ(refused(meta, ""), std::nullopt);
  meta.filled_over = "abc";
  EXPECT_EQ(refused(meta, "abc"), std::nullopt);
}

TEST(Resume, over_another_generation_or_one_that_is_not_known_is_refused) {
  cache::Meta meta = begun();
  EXPECT_TRUE(refused(meta, "abc"));
  EXPECT_TRUE(refused(meta, std::nullopt));
  meta.filled_over.reset();
  EXPECT_TRUE(refused(meta, std::nullopt));
  EXPECT_TRUE(refused(meta, ""));
}

TEST(Resume, of_anything_else_is_refused) {
  using Change = std::function<void(cache::Meta&)>;
  const std::vector<Change> changes = {
      [](cache::Meta& meta) { meta.identity.format_version = 1; },
      [](cache::Meta& meta) { meta.identity.source = "another"; },
      [](cache::Meta& meta) { meta.identity.scope.max_episodes_cache = 7; },
      [](cache::Meta& meta) { meta.identity.scope.sync_patterns = false; },
      [](cache::Meta& meta) { meta.capture.database_id.clear(); },
      [](cache::Meta& meta) { meta.state.in_doubt = true; },
      [](cache::Meta& meta) { meta.state.needs_repair = true; },
      [](cache::Meta& meta) { meta.catalog.catalog.fingerprint = "g"; },
      [](cache::Meta& meta) { meta.catalog.catalog.collections.clear(); }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    cache::Meta meta = begun();
    changes[i](meta);
    EXPECT_TRUE(refused(meta, "")) << "change " << i;
  }
}

}  // namespace
}  // namespace tidemark::sync
