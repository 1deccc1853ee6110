// Whole passes of the engine, with a cache whose storage fails at every operation.
#include "sync/engine.h"
#include "tests/fault/every_operation.h"
#include "tests/integration/captured.h"
#include "tests/integration/cut_fill.h"
#include "tests/integration/world.h"

namespace tidemark {
namespace {

// Below whole passes over a SQLite file.
class EngineFault : public ::testing::Test {
 protected:
  EngineFault() {
    for (int i = 0; i < 30; ++i) {
      world_.source.run("INSERT INTO episodes VALUES('e" + std::to_string(i) + "','0'," +
                        std::to_string(i) + ",1,zeroblob(300))");
    }
    world_.source.run("INSERT INTO patterns VALUES('p1','kind','data')");
    world_.source.run("INSERT INTO embeddings VALUES('v1','e29','episode','[1,2]',NULL,2)");
  }

  static constexpr const char* kEven = " WHERE start_time % 2 = 0";

  Result<void> pass(std::uint64_t fail_after, bool full) {
    sync::EngineSetup setup;
    TIDEMARK_ASSIGN(url, turso::parse_source_url(world_.url()));
    setup.url = url;
    setup.cache = world_.cache();
    setup.fail_after_operations = fail_after;
    SyncRequest request;
    request.full = full;
    setup.config.validate_checksums = audits_;
    TIDEMARK_ASSIGN(report, sync::run_pass(setup, {}, request));
    last_ = std::move(report);
    return {};
  }
  void edit(const std::string& text) {
    world_.source.run("UPDATE episodes SET task_description = '" + text + "'" + kEven);
    world_.source.run("DELETE FROM episodes WHERE episode_id = 'extra'");
    if (text == "new") world_.source.run("INSERT INTO episodes VALUES('extra','x',99,1,x'')");
  }
  void run(bool full) {
    fault::fail_at_every_operation(
        world_.cache(),
        [&] {
          edit("old");
          ASSERT_TRUE(pass(0, false));
        },
        [&](std::uint64_t n) {
          edit("new");
          return pass(n, full);
        });
  }

  support::World world_;
  bool audits_ = false;  // each pass
  SyncReport last_;      // of a pass that was done
};

TEST_F(EngineFault, at_every_operation_of_a_scan_leaves_the_old_or_the_new_state) { run(false); }
TEST_F(EngineFault, at_every_operation_of_a_fill_leaves_the_old_or_the_new_state) { run(true); }

// A pass by the log, or one that compares everything beside it.
class FollowFault : public EngineFault {
 protected:
  FollowFault() { support::install_capture(world_.url()); }

  // What triggers that are off do not log is the audit's to find.
  void write_unlogged(const std::string& sql) {
    world_.source.set_triggers(false);
    world_.source.run(sql);
    world_.source.set_triggers(true);
  }
  // Healthy again, whatever was missed, and with the old state.
  void begin_again() {
    CaptureRequest renew;
    renew.renew = true;
    support::administer_capture(world_.url(), renew);
    edit("old");
    ASSERT_TRUE(pass(0, false));
  }
};

TEST_F(FollowFault, at_every_operation_of_a_delta_leaves_the_old_or_the_new_state) { run(false); }

TEST_F(FollowFault, at_every_operation_of_an_audit_leaves_the_old_or_the_new_state) {
  audits_ = true;
  std::uint64_t found = 0;
  fault::fail_at_every_operation(
      world_.cache(), [&] { begin_again(); },
      [&](std::uint64_t n) -> Result<void> {
        write_unlogged(std::string("UPDATE episodes SET task_description = 'unlogged'") + kEven);
        TIDEMARK_TRY(pass(n, false));
        found += last_.mode == "audit" && last_.missed_by_capture > 0 ? 1U : 0U;
        return {};
      });
  EXPECT_GT(found, fault::kOperationsMin);
}

// The one that was cut short is put back each time: it is the same source that it goes on with.
class ResumedFillFault : public support::CutFill {
 protected:
  ResumedFillFault() {
    EXPECT_FALSE(cut(kMidway));
    EXPECT_TRUE(left());
    std::filesystem::copy_file(next(), kept());
  }
  [[nodiscard]] std::string kept() const { return world.folder.file("kept"); }
  void put_back() const {
    std::filesystem::remove(world.cache());
    std::filesystem::copy_file(kept(), next(), std::filesystem::copy_options::overwrite_existing);
  }
};

TEST_F(ResumedFillFault, at_every_operation_leaves_no_cache_or_the_whole_one) {
  std::uint64_t resumed = 0;
  std::uint64_t passes = 0;
  fault::fail_at_every_operation(
      world.cache(), [&] { put_back(); },
      [&](std::uint64_t n) -> Result<void> {
        const auto report = support::sync_with(
            world, [](std::size_t, const turso::Batch&) {},
            [&](sync::EngineSetup& setup) {
              small(setup);
              setup.fill_commit_bytes = 2'000;  // a few commits on the way
              setup.fail_after_operations = n;
            });
        if (!report) return std::unexpected(report.error());
        ++passes;
        resumed += report->resumed ? 1U : 0U;
        return {};
      });
  EXPECT_GE(resumed, 2U);  // the first and the last; a failure may leave nothing to go on with
  std::printf("%llu of %llu passes that were done went on with a fill\n",
              static_cast<unsigned long long>(resumed), static_cast<unsigned long long>(passes));
  ASSERT_TRUE(go_on());
  world.expect_equal(window);
}

}  // namespace
}  // namespace tidemark
