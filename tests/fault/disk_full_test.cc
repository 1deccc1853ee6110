// A file that may not grow, by the kernel's own word: a size limit stands in for a full disk, and
// both reach the cache as the same kind of error.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>

#include "tests/integration/world.h"
#include "tests/support/small_cache.h"

namespace tidemark {
namespace {

// Runs in a process of its own, whose files may not grow beyond `bytes`; returns its exit code.
template <typename Body>
int with_file_limit(std::uint64_t bytes, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::_exit(::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? body() : 99);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

// 0: the error is the one that a full disk should give; else what is wrong with it.
template <typename T>
int wrong_with(const Result<T>& failed) {
  if (failed) return 1;
  if (failed.error().code != ErrorCode::no_space) return 2;
  const std::string& hint = failed.error().hint;
  const std::size_t at = hint.find_first_of("0123456789");
  if (at == std::string::npos) return 3;
  std::uint64_t needed = 0;
  std::from_chars(hint.data() + at, hint.data() + hint.size(), needed);
  return needed >= 512 ? 0 : 4;
}

TEST(DiskFull, fails_a_commit_as_no_space_naming_the_bytes_and_keeps_the_cache) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, {support::episode("a", 1, "old")}));
  const auto size = std::filesystem::file_size(cache.path);
  const int exit = with_file_limit(size + 4'096, [&] {
    std::vector<cache::EncodedRow> rows = {support::episode("a", 1, "new")};
    for (int i = 0; i < 200; ++i) {
      rows.push_back(support::episode("k" + std::to_string(i), i, std::string(5'000, 'x')));
    }
    return wrong_with(support::write_episodes(cache.path, rows));
  });
  EXPECT_EQ(exit, 0);
  const auto reader = Reader::open(cache.path);
  ASSERT_TRUE(reader) << reader.error().message;
  const auto found = reader->get("episodes", "a");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(found->row().at("body")->bytes(), "old");
  EXPECT_TRUE(support::write_episodes(cache.path, {support::episode("a", 1, "newer")}));
}

TEST(DiskFull, fails_a_pass_as_no_space_and_the_next_one_with_room_succeeds) {
  support::World world;
  world.source.run("INSERT INTO episodes VALUES('e1','old',1,1,x'')");
  ASSERT_TRUE(world.sync());
  for (int i = 2; i < 60; ++i) {
    world.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','new'," +
                     std::to_string(i) + ",1,zeroblob(20000))");
  }
  for (const bool full : {false, true}) {
    const int exit = with_file_limit(std::uint64_t{400} << 10U, [&] {
      SyncRequest request;
      request.full = full;
      return wrong_with(world.sync(request));
    });
    EXPECT_EQ(exit, 0) << full;
    EXPECT_EQ(world.cached("episodes", "task_description").size(), 1U) << full;
  }
  ASSERT_TRUE(world.sync());
  world.expect_equal(1'000);
}

}  // namespace
}  // namespace tidemark
