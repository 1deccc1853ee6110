// Holes beside the rows: a generation that takes another's place, and a source file that is
// another.
#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/integration/hooked_pass.h"
#include "tests/regress/captured.h"

namespace tidemark::regress {
namespace {

using Files = Captured;

// A fill that ended replaced what another writer had committed meanwhile: the newer rows were lost.
// So the other one is busy, wherever the fill is, and comes after it.
TEST_F(Files, a_fill_and_a_second_writer_do_not_replace_each_others_rows) {
  begin();
  write("ALTER TABLE patterns ADD COLUMN extra TEXT");  // the next pass fills a new generation
  std::size_t busy = 0;
  std::size_t asked = 0;
  const auto fill = support::sync_with(world, [&](std::size_t number, const turso::Batch&) {
    asked = number;
    write("UPDATE episodes SET task_description = task_description || '.'");
    const auto second = world.sync();
    busy += !second && second.error().code == ErrorCode::busy ? 1 : 0;
  });
  ASSERT_TRUE(fill) << fill.error().message;
  EXPECT_EQ(fill->mode, "fill") << fill->reason;
  EXPECT_GT(asked, 2U);
  EXPECT_EQ(busy, asked);
  EXPECT_TRUE(install().healthy);
  ASSERT_TRUE(world.sync());
  world.expect_equal(window);
}

// A reader that had looked at the old file and opened the new one, or held the old one open, missed
// every later commit.
TEST_F(Files, a_reader_that_opens_while_generations_are_swapped_finds_the_newest) {
  write("UPDATE patterns SET pattern_data = '0'");
  begin();
  std::atomic<int> swapped{0};
  std::atomic<bool> done{false};
  std::atomic<long> opened{0};
  std::string wrong;
  const auto held = Reader::open(world.cache());
  std::thread opens([&] {
    while (!done && wrong.empty()) {
      const int before = swapped;
      const auto reader = Reader::open(world.cache());
      const auto found = reader ? reader->get("patterns", "p1") : std::unexpected(reader.error());
      if (!found) {
        wrong = found.error().message;
      } else if (!*found ||
                 std::stoi(std::string(found->row().at("pattern_data")->bytes())) < before) {
        wrong = "an older generation than the newest before the open";
      }
      ++opened;
    }
  });
  SyncRequest full;
  full.full = true;
  for (int i = 1; i <= 15; ++i) {
    write("UPDATE patterns SET pattern_data = '" + std::to_string(i) + "'");
    const auto report = world.sync(full);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    swapped = i;
    EXPECT_EQ(held->get("patterns", "p1")->row().at("pattern_data")->bytes(), std::to_string(i));
  }
  done = true;
  opens.join();
  EXPECT_EQ(wrong, "");
  EXPECT_GT(opened, 15);
}

// A connection that stays open goes on reading the file that was moved away.
TEST_F(Files, a_source_file_that_was_replaced_is_opened_anew) {
  begin();
  auto syncer = Syncer::open(world.url(), world.cache(), {});
  ASSERT_TRUE(syncer->sync());
  const std::string other = world.folder.file("other.db");
  world.source.save_to(other);
  {
    support::SqliteSource copy(other);
    copy.run("UPDATE episodes SET task_description = 'of the other file'");
  }
  std::filesystem::rename(other, world.folder.file("source.db"));
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& [key, text] : world.cached("episodes", "task_description")) {
    EXPECT_EQ(text, "of the other file") << key;
  }
}

// A file on a share that was not there for a moment was "no database", which a daemon leaves to a
// person, and no reader was told that the source is away. Here a symbolic link leads to itself.
TEST_F(Files, a_source_file_that_cannot_be_looked_at_is_unavailable_until_it_can) {
  begin();
  const std::string path = world.folder.file("source.db");
  std::filesystem::rename(path, path + ".away");
  std::filesystem::create_symlink(path, path);
  const auto away = world.sync();
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::unavailable) << away.error().message;
  const auto freshness = Reader::open(world.cache())->freshness();
  EXPECT_TRUE(freshness->source_unavailable_since);
  EXPECT_NE(freshness->source_unavailable_reason.find(path), std::string::npos);
  std::filesystem::remove(path);
  std::filesystem::rename(path + ".away", path);
  write("UPDATE patterns SET pattern_data = 'meanwhile'");
  follow();
  EXPECT_FALSE(Reader::open(world.cache())->freshness()->source_unavailable_since);
}

}  // namespace
}  // namespace tidemark::regress
