// A filled generation rewritten in key order: the same cache in a smaller file, or untouched.
#include "cache/pack.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

// Caches of a few megabytes, so that tests are quick.
constexpr PackWhen kSmall{std::uint64_t{1} << 20U, 1.5};

class Pack : public ::testing::Test {
 protected:
  // As a fill does it: rows under scattered keys, in several commits.
  void fill(int rows, std::size_t body) {
    constexpr unsigned kSeed = 20261126;
    SCOPED_TRACE(kSeed);
    std::mt19937 random(kSeed);
    Meta first;
    first.identity.generation = "g1";
    auto writer = Writer::create(next_, first, {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    support::describe(session->edit_meta());
    session->edit_meta().skips = {{"episodes", "bad", "no text"}};
    std::vector<EncodedRow> batch;
    for (int i = 0; i < rows; ++i) {
      batch.push_back(episode(std::to_string(random()), i, std::string(body, 'x')));
      if (batch.size() < 200 && i + 1 < rows) continue;
      ASSERT_TRUE(session->put(support::small_catalog().collections[0], batch));
      ASSERT_TRUE(session->checkpoint());
      batch.clear();
    }
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
  }
  [[nodiscard]] std::string contents() const {
    std::string text;
    const auto reader = Reader::open(next_);
    EXPECT_TRUE(reader) << reader.error().message;
    if (!reader) return text;
    EXPECT_TRUE(reader->scan({.collection = "episodes"}, [&](const Row& row) {
      text += row.to_json();
      return true;
    }));
    text += std::to_string(reader->get("patterns", "p")->presence() == Presence::absent);
    text += inspect(next_).generation;
    const auto checked = check(next_, true);
    EXPECT_TRUE(checked && checked->problems.empty());
    return text;
  }
  [[nodiscard]] std::uint64_t file_bytes() const { return std::filesystem::file_size(next_); }
  [[nodiscard]] ino_t inode() const {
    struct stat info{};
    EXPECT_EQ(::stat(next_.c_str(), &info), 0);
    return info.st_ino;
  }
  [[nodiscard]] bool left_over() const { return std::filesystem::exists(packed_path(next_)); }

  support::SmallCache cache_;
  std::string next_ = generation_path(cache_.path);
};

TEST_F(Pack, gives_the_same_cache_in_a_file_little_larger_than_its_live_bytes) {
  fill(3'000, 1'000);
  const std::string before = contents();
  const std::uint64_t live = *inspect(next_).live_bytes;
  EXPECT_GT(file_bytes(), live * 3 / 2);
  ASSERT_TRUE(pack_generation(next_, {}, kSmall));
  EXPECT_EQ(contents(), before);
  EXPECT_LT(file_bytes(), live * 7 / 5);
  EXPECT_FALSE(left_over());
  // A writer goes on with it.
  auto writer = Writer::open(next_, {});
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_EQ(writer->meta().skips.size(), 1U);
  auto session = writer->begin();
  const std::vector<EncodedRow> more = {episode("more", 7, "text")};
  ASSERT_TRUE(session->put(support::small_catalog().collections[0], more));
  ASSERT_TRUE(std::move(*session).commit());
}

TEST_F(Pack, of_a_cache_puts_a_smaller_file_in_its_place_and_readers_move_over) {
  fill(3'000, 1'000);
  ASSERT_TRUE(install_generation(next_, cache_.path));
  const auto reader = Reader::open(cache_.path);
  ASSERT_TRUE(reader);
  const std::uint64_t before = std::filesystem::file_size(cache_.path);
  const auto packed = pack_cache(cache_.path, {}, kSmall);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(*packed);
  EXPECT_LT(std::filesystem::file_size(cache_.path), before);
  EXPECT_EQ(*reader->snapshot()->count("episodes"), 3'000U);
  EXPECT_FALSE(*pack_cache(cache_.path, {}, kSmall));
}

TEST_F(Pack, leaves_a_small_file_alone) {
  fill(100, 100);
  const auto before = inode();
  ASSERT_TRUE(pack_generation(next_, {}, kSmall));
  EXPECT_EQ(inode(), before);
}

TEST_F(Pack, that_is_stopped_is_cancelled_and_leaves_the_generation_as_it_was) {
  fill(3'000, 1'000);
  const std::string before = contents();
  int asked = 0;
  WriterOptions options;
  options.keep_going = [&] { return ++asked < 3; };
  const auto stopped = pack_generation(next_, options, kSmall);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_FALSE(left_over());
  EXPECT_EQ(contents(), before);
}

TEST_F(Pack, that_fails_at_any_operation_leaves_the_generation_as_it_was) {
  fill(3'000, 500);
  const std::string before = contents();
  const auto old_inode = inode();
  std::uint64_t n = 1;
  while (true) {
    WriterOptions options;
    options.fail_after_operations = n;
    const auto done = pack_generation(next_, options, kSmall);
    if (done) break;
    ASSERT_EQ(inode(), old_inode) << n;
    ASSERT_FALSE(left_over()) << n;
    n += 7;  // there are hundreds; each seventh meets every kind
    ASSERT_LT(n, 20'000U);
  }
  EXPECT_GT(n, 20U);
  EXPECT_NE(inode(), old_inode);
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace tidemark::cache
