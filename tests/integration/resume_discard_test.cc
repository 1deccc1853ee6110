// A fill that was cut short and must not go on: it is begun anew, and says why.
#include <fstream>

#include "tests/integration/cut_fill.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

class Discard : public support::CutFill {
 protected:
  void cut_midway() {
    ASSERT_FALSE(cut(kMidway));
    ASSERT_TRUE(left());
  }
  [[nodiscard]] std::string database() const { return world.folder.file("source.db"); }
  void back_up() { world.source.run("VACUUM INTO '" + world.folder.file("backup.db") + "'"); }
  // Within the file, as a person at the same address would.
  void restore() {
    fs::copy_file(world.folder.file("backup.db"), database(), fs::copy_options::overwrite_existing);
  }
  static void run(const std::string& database, const std::string& sql) {
    support::SqliteSource(database).run(sql);
  }
  void flip(std::streamoff at) const {
    std::fstream file(next(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 4);
    file.seekp(at);
    file.put(byte);
  }
  // Everywhere, since free pages have it too. How often.
  [[nodiscard]] std::size_t flip_all(const std::string& text) const {
    std::ifstream file(next(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::size_t count = 0;
    for (std::size_t at = 0; (at = bytes.find(text, at)) != std::string::npos; ++at, ++count) {
      flip(static_cast<std::streamoff>(at));
    }
    return count;
  }
};

TEST_F(Discard, when_capture_of_a_table_was_installed_anew) {
  cut_midway();
  world.source.run("DROP TRIGGER tidemark_update_episodes");
  world.source.run("UPDATE episodes SET task_description = 'in no log'");
  support::install_capture(world.url());
  expect_begun_anew("capture of episodes was installed anew");
}

TEST_F(Discard, when_capture_was_removed) {
  cut_midway();
  support::administer_capture(world.url(), {CaptureAction::remove, {}});
  world.source.run("UPDATE episodes SET task_description = 'in no log'");
  const auto report = go_on();
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->resumed);
  world.expect_equal(window);
}

TEST_F(Discard, when_it_is_another_database) {
  cut_midway();
  support::administer_capture(world.url(), {CaptureAction::remove, {}});
  support::install_capture(world.url());
  expect_begun_anew("another database");
}

// The same hot rows are written again, as often as before: the log is as long, and is another one.
TEST_F(Discard, when_a_restored_backup_has_another_row_at_its_position) {
  back_up();
  world.source.run("UPDATE episodes SET task_description = 'lost' WHERE rowid < 9");
  cut_midway();
  restore();
  run(database(), "UPDATE episodes SET task_description = 'again' WHERE rowid < 12");
  expect_begun_anew("is another one now");
}

// Its position is on both branches; rows were read beyond it, on the one that is lost.
TEST_F(Discard, when_a_restored_backup_has_another_row_where_it_was_ahead) {
  back_up();
  int writes = 0;
  ASSERT_FALSE(cut(kMidway, [&] {
    if (++writes < 5) return;  // after its position was noted
    world.source.run("UPDATE episodes SET task_description = 'lost', start_time = 77");
  }));
  ASSERT_TRUE(left());
  restore();
  run(database(), "UPDATE patterns SET pattern_data = 'x'");
  for (int i = 0; i < 9; ++i) {
    run(database(), "UPDATE heuristics SET condition_text = condition_text || 'x'");
    run(database(), "UPDATE embeddings SET dimension = 2 WHERE item_type = 'episode'");
  }
  expect_begun_anew("up to which rows were read, is another one now");
}

TEST_F(Discard, when_the_log_ends_before_what_it_has_seen) {
  back_up();
  world.source.run("UPDATE episodes SET task_description = 'lost'");
  cut_midway();
  restore();
  expect_begun_anew("the source was restored from a backup");
}

TEST_F(Discard, when_the_log_was_pruned_beyond_its_position) {
  cut_midway();
  world.source.run("UPDATE episodes SET task_description = 'edited'");
  support::administer_capture(world.url(), {CaptureAction::prune, 0});
  expect_begun_anew("were pruned");
}

TEST_F(Discard, when_another_scope_is_asked_for) {
  cut_midway();
  window = 7;
  expect_begun_anew("another scope");
}

TEST_F(Discard, when_the_tables_changed) {
  cut_midway();
  world.source.run("CREATE INDEX by_reward ON episodes(reward)");
  expect_begun_anew("the tables of the source changed since");
}

// Who asks for everything may know of writes that no log has.
TEST_F(Discard, when_everything_is_asked_for) {
  cut_midway();
  SyncRequest request;
  request.full = true;
  expect_whole(go_on([](std::size_t, const turso::Batch&) {}, request), false);
}

TEST_F(Discard, when_another_cache_stands_there) {
  ASSERT_TRUE(go_on());
  const std::string aside = world.folder.file("aside.redb");
  fs::copy_file(world.cache(), aside);
  SyncRequest full;
  full.full = true;
  ASSERT_TRUE(go_on([](std::size_t, const turso::Batch&) {}, full));
  world.source.run("ALTER TABLE episodes ADD COLUMN mood TEXT");
  support::install_capture(world.url());
  ASSERT_FALSE(cut(kMidway + 3));
  ASSERT_TRUE(left());
  fs::copy_file(aside, world.cache(), fs::copy_options::overwrite_existing);
  expect_begun_anew("another cache stood here");
}

TEST_F(Discard, when_a_row_of_it_is_damaged) {
  cut_midway();
  ASSERT_GT(flip_all("task 3"), 0U);
  expect_begun_anew("it is damaged");
}

TEST_F(Discard, when_what_it_says_of_itself_is_damaged) {
  cut_midway();
  ASSERT_GT(flip_all("format_version"), 0U);
  expect_begun_anew("it cannot be opened");
}

TEST_F(Discard, when_the_file_is_cut_or_no_cache_at_all) {
  for (const std::uintmax_t bytes :
       {std::uintmax_t{0}, std::uintmax_t{100}, std::uintmax_t{5'000}}) {
    fs::remove(world.cache());
    cut_midway();
    fs::resize_file(next(), bytes);
    expect_begun_anew("it cannot be opened");
  }
  fs::remove(world.cache());
  std::ofstream(next()) << "something else";
  expect_begun_anew("it cannot be opened");
}

TEST_F(Discard, without_a_log_nothing_is_left_by_a_stop) {
  support::administer_capture(world.url(), {CaptureAction::remove, {}});
  ASSERT_FALSE(cut(kMidway));
  EXPECT_FALSE(left());
}

TEST_F(Discard, before_a_first_commit_nothing_is_left_by_a_stop) {
  ASSERT_FALSE(cut(4));
  EXPECT_FALSE(left());
}

// The next pass would not fill.
TEST_F(Discard, when_only_a_person_asked_for_it_nothing_is_left_by_a_stop) {
  ASSERT_TRUE(go_on());
  SyncRequest full;
  full.full = true;
  ASSERT_FALSE(cut(kMidway, {}, full));
  EXPECT_FALSE(left());
}

TEST_F(Discard, when_its_storage_fails_nothing_is_left) {
  const auto failed = sync_with(
      world, [](std::size_t, const turso::Batch&) {},
      [this](sync::EngineSetup& setup) {
        small(setup);
        setup.fail_after_operations = 120;
      });
  ASSERT_FALSE(failed);
  EXPECT_FALSE(left());
  expect_whole(go_on(), false);
}

}  // namespace
}  // namespace tidemark
