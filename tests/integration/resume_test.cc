// A fill that was cut short goes on where it was, whatever happened to the source meanwhile.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/integration/cut_fill.h"
#include "tests/support/wait.h"

namespace tidemark {
namespace {

// Of every kind, to rows all over the tables: some are stored by then, some are not.
constexpr const char* kChanges = R"(
  UPDATE episodes SET task_description = 'edited' WHERE rowid % 5 = 0;
  UPDATE episodes SET start_time = 30 - start_time WHERE rowid % 7 = 1;
  UPDATE episodes SET episode_id = 'renamed-' || episode_id WHERE rowid % 11 = 2;
  DELETE FROM episodes WHERE rowid % 9 = 3;
  INSERT INTO episodes VALUES('new', 'task', 5, 1, NULL), ('a', 'b', 50, 1, NULL);
  UPDATE patterns SET pattern_data = 'edited' WHERE pattern_id = 'p1';
  DELETE FROM patterns WHERE pattern_id = 'p2';
  INSERT INTO patterns VALUES('p0', 'tool', 'zero');
  UPDATE heuristics SET condition_text = 'edited' WHERE heuristic_id = 1;
  DELETE FROM embeddings WHERE rowid % 6 = 0;
  UPDATE embeddings SET item_id = 'e10' WHERE rowid % 8 = 2;
  INSERT INTO embeddings VALUES('mnew', 'new', 'episode', '[7, 8]', NULL, 2);)";
constexpr std::size_t kRequestsMax = 100;

class Resume : public support::CutFill {
 protected:
  void begin_again() {
    std::filesystem::remove(world.cache());
    std::filesystem::remove(next());
    world.source.run(
        "DELETE FROM episodes; DELETE FROM patterns; DELETE FROM heuristics; "
        "DELETE FROM embeddings;");
    world.source.run(support::kForty);
  }
  // Cut at every `step`th request in turn; `between` happens before the pass that goes on. How many
  // fills were gone on with.
  std::size_t cut_everywhere(const char* between, std::size_t step) {
    std::size_t resumed = 0;
    for (std::size_t at = 1; at < kRequestsMax; at += step) {
      begin_again();
      const auto cut_short = cut(at);
      if (cut_short) return resumed;
      const bool some = left();
      world.source.run(between);
      expect_whole(go_on(), some, "cut at " + std::to_string(at));
      resumed += some ? 1U : 0U;
    }
    ADD_FAILURE() << "a fill that never ends";
    return resumed;
  }
};

TEST_F(Resume, cut_at_any_request_it_ends_equal_to_a_source_that_changed) {
  EXPECT_GT(cut_everywhere(kChanges, 1), 5U);
}

TEST_F(Resume, of_a_bounded_window_it_ends_equal_to_a_source_that_changed) {
  window = 10;
  EXPECT_GT(cut_everywhere(kChanges, 2), 2U);
  EXPECT_GT(cut_everywhere("DELETE FROM episodes WHERE start_time > 12", 3), 1U);
  EXPECT_GT(cut_everywhere("INSERT INTO episodes SELECT 'n' || episode_id, '', 90, 1, NULL "
                           "FROM episodes WHERE rowid < 7",
                           3),
            1U);
}

TEST_F(Resume, while_the_source_is_written_it_follows_to_its_end) {
  std::size_t writes = 0;
  const auto write = [&] {
    const std::string row = std::to_string(writes++ % 37);
    world.source.run("UPDATE episodes SET start_time = start_time + 3, task_description = 'now " +
                     row + "' WHERE rowid = 1 + " + row);
    world.source.run("DELETE FROM embeddings WHERE embedding_id = 'me" + row + "'");
  };
  for (const std::size_t at : {6U, 9U, 12U}) {
    begin_again();
    ASSERT_FALSE(cut(at, write));
    ASSERT_TRUE(left()) << at;
    const auto report = go_on([&](std::size_t, const turso::Batch&) {
      if (writes < 400) write();
    });
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->resumed) << at;
    ASSERT_TRUE(go_on());  // at rest
    world.expect_equal(window);
  }
}

TEST_F(Resume, fetches_only_what_lacks_and_says_so) {
  ASSERT_FALSE(cut(kMidway));
  ASSERT_TRUE(left());
  const auto report = go_on();
  expect_whole(report, true);
  const auto& episodes = report->collections.at("episodes");
  EXPECT_GT(episodes.unchanged, 0U);
  EXPECT_EQ(episodes.unchanged + episodes.upserted, 40U);
  EXPECT_TRUE(report->reason.starts_with("no cache yet; a fill that was cut short goes on, with "))
      << report->reason;
  EXPECT_FALSE(report->validation.failed());
}

// The simulation found it: what was written with triggers off while a fill lay cut short was taken
// for compared when the fill went on, and no audit was due for a day.
TEST_F(Resume, says_that_all_was_compared_when_the_fill_was_begun) {
  ASSERT_FALSE(cut(8));
  ASSERT_TRUE(left());
  const auto cut_at = std::chrono::system_clock::now();
  expect_whole(go_on(), true);
  const auto audited_at = inspect(world.cache()).audited_at;
  ASSERT_TRUE(audited_at);
  EXPECT_LE(*audited_at, cut_at);
}

TEST_F(Resume, cut_again_and_again_it_comes_to_its_end) {
  std::size_t passes = 0;
  for (; passes < 30; ++passes) {
    const auto report = cut(kMidway + passes);
    if (report) {
      expect_whole(report, true);
      break;
    }
    ASSERT_TRUE(left());
    world.source.run("UPDATE episodes SET reward = reward + 1 WHERE rowid = " +
                     std::to_string(passes + 1));
  }
  EXPECT_GT(passes, 1U);
  EXPECT_LT(passes, 30U);
}

// Nothing was closed: the file is repaired first.
TEST_F(Resume, a_killed_fill_goes_on) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto die = [this](std::size_t number, const turso::Batch&) {
      if (number != kMidway) return;
      // The thread that writes may be behind, and a fill without a commit leaves nothing.
      static_cast<void>(support::wait_until([&] { return left(); }));
      ::_exit(7);
    };
    static_cast<void>(go_on(die));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 7);
  ASSERT_TRUE(left());
  world.source.run(kChanges);
  expect_whole(go_on(), true);
}

TEST_F(Resume, a_source_that_fails_leaves_the_fill_to_go_on_with) {
  const auto fails = [&](std::size_t number, const turso::Batch&) {
    if (number == kMidway) world.source.run("BEGIN EXCLUSIVE");
  };
  world.source.run("PRAGMA journal_mode=DELETE");
  const auto failed = sync_with(world, fails, [this](sync::EngineSetup& setup) {
    small(setup);
    setup.config.request_deadline = std::chrono::milliseconds(20);
  });
  world.source.run("COMMIT");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
  ASSERT_TRUE(left());
  ASSERT_FALSE(cut(4));  // before it has gone on with anything
  expect_whole(go_on(), true);
}

// Its rows are of no use, but they are read on, in doubt, until the other's are all there.
TEST_F(Resume, another_database_at_the_same_address_is_filled_anew) {
  ASSERT_TRUE(go_on());
  const std::string before = inspect(world.cache()).generation;
  world.source.run("UPDATE episodes SET task_description = 'another';");
  support::administer_capture(world.url(), {CaptureAction::remove, {}});
  support::install_capture(world.url());
  const std::string reason = "the source is another database than before";
  ASSERT_FALSE(cut(kMidway + 3));
  ASSERT_TRUE(left());
  EXPECT_EQ(Reader::open(world.cache())->freshness()->doubt, reason);
  EXPECT_EQ(world.cached("episodes", "task_description").at("e05"), "task 5");
  const auto report = go_on();
  expect_whole(report, true);
  EXPECT_TRUE(report->reason.starts_with(reason)) << report->reason;
  EXPECT_NE(inspect(world.cache()).generation, before);
  EXPECT_TRUE(Reader::open(world.cache())->freshness()->doubt.empty());
}

// A file is read in one transaction, the second pass in another one than the first.
TEST_F(Resume, over_a_file_the_log_is_followed_in_the_snapshot_of_the_second_pass) {
  const auto pass = [&](const SyncRequest& request, std::stop_token stop) -> Result<SyncReport> {
    sync::EngineSetup setup;
    TIDEMARK_ASSIGN(url, turso::parse_source_url(world.url()));
    setup.url = url;
    setup.cache = world.cache();
    small(setup);
    return sync::run_pass(setup, std::move(stop), request);
  };
  std::stop_source stop;
  SyncRequest request;
  request.progress = [&](const Progress& progress) {
    if (progress.rows_done >= 20) stop.request_stop();
  };
  ASSERT_FALSE(pass(request, stop.get_token()));
  ASSERT_TRUE(left());
  world.source.run(kChanges);
  const auto report = pass({}, {});
  expect_whole(report, true);
  EXPECT_GT(report->commits, 1U);
}

// Beside a cache whose tables are no longer the source's: it is read until the fill has ended.
TEST_F(Resume, beside_an_older_cache_that_cache_is_read_until_the_end) {
  ASSERT_TRUE(go_on());
  world.source.run("ALTER TABLE episodes ADD COLUMN mood TEXT DEFAULT 'calm'");
  support::install_capture(world.url());
  ASSERT_FALSE(cut(kMidway + 3));
  ASSERT_TRUE(left());
  EXPECT_EQ(world.cached("episodes", "task_description").size(), 40U);
  EXPECT_EQ(world.cached("episodes", "mood").at("e05"), "NULL");
  world.source.run("UPDATE episodes SET mood = 'glad' WHERE rowid % 2 = 0");
  const auto report = go_on();
  expect_whole(report, true);
  EXPECT_TRUE(report->reason.starts_with("the tables of the source changed")) << report->reason;
  EXPECT_EQ(world.cached("episodes", "mood"),
            world.expected("SELECT episode_id FROM episodes", "SELECT mood FROM episodes"));
}

}  // namespace
}  // namespace tidemark
