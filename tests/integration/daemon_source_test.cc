// The daemon over the real server, which goes away and comes back.
#include "tests/integration/daemon.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using support::Json;
using support::TursoServer;
using support::wait_until;

struct DaemonSource : public support::DaemonWorld {
  DaemonSource() {
    support::SqliteSource database(world.folder.file("served.db"));
    database.run(std::string("PRAGMA journal_mode = WAL;") + support::kSchema);
    database.run("INSERT INTO episodes VALUES('e1', 'one', 1, 1, NULL)");
  }
  // Stale two seconds after the last look at the source.
  void configure_short(const std::string& url) {
    write("tidemark.toml", "[source]\nurl = \"" + url + "\"\n[cache]\npath = \"" + world.cache() +
                               "\"\n[sync]\ninterval = \"200ms\"\nheartbeat = \"100ms\"\n" +
                               "max_staleness = \"2s\"\n");
  }
  // As `tidemark status --json` says it. No look finds a cache fresh whose age says otherwise.
  Json freshness() {
    const Json said = envelope({"--config", world.folder.file("tidemark.toml"), "status"}, 0);
    Json freshness = said["freshness"];
    const bool old = freshness["age_ms"].is_null() || freshness["age_ms"] > 2'000;
    if (old) {
      EXPECT_EQ(freshness["state"], "stale") << freshness;
    }
    return freshness;
  }
  [[nodiscard]] std::uint32_t failures() const {
    const auto status = said();
    return status ? status->failures : 0;
  }
};

// The pass that failed has told readers when it has ended: nobody waits for the word.
TEST_F(DaemonSource, a_server_that_stops_is_told_with_the_reason_and_one_that_starts_needs_nobody) {
  TursoServer server(world.folder.file("served.db"));
  configure_short(server.url());
  support::ChildProcess program = start_and_wait();
  EXPECT_EQ(freshness()["source_unavailable_since_ms"], nullptr);

  const auto stopped = std::chrono::system_clock::now();
  server.stop();
  ASSERT_TRUE(wait_until([&] { return failures() > 0; })) << log();
  const Json first = freshness();
  ASSERT_TRUE(first["source_unavailable_since_ms"].is_number()) << first << log();
  EXPECT_NE(std::string(first["source_unavailable_reason"]).find("connect"), std::string::npos)
      << first;
  const std::chrono::milliseconds since(first["source_unavailable_since_ms"].get<std::int64_t>());
  std::printf("told %lld ms after the stop\n",
              static_cast<long long>((since - stopped.time_since_epoch()).count() / 1'000'000));

  // As long as it is away: no look at the source, and stale at last.
  ASSERT_TRUE(wait_until([&] {
    const Json now = freshness();
    EXPECT_EQ(now["checked_at_ms"], first["checked_at_ms"]);
    EXPECT_EQ(now["source_unavailable_since_ms"], first["source_unavailable_since_ms"]);
    EXPECT_EQ(now["source_unavailable_reason"], first["source_unavailable_reason"]);
    return HasFailure() || (now["state"] == "stale" && failures() > 2);
  })) << log();
  EXPECT_EQ(run(words({"get", "episodes", "e1"})).exit, 0);

  server.start();
  server.execute("UPDATE episodes SET task_description = 'meanwhile'");
  ASSERT_TRUE(wait_until([&] { return title("e1") == "meanwhile"; })) << log();
  ASSERT_TRUE(wait_until([&] { return failures() == 0; })) << log();
  EXPECT_NE(log().find("sync (recovery)"), std::string::npos) << log();
  const Json last = freshness();
  EXPECT_EQ(last["source_unavailable_since_ms"], nullptr) << last;
  EXPECT_GT(last["checked_at_ms"], first["checked_at_ms"]);
  stop(program);
}

}  // namespace
}  // namespace tidemark
