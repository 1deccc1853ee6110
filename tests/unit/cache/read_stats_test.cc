// CACHE.stats: what is counted, by whom, and that nothing in it can hurt a read.
#include "cache/read_stats.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

class ReadStatsTest : public ::testing::Test {
 protected:
  ReadStatsTest() { EXPECT_TRUE(support::write_episodes(path(), {episode("a", 1, "text")})); }
  [[nodiscard]] const std::string& path() const { return cache_.path; }
  [[nodiscard]] std::string stats_path() const { return path() + ".stats"; }

  void read_once() const {
    const auto reader = Reader::open(path());
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->get("episodes", "a")->presence(), Presence::hit);
  }
  // Runs in a forked child, which ends by SIGKILL or by returning.
  template <typename Body>
  void in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  }

  support::SmallCache cache_;
};

TEST_F(ReadStatsTest, counts_hits_absents_and_unknowns_of_readers_and_snapshots) {
  const auto reader = Reader::open(path());
  ASSERT_TRUE(reader);
  ASSERT_TRUE(reader->get("episodes", "a"));
  EXPECT_EQ(reader->get("episodes", "b")->presence(), Presence::unknown);
  EXPECT_EQ(reader->get("patterns", "p")->presence(), Presence::absent);
  const auto snapshot = reader->snapshot();
  ASSERT_TRUE(snapshot->get("episodes", "a"));
  EXPECT_EQ(inspect(path()).reads, (ReadCounts{2, 1, 1}));
}

TEST_F(ReadStatsTest, a_failed_read_counts_as_nothing) {
  const auto reader = Reader::open(path());
  EXPECT_FALSE(reader->get("no such table", "a"));
  EXPECT_EQ(inspect(path()).reads, ReadCounts{});
}

TEST_F(ReadStatsTest, the_file_has_the_caches_mode_and_never_changes_its_size) {
  struct stat before{};
  struct stat after{};
  ASSERT_EQ(::stat(stats_path().c_str(), &before), 0);
  EXPECT_EQ(before.st_mode & 0777U, 0600U);
  for (int i = 0; i < 10; ++i) read_once();
  ASSERT_EQ(::stat(stats_path().c_str(), &after), 0);
  EXPECT_EQ(after.st_size, before.st_size);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

TEST_F(ReadStatsTest, counts_of_dead_processes_stay_and_their_slots_are_used_again) {
  for (int i = 0; i < 300; ++i) {  // more processes than there are slots
    in_child([&] {
      const auto reader = Reader::open(path());
      if (!reader || !reader->get("episodes", "a")) ::_exit(1);
      if (i % 2 == 0) ::kill(::getpid(), SIGKILL);
    });
  }
  EXPECT_EQ(inspect(path()).reads, (ReadCounts{300, 0, 0}));
}

TEST_F(ReadStatsTest, more_readers_at_once_than_slots_lose_no_count) {
  std::vector<Reader> readers;
  for (int i = 0; i < 300; ++i) readers.push_back(std::move(*Reader::open(path())));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (const Reader& reader : readers) EXPECT_TRUE(reader.get("episodes", "a"));
      });
    }
  }
  EXPECT_EQ(inspect(path()).reads, (ReadCounts{1'200, 0, 0}));
}

TEST_F(ReadStatsTest, two_readers_never_own_one_slot) {
  ReadStats first(path());
  ReadStats second(path());
  first.count(Presence::hit);
  second.count(Presence::hit);
  second.count(Presence::absent);
  std::ifstream file(stats_path(), std::ios::binary);
  std::uint64_t words[24] = {};
  file.read(reinterpret_cast<char*>(words), sizeof words);
  EXPECT_EQ(words[8], 1U);  // slot 1: one hit
  EXPECT_EQ(words[16], 1U);
  EXPECT_EQ(words[17], 1U);
}

TEST_F(ReadStatsTest, a_forked_child_writes_nothing_and_its_end_frees_nothing_of_the_parents) {
  auto reader = Reader::open(path());
  auto snapshot = reader->snapshot();
  ASSERT_TRUE(reader->get("episodes", "a"));
  in_child([&] {
    if (reader->get("episodes", "a") || snapshot->get("episodes", "a")) ::_exit(1);
    const auto own = Reader::open(path());
    if (!own || !own->get("episodes", "a")) ::_exit(2);
    snapshot = Result<Snapshot>(std::unexpected(Error{}));  // the inherited ones end
    reader = Result<Reader>(std::unexpected(Error{}));
    if (!own->get("episodes", "a")) ::_exit(3);
  });
  ReadStats other(path());  // takes another slot: the parent's is still its own
  other.count(Presence::unknown);
  ASSERT_TRUE(snapshot->get("episodes", "a"));
  EXPECT_EQ(inspect(path()).reads, (ReadCounts{4, 0, 1}));
}

TEST_F(ReadStatsTest, a_foreign_or_damaged_file_is_left_alone_and_the_counts_are_unknown) {
  std::string own;
  {
    std::ifstream file(stats_path(), std::ios::binary);
    own.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::string newer = own;
  newer[8] = 2;
  for (const std::string& bytes :
       {std::string("notes"), own.substr(0, 64), own.substr(0, own.size() - 1), own + "x", newer,
        std::string(own.size() + 1, '\0'), std::string(own.size(), '\x55')}) {
    std::ofstream(stats_path(), std::ios::binary | std::ios::trunc) << bytes;
    read_once();
    EXPECT_EQ(inspect(path()).reads, std::nullopt) << bytes.size();
    std::ifstream file(stats_path(), std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), bytes);
  }
}

TEST_F(ReadStatsTest, what_a_killed_maker_left_is_finished) {
  for (const std::size_t size : {0U, 64U, 4'096U, 16'384U}) {
    std::ofstream(stats_path(), std::ios::binary | std::ios::trunc) << std::string(size, '\0');
    read_once();
    EXPECT_EQ(inspect(path()).reads, (ReadCounts{1, 0, 0})) << size;
  }
}

TEST_F(ReadStatsTest, a_file_that_cannot_be_made_or_written_means_not_known_and_reads_go_on) {
  std::filesystem::remove(stats_path());
  EXPECT_EQ(inspect(path()).reads, std::nullopt);  // looking does not make it
  EXPECT_FALSE(std::filesystem::exists(stats_path()));
  std::filesystem::create_directory(stats_path());
  read_once();
  EXPECT_EQ(inspect(path()).reads, std::nullopt);
  std::filesystem::remove(stats_path());
  ASSERT_EQ(::mkfifo(stats_path().c_str(), 0600), 0);
  read_once();
  EXPECT_EQ(inspect(path()).reads, std::nullopt);
}

TEST_F(ReadStatsTest, another_users_reader_that_may_not_write_counts_nothing) {
  ASSERT_EQ(::chmod(cache_.folder.file("").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  in_child([&] {
    if (::getuid() == 0 && ::setuid(65'534) != 0) ::_exit(1);
    if (inspect(path()).reads.has_value()) ::_exit(::getuid() == 65'534 ? 2 : 0);
    const auto reader = Reader::open(path());
    if (!reader || !reader->get("episodes", "a")) ::_exit(3);
  });
  EXPECT_EQ(inspect(path()).reads, ReadCounts{});
}

}  // namespace
}  // namespace tidemark::cache
