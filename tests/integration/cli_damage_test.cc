// As a new user would try it: an edit by another SQLite client, an old copy over the source, bytes
// written over the cache. The program reports exactly what happened, and heals.
#include <fcntl.h>
#include <unistd.h>

#include <random>

#include "tests/integration/cli.h"

namespace tidemark {
namespace {

using support::Cli;
using support::Json;
using support::Said;

constexpr std::size_t kPageBytes = 4'096;

struct CliDamage : public Cli {
  CliDamage() {
    world.source.run(
        "PRAGMA synchronous = OFF; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
        "LIMIT 400) INSERT INTO episodes SELECT 'n' || i, printf('%.*c', 900, 'd'), i, 1, x'' "
        "FROM n");
    EXPECT_EQ(run({"capture", "install", "--source", world.url()}).exit, 0);
    EXPECT_EQ(run(sync()).exit, 0);
  }
  // dd if=/dev/urandom of=CACHE bs=4096 seek=AT count=COUNT conv=notrunc
  void overwrite(std::size_t page, std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::string noise(count * kPageBytes, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    const int fd = ::open(world.cache().c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::pwrite(fd, noise.data(), noise.size(), static_cast<off_t>(page * kPageBytes)),
              static_cast<ssize_t>(noise.size()));
    ::close(fd);
  }
  Said validate(bool against_source) {
    std::vector<std::string> words = {"validate", "--cache", world.cache()};
    if (against_source) words.insert(words.end(), {"--against-source", "--source", world.url()});
    return run(words);
  }
};

TEST_F(CliDamage, an_edit_is_reported_exactly_and_an_old_copy_of_the_source_is_explained) {
  const std::string backup = world.folder.file("old.db");
  world.source.save_to(backup);
  support::SqliteSource(world.folder.file("source.db"))
      .run(
          "UPDATE episodes SET reward = 9 WHERE episode_id = 'e1';"
          "DELETE FROM patterns WHERE pattern_id = 'p1';"
          "INSERT INTO heuristics VALUES(7, 'new')");
  const Json edit = envelope(sync(), 0)["result"];
  EXPECT_EQ(edit["mode"], "delta") << edit;
  for (const auto& [name, counts] : edit["collections"].items()) {
    EXPECT_EQ(counts["upserted"], name == "episodes" || name == "heuristics" ? 1 : 0) << name;
    EXPECT_EQ(counts["deleted"], name == "patterns" ? 1 : 0) << name;
    EXPECT_EQ(counts["evicted"], 0) << name;
  }
  std::filesystem::copy_file(backup, world.folder.file("source.db"),
                             std::filesystem::copy_options::overwrite_existing);
  const Said healed = run(sync());
  EXPECT_EQ(healed.exit, 0) << healed.err;
  EXPECT_NE(healed.out.find("the source was restored from a backup"), std::string::npos)
      << healed.out;
  EXPECT_EQ(validate(true).exit, 0);
  EXPECT_NE(run({"get", "--cache", world.cache(), "patterns", "p1"}).out.find("retry"),
            std::string::npos);
}

// `validate` ended with "redb panicked", exit 1 and no hint, and no pass healed what it had seen.
TEST_F(CliDamage, pages_written_over_are_found_by_validate_and_healed_by_the_next_pass) {
  const std::string intact = world.folder.file("intact");
  std::filesystem::copy_file(world.cache(), intact);
  const std::size_t pages = std::filesystem::file_size(intact) / kPageBytes;
  int found = 0;
  for (std::size_t page = 1; page + 4 <= pages; page += 24) {
    SCOPED_TRACE(page);
    std::filesystem::copy_file(intact, world.cache(),
                               std::filesystem::copy_options::overwrite_existing);
    overwrite(page, 4, static_cast<unsigned>(page));
    const Said listed = run({"list", "episodes", "--cache", world.cache()});
    EXPECT_TRUE(listed.exit == 0 || listed.exit == 4) << listed.err;
    EXPECT_EQ(listed.exit == 4, listed.err.find("tidemark repair") != std::string::npos);
    const Said said = validate(false);
    EXPECT_TRUE(said.exit == 0 || said.exit == 4) << said.err;
    EXPECT_EQ(said.exit == 4, said.err.find("tidemark repair") != std::string::npos) << said.err;
    EXPECT_EQ(said.exit == 0, said.out.ends_with(" index entries: intact\n")) << said.out;
    EXPECT_FALSE(listed.exit == 4 && said.exit == 0);
    found += said.exit == 4 ? 1 : 0;
    EXPECT_EQ(run(sync()).exit, 0);
    const Said equal = validate(true);
    EXPECT_EQ(equal.exit, 0) << equal.out << equal.err;
  }
  EXPECT_GT(found, 2);
}

// Without its first bytes a cache looks like another program's file. That is refused; the hint said
// only to give another path.
TEST_F(CliDamage, a_header_written_over_is_refused_with_the_command_that_heals_it) {
  overwrite(0, 1, 1);
  const Said refused = run(sync());
  EXPECT_EQ(refused.exit, 2);
  EXPECT_NE(refused.err.find("tidemark repair"), std::string::npos) << refused.err;
  const Said repaired = run({"repair", "--source", world.url(), "--cache", world.cache()});
  EXPECT_EQ(repaired.exit, 0) << repaired.err;
  EXPECT_NE(repaired.out.find(".corrupt"), std::string::npos) << repaired.out;
  EXPECT_EQ(validate(true).exit, 0);
}

}  // namespace
}  // namespace tidemark
