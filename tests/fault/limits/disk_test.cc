// A disk that fills up at every commit of a pass: the space that is left grows from nothing, step
// by step, until the pass succeeds. Before that each ends with no_space, the cache is as it was,
// and the next pass with room ends equal to the source.
#include <fstream>

#include "tests/fault/batches.h"
#include "tests/fault/every_operation.h"
#include "tests/fault/limits/small_disk.h"
#include "tests/regress/captured.h"

namespace tidemark::fault {
namespace {

// A pass here needs some 100 to 1,000 KiB.
std::uint64_t step_bytes() { return soaking() ? 4'096 : 32'768; }
constexpr std::uint64_t kFreeMax = std::uint64_t{16} << 20U;

class FullDisk : public regress::Captured {
 protected:
  Result<SyncReport> sync(const SyncRequest& request = {}) { return syncer().sync({}, request); }
  Syncer syncer() {
    auto opened = Syncer::open(world.url(), cache, {});
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  void write_much(const std::string& word) {
    write("UPDATE episodes SET task_description = '" + word + "', raw = zeroblob(9000)");
    write("INSERT INTO patterns SELECT '" + word +
          "' || episode_id, 'tool', hex(zeroblob(4000)) FROM "
          "episodes");
  }
  void keep_base() {
    disk.leave_room();
    std::filesystem::copy_file(cache, base, std::filesystem::copy_options::overwrite_existing);
  }
  // Only what outlives a pass: the base, or nothing where there is none.
  void reset() {
    disk.leave_room();
    for (const auto& entry : std::filesystem::directory_iterator(disk.file(""))) {
      const std::string name = entry.path().filename();
      if (name != "cache.redb.lock" && name != "cache.redb.stats") std::filesystem::remove(entry);
    }
    if (std::filesystem::exists(base)) std::filesystem::copy_file(base, cache);
  }
  void expect_whole() {
    const auto report = sync();
    ASSERT_TRUE(report) << report.error().message;
    const auto audit = syncer().validate();
    ASSERT_TRUE(audit) << audit.error().message;
    EXPECT_FALSE(audit->differs());
    expect_intact(cache, 0);
  }
  // `damaged`: the base is, so that nothing is promised of it before the pass.
  template <typename Pass>
  void fill_up(Pass pass, bool damaged = false) {
    std::size_t failed = 0;
    for (std::uint64_t free = 0; free < kFreeMax; free += step_bytes()) {
      SCOPED_TRACE(free);
      reset();
      const std::string before = damaged ? "" : contents(cache);
      disk.leave_free(free);
      const Result<void> done = pass();
      if (!done) {
        ++failed;
        ASSERT_EQ(done.error().code, ErrorCode::no_space) << done.error().message;
        if (!damaged) {
          ASSERT_EQ(contents(cache), before);
        }
      }
      disk.leave_room();
      expect_whole();
      if (HasFatalFailure()) return;
      if (done) break;
      ASSERT_LT(free + step_bytes(), kFreeMax) << "it never succeeds";
    }
    std::printf("%zu times without space\n", failed);
    EXPECT_GT(failed, 2U);
  }
  static Result<void> outcome(const Result<SyncReport>& report, const std::string& mode) {
    if (!report) return std::unexpected(report.error());
    EXPECT_EQ(report->mode, mode) << report->reason;
    return {};
  }

  SmallDisk disk;
  const std::string cache = disk.file("cache.redb");
  const std::string base = world.folder.file("base.redb");
};

TEST_F(FullDisk, under_a_first_fill) {
  write_much("first");
  fill_up([&] { return outcome(sync(), "fill"); });
}

TEST_F(FullDisk, under_a_fill_that_replaces_a_cache) {
  ASSERT_TRUE(sync());
  keep_base();
  write_much("second");
  SyncRequest request;
  request.full = true;
  fill_up([&] { return outcome(sync(request), "fill"); });
}

TEST_F(FullDisk, under_a_scan) {
  ASSERT_TRUE(sync());
  keep_base();
  write_much("second");
  fill_up([&] { return outcome(sync(), "scan"); });
}

TEST_F(FullDisk, under_a_delta) {
  install();
  ASSERT_TRUE(sync());
  keep_base();
  write_much("second");
  fill_up([&] { return outcome(sync(), "delta"); });
}

TEST_F(FullDisk, under_a_reconcile) {
  ASSERT_TRUE(sync());
  keep_base();
  install();
  write_much("second");
  fill_up([&] { return outcome(sync(), "reconcile"); });
}

TEST_F(FullDisk, under_a_repair) {
  write_much("first");
  ASSERT_TRUE(sync());
  {
    std::fstream file(cache, std::ios::binary | std::ios::in | std::ios::out);
    const auto bytes = std::filesystem::file_size(cache);
    file.seekp(static_cast<std::streamoff>(bytes / 2));
    file << "damage damage damage";
  }
  keep_base();
  fill_up(
      [&]() -> Result<void> {
        const auto report = syncer().repair();
        if (!report) return std::unexpected(report.error());
        return {};
      },
      true);
}

}  // namespace
}  // namespace tidemark::fault
