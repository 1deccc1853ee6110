// Audits: what the log misses is found, repaired, told, and the log not trusted any more.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/integration/hooked_pass.h"
#include "tests/integration/world.h"
#include "tests/support/turso_server.h"
#include "tidemark/capture.h"

namespace tidemark {
namespace {

using std::chrono::hours;

class FakeClock final : public base::Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return wall_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
  void step(std::chrono::milliseconds by) { wall_ += by; }

 private:
  std::chrono::system_clock::time_point wall_ = std::chrono::system_clock::now();
};

class Audit : public testing::Test {
 protected:
  Audit() {
    world.source.run(R"(
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)
        INSERT INTO episodes SELECT printf('e%02d', i), 'task ' || i, i / 2, i / 3.0, NULL FROM n;
      INSERT INTO patterns VALUES('p1', 'tool', 'one'), ('p2', 'tool', 'two');
      INSERT INTO heuristics VALUES(1, 'when one'), (2, 'when two');
      INSERT INTO embeddings SELECT 'm' || episode_id, episode_id, 'episode', '[1, 2]', NULL, 2
        FROM episodes;
      INSERT INTO embeddings VALUES('mp1', 'p1', 'patterns', '[3, 4]', NULL, 2);)");
    install({});
  }

  void install(const CaptureRequest& request) {
    auto admin = CaptureAdmin::open(world.url());
    ASSERT_TRUE(admin);
    const auto plan = admin->plan(request);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_FALSE(plan->empty());
    const auto status = admin->apply(*plan, request);
    ASSERT_TRUE(status) << status.error().message;
    ASSERT_TRUE(status->healthy) << status->trouble;
  }

  // As a client whose triggers are off: afterwards the schema reads as before.
  void write_unlogged(const std::string& sql) {
    const std::string own = "FROM sqlite_master WHERE type = 'trigger'";
    const auto names = world.source.column("SELECT name " + own);
    const auto triggers = world.source.column("SELECT sql " + own);
    for (const auto& name : names) world.source.run("DROP TRIGGER \"" + name + "\"");
    world.source.run(sql);
    for (const auto& trigger : triggers) world.source.run(trigger);
  }

  // `before`: sees each request, as a server would get it; none: one snapshot of the file.
  SyncReport pass(const std::string& mode, const support::Hooked::Before& before = {}) {
    sync::EngineSetup setup;
    const auto url = turso::parse_source_url(world.url());
    EXPECT_TRUE(url);
    setup.url = *url;
    setup.cache = world.cache();
    setup.config = config;
    setup.clock = &clock;
    if (before) {
      setup.connect =
          [&](const turso::SourceUrl& to,
              turso::ConnectOptions options) -> Result<std::unique_ptr<turso::Connection>> {
        TIDEMARK_ASSIGN(inner, turso::connect(to, std::move(options)));
        return std::make_unique<support::Hooked>(std::move(inner), before);
      };
    }
    SyncRequest request;
    request.max_episodes_cache = 30;
    const auto report = sync::run_pass(setup, {}, request);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    if (!report) return {};
    EXPECT_EQ(report->mode, mode) << report->reason;
    world.expect_equal(30);
    return *report;
  }

  support::World world;
  SyncConfig config;
  FakeClock clock;
};

std::vector<std::string> keys_of(const SyncReport& report) {
  std::vector<std::string> keys;
  for (const auto& item : report.missed) keys.push_back(item.key);
  return keys;
}

TEST_F(Audit, is_due_a_day_after_the_last_and_finds_nothing_where_the_log_tells_all) {
  pass("fill");
  pass("delta");
  clock.step(hours(23));
  pass("delta");
  world.source.run("UPDATE episodes SET task_description = 'logged' WHERE episode_id = 'e30'");
  clock.step(hours(1));
  const SyncReport report = pass("audit");
  EXPECT_EQ(report.missed_by_capture, 0U);
  EXPECT_TRUE(report.freshness.consistent);
  const CacheStatus status = inspect(world.cache());
  EXPECT_EQ(status.audited_at,
            clock.wall() - clock.wall().time_since_epoch() % std::chrono::microseconds(1));
  EXPECT_FALSE(status.missed_by_capture);
  pass("delta");
}

TEST_F(Audit, is_not_put_off_by_a_clock_that_was_set_back) {
  pass("fill");
  clock.step(-hours(1000));
  pass("audit");
  pass("delta");
}

TEST_F(Audit, names_each_change_that_was_missed_and_ends_the_trust_until_capture_is_renewed) {
  pass("fill");
  write_unlogged(R"(
    UPDATE episodes SET task_description = 'unlogged' WHERE episode_id = 'e30';
    DELETE FROM episodes WHERE episode_id = 'e31';
    INSERT INTO episodes VALUES('new', 'task', 50, 1, NULL);
    UPDATE episodes SET start_time = -1 WHERE episode_id = 'e35';
    INSERT INTO patterns VALUES('p3', 'tool', 'three');
    DELETE FROM heuristics WHERE heuristic_id = 2;
    UPDATE embeddings SET embedding_data = '[9, 9]' WHERE embedding_id = 'me32';
    INSERT INTO embeddings VALUES('mnew', 'e33', 'episode', '[7, 8]', NULL, 2);)");
  clock.step(hours(24));
  const SyncReport report = pass("audit");
  // Not e09 with its embedding, which only took the room that was left.
  const std::vector<std::string> missed = {"me32", "mnew", "e30", "e31", "e35", "new", "2", "p3"};
  auto found = keys_of(report);
  EXPECT_EQ(std::set(found.begin(), found.end()), std::set(missed.begin(), missed.end()));
  EXPECT_EQ(report.missed_by_capture, missed.size());
  EXPECT_TRUE(report.freshness.consistent);

  const CacheStatus status = inspect(world.cache());
  ASSERT_TRUE(status.missed_by_capture);
  EXPECT_EQ(status.missed_by_capture->tables.at("episodes"), 4U);
  EXPECT_NE(pass("scan").reason.find("missed 8 changes"), std::string::npos);
  SyncRequest full;
  full.full = true;
  ASSERT_TRUE(world.sync(full));
  EXPECT_TRUE(inspect(world.cache()).missed_by_capture);

  CaptureRequest renew;
  renew.renew = true;
  install(renew);
  pass("reconcile");
  EXPECT_FALSE(inspect(world.cache()).missed_by_capture);
  pass("delta");
}

TEST_F(Audit, does_not_take_for_missed_what_is_written_while_it_reads) {
  pass("fill");
  config.validate_checksums = true;
  std::size_t writes = 0;
  const SyncReport report = pass("audit", [&](std::size_t number, const turso::Batch&) {
    const std::string n = std::to_string(number);
    world.source.run("INSERT INTO episodes VALUES('new" + n + "', 'task', 100, 1, NULL);" +
                     "INSERT INTO embeddings VALUES('mn" + n + "', 'new" + n +
                     "', 'episode', '[7, 8]', NULL, 2);" +
                     "UPDATE patterns SET pattern_data = 'at " + n + "';" +
                     "DELETE FROM episodes WHERE episode_id = 'e3" + n + "'");
    ++writes;
  });
  EXPECT_GT(writes, 5U);
  EXPECT_EQ(report.missed_by_capture, 0U) << report.missed.front().key;
}

// The simulation found it: the log was read from a replica that lagged behind the pages, showed
// none of the changes that explain what differed, and an edit in the log was taken for missed.
TEST_F(Audit, waits_for_a_replica_that_lags_behind_the_log_it_saw) {
  pass("fill");
  pass("delta");
  clock.step(hours(24));
  const std::string before = world.cache() + ".before";
  const std::string after = world.cache() + ".after";
  world.source.save_to(before);
  int asked = 0;
  pass("audit", [&](std::size_t number, const turso::Batch& batch) {
    if (number == 2) {
      world.source.run("UPDATE episodes SET task_description = 'new' WHERE episode_id = 'e39'");
      world.source.save_to(after);
    }
    const bool log = batch.statements.back().sql.find("DISTINCT tbl") != std::string::npos;
    if (!log || number <= 2) return;
    world.source.restore(++asked == 1 ? before : after);
  });
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(inspect(world.cache()).missed_by_capture);
  pass("delta");
}

TEST_F(Audit, finds_what_the_log_of_the_real_server_misses) {
  const std::string database = world.folder.file("served.db");
  world.source.run("VACUUM INTO '" + database + "'");
  support::TursoServer server(database);
  auto admin = CaptureAdmin::open(server.url());
  ASSERT_TRUE(admin);
  CaptureRequest request;
  request.action = CaptureAction::remove;  // SQLite's triggers read otherwise there
  ASSERT_TRUE(admin->apply(*admin->plan(request), request));
  const auto plan = admin->plan({});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_TRUE(admin->apply(*plan, {}));
  const auto& made = plan->transactions.front();
  const auto trigger = std::ranges::find_if(made, [](const std::string& sql) {
    return sql.starts_with(R"(CREATE TRIGGER "tidemark_update_episodes")");
  });
  ASSERT_NE(trigger, made.end());

  config.validate_checksums = true;
  auto syncer = Syncer::open(server.url(), world.folder.file("served.redb"), config);
  ASSERT_TRUE(syncer);
  ASSERT_TRUE(syncer->sync());
  server.execute("UPDATE episodes SET task_description = 'logged' WHERE episode_id = 'e05'");
  server.execute("DROP TRIGGER tidemark_update_episodes");
  server.execute("UPDATE episodes SET task_description = 'unlogged' WHERE episode_id = 'e06'");
  server.execute(*trigger);
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "audit") << report->reason;
  EXPECT_EQ(keys_of(*report), std::vector<std::string>{"e06"});
  EXPECT_EQ(syncer->sync()->mode, "scan");
}

// A price of each kind of pass; what is priced is what then runs.
TEST_F(Audit, a_price_names_the_next_pass_its_changes_and_what_an_audit_adds) {
  const auto price = [&] {
    sync::EngineSetup setup;
    const auto url = turso::parse_source_url(world.url());
    EXPECT_TRUE(url);
    setup.url = *url;
    setup.cache = world.cache();
    setup.config = config;
    setup.config.max_episodes_cache = 30;
    setup.config.max_rows_read_per_pass = 1;  // of a pass
    setup.clock = &clock;
    auto out = sync::price_pass(setup, {}, {});
    EXPECT_TRUE(out) << (out ? "" : out.error().message);
    return out.value_or(SyncPrice{});
  };
  const SyncPrice first = price();
  EXPECT_EQ(first.mode, "fill");
  constexpr std::uint64_t kEverything = 40U + 30 + 2 * (2 + 2 + 41);
  EXPECT_EQ(first.rows_read,
            kEverything + 30);  // keys that tell that the window has no room for all
  EXPECT_FALSE(first.changes);
  pass("fill");
  const SyncPrice nothing = price();
  EXPECT_EQ(nothing.mode, "delta");
  EXPECT_EQ(nothing.changes, 0U);
  EXPECT_LT(nothing.rows_read, 60U);
  EXPECT_EQ(nothing.everything_rows_read, kEverything);
  world.source.run("UPDATE episodes SET reward = 9 WHERE episode_id IN ('e30', 'e31', 'e32')");
  const SyncPrice delta = price();
  EXPECT_EQ(delta.changes, 3U);
  EXPECT_GE(delta.rows_read, nothing.rows_read + 3 * 4);
  clock.step(hours(24));
  const SyncPrice audit = price();
  EXPECT_EQ(audit.mode, "audit");
  EXPECT_EQ(audit.rows_read, *audit.delta_rows_read + audit.everything_rows_read);
  write_unlogged("DELETE FROM patterns");
  EXPECT_EQ(pass("audit").missed_by_capture, 2U);
  const SyncPrice scan = price();
  EXPECT_EQ(scan.mode, "scan");
  EXPECT_NE(scan.reason.find("missed 2 changes"), std::string::npos) << scan.reason;
  EXPECT_EQ(scan.rows_read, scan.everything_rows_read);
  CaptureRequest renew;
  renew.renew = true;
  install(renew);
  EXPECT_EQ(price().mode, "reconcile");
  // Another database under the same address.
  world.source.run("UPDATE tidemark_meta SET value = 'another' WHERE key = 'database_id'");
  const SyncPrice other = price();
  EXPECT_EQ(other.mode, "fill");
  EXPECT_EQ(other.reason, pass("fill").reason);
}

// What a server could not send may come another day, without a change.
TEST_F(Audit, does_not_take_for_missed_what_was_on_the_skip_list) {
  const auto set_task = [](const std::string& value) {
    return "UPDATE episodes SET task_description = " + value + " WHERE episode_id = 'e39'";
  };
  world.source.run(set_task("CAST(x'ff' AS TEXT)"));
  ASSERT_TRUE(world.sync_newest(30));
  EXPECT_EQ(inspect(world.cache()).freshness.incomplete, 1U);
  write_unlogged(set_task("'fine'"));
  config.validate_checksums = true;
  EXPECT_EQ(pass("audit").missed_by_capture, 0U);
}

}  // namespace
}  // namespace tidemark
