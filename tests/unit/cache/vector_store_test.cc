// The vectors that are kept for the next search: bounded, and never other than the rows are.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "cache/nearest.h"
#include "cache/ranking.h"
#include "tests/support/embeddings.h"

namespace tidemark::cache {
namespace {

using support::Embedding;
using support::write_embeddings;

constexpr std::size_t kDimension = 64;

std::vector<Embedding> rows_of(std::size_t count, float value = 1) {
  std::vector<Embedding> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({"k" + std::to_string(1000 + i), std::vector<float>(kDimension, value)});
  }
  return rows;
}

class Vectors : public testing::Test {
 protected:
  View view() {
    auto view = handle_.view();
    EXPECT_TRUE(view);
    return std::move(*view);
  }
  static std::shared_ptr<const TableVectors> get(VectorStore& store, const View& view,
                                                 const std::string& table,
                                                 std::size_t dimension = kDimension) {
    auto got = store.get(view, *view.catalog->catalog.find(table), dimension);
    EXPECT_TRUE(got);
    return got ? std::move(*got) : nullptr;
  }

  const support::SmallCache cache_;
  ReadHandle handle_{cache_.path, {}};
};

TEST_F(Vectors, what_was_used_longest_ago_makes_room_and_what_does_not_fit_is_not_kept) {
  for (const char* table : {"embeddings_a", "embeddings_b", "embeddings_c"}) {
    write_embeddings(cache_.path, rows_of(100), table);
  }
  write_embeddings(cache_.path, rows_of(300), "embeddings_large");
  const View now = view();
  VectorStore store(std::size_t{75} << 10U);  // each of the small ones: 27 KiB
  const std::weak_ptr a = get(store, now, "embeddings_a");
  const std::weak_ptr b = get(store, now, "embeddings_b");
  ASSERT_FALSE(a.expired() || b.expired());
  EXPECT_EQ(get(store, now, "embeddings_a"), a.lock());
  const std::weak_ptr c = get(store, now, "embeddings_c");
  EXPECT_TRUE(b.expired());
  EXPECT_FALSE(a.expired() || c.expired());
  EXPECT_EQ(get(store, now, "embeddings_large"), nullptr);
  EXPECT_FALSE(a.expired() || c.expired());
}

TEST_F(Vectors, of_a_table_of_several_dimensions_only_the_one_that_is_asked_for_takes_room) {
  auto rows = rows_of(100);
  for (std::size_t i = 0; i < 100; ++i) {
    rows.push_back({"large" + std::to_string(i), std::vector<float>(1'000, 1)});
  }
  write_embeddings(cache_.path, rows);
  VectorStore store(std::size_t{75} << 10U);
  const auto kept = get(store, view(), "embeddings");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(get(store, view(), "embeddings"), kept);
  EXPECT_EQ(get(store, view(), "embeddings", 1'000), nullptr);
}

// Beyond what was thought before reading: such keys are rare.
TEST_F(Vectors, long_keys_count) {
  std::vector<Embedding> rows;
  for (std::size_t i = 0; i < 100; ++i) {
    rows.push_back({std::string(1'000, 'k') + std::to_string(i), {1, 2}});
  }
  write_embeddings(cache_.path, rows);
  VectorStore store(std::size_t{20} << 10U);
  const std::weak_ptr first = get(store, view(), "embeddings", 2);
  EXPECT_TRUE(first.expired());
}

TEST_F(Vectors, are_read_again_when_a_row_changed_and_not_when_something_else_did) {
  write_embeddings(cache_.path, rows_of(10));
  write_embeddings(cache_.path, rows_of(10), "embeddings_other");
  VectorStore store(std::size_t{1} << 20U);
  const View before = view();
  const std::weak_ptr first = get(store, before, "embeddings");
  write_embeddings(cache_.path, rows_of(11), "embeddings_other");
  EXPECT_EQ(get(store, view(), "embeddings"), first.lock());
  write_embeddings(cache_.path, rows_of(1, 2));
  const auto second = get(store, view(), "embeddings");
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(second->blocks[0].floats[0], 2);
  // A snapshot of before neither gets these nor takes their place.
  EXPECT_EQ(get(store, before, "embeddings"), nullptr);
  EXPECT_EQ(get(store, view(), "embeddings"), second);
}

// What a Reader answers, in one text: keys, nearest first.
std::string keys(const Result<tidemark::Nearest>& found) {
  if (!found) return found.error().message;
  std::string keys;
  for (const Neighbour& neighbour : found->neighbours)
    keys += std::string(neighbour.row.key()) + " ";
  return keys;
}

TEST(VectorStore, a_search_follows_edits_deletes_and_generations_and_a_snapshot_does_not) {
  const support::SmallCache cache;
  write_embeddings(cache.path, {{"a", {1, 0}}, {"b", {0, 1}}});
  const auto reader = Reader::open(cache.path);
  const std::vector<float> vector = {1, 0.5F};
  const NearestQuery query = {.vector = vector};
  EXPECT_EQ(keys(reader->nearest(query)), "a b ");
  const auto before = reader->snapshot();
  write_embeddings(cache.path, {{"a", {-1, 0}}});
  EXPECT_EQ(keys(reader->nearest(query)), "b a ");
  EXPECT_EQ(keys(before->nearest(query)), "a b ");
  EXPECT_EQ(keys(reader->nearest(query)), "b a ");
  support::remove_embeddings(cache.path, {"b"});
  EXPECT_EQ(keys(reader->nearest(query)), "a ");
  write_embeddings(cache.path, {}, "embeddings", [](Meta& meta) { ++meta.state.checked_at_us; });
  EXPECT_EQ(keys(reader->nearest(query)), "a ");
  EXPECT_EQ(reader->nearest(query)->freshness.state, FreshnessState::stale);  // checked in 1970
  const std::string next = cache.folder.file("next.redb");
  write_embeddings(next, {{"c", {1, 0}}});
  ASSERT_TRUE(install_generation(next, cache.path));
  EXPECT_EQ(keys(reader->nearest(query)), "c ");
  EXPECT_EQ(keys(before->nearest(query)), "a b ");
  EXPECT_EQ(keys(reader->nearest(query)), "c ");
}

// In each commit all vectors are the same: an answer of two would show both.
TEST(VectorStore, threads_that_search_while_commits_are_made_see_one_commit_each) {
  constexpr std::size_t kRows = 50;
  const support::SmallCache cache;
  write_embeddings(cache.path, rows_of(kRows, 1));
  const auto reader = Reader::open(cache.path);
  const std::vector<float> vector(kDimension, 1);
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> searches = 0;
  const auto search = [&] {
    while (!done || searches < 20) {
      const auto found =
          reader->nearest({.vector = vector, .k = kRows, .similarity = Similarity::dot});
      ++searches;
      if (!found || found->neighbours.size() != kRows) {
        ++torn;
        continue;
      }
      const double score = found->neighbours[0].score;
      for (const Neighbour& one : found->neighbours) {
        std::array<float, kDimension> floats{};
        one.row.at("vec")->copy_vector(floats);
        const bool same =
            one.score == score && static_cast<double>(floats[0]) * kDimension == score;
        torn += same ? 0 : 1;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(search);
    for (int commit = 2; commit < 12; ++commit) {
      write_embeddings(cache.path, rows_of(kRows, static_cast<float>(commit)));
    }
    done = true;
  }
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(reader->nearest({.vector = vector, .k = 1, .similarity = Similarity::dot})
                ->neighbours[0]
                .score,
            11.0 * kDimension);
}

// A child that used what it inherited would wait for ever for a thread that it does not have.
TEST(VectorStore,
     a_forked_child_is_refused_while_another_thread_searches_and_its_own_reader_works) {
  const support::SmallCache cache;
  write_embeddings(cache.path, rows_of(2'000), "embeddings_a");
  write_embeddings(cache.path, rows_of(2'000), "embeddings_b");
  ReaderOptions options;
  options.vector_cache_bytes = std::size_t{700} << 10U;  // one of them: each search reads one
  const auto reader = Reader::open(cache.path, options);
  const std::vector<float> vector(kDimension, 1);
  const NearestQuery query = {.vector = vector, .k = 1};
  const auto snapshot = reader->snapshot();
  std::atomic<int> searches = 0;
  const std::jthread busy([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      static_cast<void>(reader->nearest(query));
      ++searches;
      searches.notify_all();
    }
  });
  for (int i = 0; i < 10; ++i) {
    searches.wait(searches);  // it has begun another, or does so now
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(30);  // a hang ends as a failure
      const auto refused = [](const auto& found) {
        return !found && found.error().code == ErrorCode::invalid;
      };
      const bool right = refused(reader->nearest(query)) && refused(snapshot->nearest(query)) &&
                         keys(Reader::open(cache.path)->nearest(query)) == "k1000 ";
      std::_Exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_EQ(keys(reader->nearest(query)), "k1000 ");
  }
}

}  // namespace
}  // namespace tidemark::cache
