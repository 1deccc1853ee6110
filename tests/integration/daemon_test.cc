// The daemon as a process: what starts a pass, what it survives, how it ends.
#include "tests/integration/daemon.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

#include "cache/lock.h"
#include "tests/support/hrana_peer.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::HranaPeer;
using support::Json;
using support::kPatience;
using support::Said;
using support::wait_until;

struct Daemon : public support::DaemonWorld {
  Daemon() { world.source.run("PRAGMA busy_timeout=20000"); }
  void retitle(const std::string& title) {
    world.source.run("UPDATE episodes SET task_description='" + title + "' WHERE episode_id='e1'");
  }
};

TEST_F(Daemon, fills_the_cache_at_its_start_and_stops_at_a_signal_with_exit_0) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  EXPECT_EQ(world.cached_keys("episodes").size(), 3U);
  const std::string socket = world.cache() + ".sock";
  EXPECT_TRUE(std::filesystem::is_socket(socket));
  EXPECT_EQ(std::filesystem::status(socket).permissions(), std::filesystem::perms(0600));
  stop(program);
  EXPECT_FALSE(std::filesystem::exists(socket));
  EXPECT_TRUE(std::filesystem::exists(world.cache() + ".daemon"));
  EXPECT_FALSE(said());
}

TEST_F(Daemon, a_second_one_is_busy_and_names_the_first) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  const Json error =
      envelope({"--config", world.folder.file("tidemark.toml"), "daemon"}, 5)["error"];
  EXPECT_EQ(error["code"], "busy");
  EXPECT_NE(std::string(error["message"]).find("pid " + std::to_string(program.pid())),
            std::string::npos)
      << error;
  EXPECT_TRUE(said());
  stop(program);
}

TEST_F(Daemon, brings_edits_by_its_interval_alone) {
  configure(world.url(), "interval = \"100ms\"\n");
  ChildProcess program = start_and_wait();
  retitle("edited");
  EXPECT_TRUE(wait_until([&] { return title("e1") == "edited"; })) << log();
  stop(program);
}

// The interval is an hour; a reader for whom a millisecond is old asks for a pass.
TEST_F(Daemon, a_stale_readers_nudge_brings_a_pass_and_delays_no_read) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  retitle("edited");
  ReaderOptions options;
  options.max_staleness = std::chrono::milliseconds(1);
  const auto reader = Reader::open(world.cache(), options);
  ASSERT_TRUE(reader);
  EXPECT_TRUE(wait_until([&] {
    EXPECT_TRUE(reader->freshness());
    return title("e1") == "edited";
  })) << log();
  // The commit is seen before the line is written.
  EXPECT_TRUE(wait_until([&] { return log().find("sync (nudge)") != std::string::npos; })) << log();

  options.when_stale = StalePolicy::fail;
  const auto strict = Reader::open(world.cache(), options);
  ASSERT_TRUE(strict);
  retitle("again");
  EXPECT_TRUE(wait_until([&] {
    static_cast<void>(strict->get("episodes", "e1"));
    return title("e1") == "again";
  })) << log();
  stop(program);
  EXPECT_TRUE(reader->freshness());  // nobody listens any more
}

// Written, synced, read: never the old value, whatever passes the interval starts meanwhile.
TEST_F(Daemon, what_was_written_before_a_sync_is_read_after_it) {
  configure(world.url(), "interval = \"100ms\"\n");
  ChildProcess program = start_and_wait();
  const char* const asked = std::getenv("TIDEMARK_READ_YOUR_WRITES");
  const int rounds = asked == nullptr ? 100 : std::atoi(asked);
  auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader);
  for (int n = 0; n < rounds; ++n) {
    const std::string wanted = "round " + std::to_string(n);
    retitle(wanted);
    const auto done = ask();
    ASSERT_TRUE(done && done->reply) << log();
    ASSERT_TRUE(std::holds_alternative<daemon::Done>(*done->reply)) << log();
    const auto found = reader->get("episodes", "e1");
    ASSERT_TRUE(found && found->presence() == Presence::hit);
    ASSERT_EQ(found->row().at("task_description")->bytes(), wanted);
  }
  EXPECT_GT(passes(), static_cast<std::uint64_t>(rounds));
  stop(program);
}

TEST_F(Daemon, killed_while_it_writes_it_is_started_again_and_goes_on) {
  const char* const asked = std::getenv("TIDEMARK_DAEMON_KILLS");
  const int rounds = asked == nullptr ? 3 : std::atoi(asked);
  configure(world.url(), "interval = \"100ms\"\n");
  for (int n = 0; n < rounds; ++n) {
    ChildProcess program = start_and_wait();
    world.source.run("INSERT INTO episodes VALUES('k" + std::to_string(n) + "','x',9,1,x'')");
    ASSERT_TRUE(wait_until([&] { return cache::lock_holder(world.cache()).has_value(); }));
    program.kill();
    EXPECT_FALSE(said());
  }
  ChildProcess program = start_and_wait();
  ASSERT_TRUE(ask());
  world.expect_equal(1'000);
  stop(program);
}

TEST_F(Daemon, a_source_that_is_away_shows_at_once_and_its_return_needs_nobody) {
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url(), "interval = \"200ms\"\n");
  ChildProcess program = start_and_wait();
  EXPECT_EQ(envelope(words({"status"}), 0)["freshness"]["source_unavailable_since_ms"], nullptr);

  peer.script({{{"kind", "status"}, {"status", 503}}});
  ASSERT_TRUE(wait_until([&] {
    const auto status = said();
    return status && status->failures > 0;
  }));
  const Json freshness = envelope(words({"status"}), 0)["freshness"];
  EXPECT_TRUE(freshness["source_unavailable_since_ms"].is_number()) << freshness;
  EXPECT_NE(std::string(freshness["source_unavailable_reason"]).find("503"), std::string::npos);
  EXPECT_NE(said()->last_error.find("503"), std::string::npos);

  peer.script({});
  ASSERT_TRUE(wait_until([&] {
    const auto status = said();
    return status && status->failures == 0;
  })) << log();
  EXPECT_EQ(envelope(words({"status"}), 0)["freshness"]["source_unavailable_since_ms"], nullptr);
  stop(program);
}

// Each try would be refused as well: it waits for a person, and for SIGHUP.
TEST_F(Daemon, a_refused_token_is_not_tried_again_before_a_reload) {
  HranaPeer peer(world.folder.file("source.db"), {{"tokens", {"right"}}});
  configure(peer.url(), "interval = \"100ms\"\n");
  ChildProcess program = start();  // with no token
  ASSERT_TRUE(wait_until([&] {
    const auto status = said();
    return status && status->failures > 0;
  })) << log();
  const auto status = said();
  ASSERT_TRUE(status && status->next_pass);
  EXPECT_GT(*status->next_pass, std::chrono::minutes(4));
  EXPECT_EQ(passes(), 1U);

  write("token", "right");
  write("tidemark.toml", "[source]\nurl = \"" + peer.url() +
                             "\"\ntoken_file = \"token\"\n[cache]\npath = \"" + world.cache() +
                             "\"\n[sync]\ninterval = \"1h\"\nmax_staleness = \"2h\"\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return passes() > 1; })) << log();
  EXPECT_EQ(said()->failures, 0U) << log();
  EXPECT_EQ(log().find("right"), std::string::npos);
  stop(program);
}

TEST_F(Daemon, a_reload_takes_a_changed_setting_and_refuses_a_broken_file) {
  configure(world.url());
  ChildProcess program = start_and_wait();
  configure(world.url(), "interval = \"never\"\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return log().find("not changed") != std::string::npos; })) << log();
  EXPECT_EQ(passes(), 1U);

  configure(world.url(), "interval = \"100ms\"\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return passes() > 4; })) << log();
  stop(program);
}

TEST_F(Daemon, a_pass_that_hangs_is_abandoned_within_the_stop_deadline) {
  HranaPeer peer(world.folder.file("source.db"));
  configure(peer.url(), "interval = \"1h\"\n[daemon]\nstop_deadline = \"1s\"\n");
  ChildProcess program = start_and_wait();
  peer.script({{{"kind", "hang"}}});
  const auto before = peer.count("hanging");
  daemon::Request reload{daemon::Command::reload, {}};
  ASSERT_TRUE(daemon::ask_daemon(world.cache(), reload, {}, {}));
  ASSERT_TRUE(peer.wait_until([&](const Json& stats) { return stats["hanging"] > before; }));
  const auto sent = std::chrono::steady_clock::now();
  stop(program);
  EXPECT_GE(std::chrono::steady_clock::now() - sent, std::chrono::milliseconds(500));
  EXPECT_LT(std::chrono::steady_clock::now() - sent, std::chrono::seconds(10));
  EXPECT_EQ(world.cached_keys("episodes").size(), 3U);
}

// What a service manager hears: ready once it listens, alive meanwhile, stopping at the end.
TEST_F(Daemon, tells_the_service_manager_how_it_is) {
  const std::string path = world.folder.file("notify");
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::string heard;
  const auto hear = [&](const std::string& word) {
    return wait_until([&] {
      char bytes[512];
      const ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got > 0) heard.append(bytes, static_cast<std::size_t>(got)).append("\n");
      return heard.find(word) != std::string::npos;
    });
  };
  configure(world.url());
  ChildProcess program = start({"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=40000"});
  ASSERT_TRUE(hear("READY=1")) << log();
  ASSERT_TRUE(hear("STATUS=in step")) << heard;
  heard.clear();
  ASSERT_TRUE(hear("WATCHDOG=1"));
  heard.clear();
  ASSERT_TRUE(hear("WATCHDOG=1"));
  program.signal(SIGINT);
  ASSERT_TRUE(hear("STOPPING=1"));
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
  ::close(fd);
}

TEST_F(Daemon, says_what_is_wrong_with_its_configuration_and_does_not_start) {
  Json error = envelope({"daemon", "--cache", world.cache()}, 2)["error"];
  EXPECT_NE(std::string(error["message"]).find("no source"), std::string::npos) << error;
  error =
      envelope({"daemon", "--cache", world.cache(), "--source", world.url(), "--interval", "1ms"},
               2)["error"];
  EXPECT_NE(std::string(error["message"]).find("interval = 1 ms"), std::string::npos) << error;
  error =
      envelope({"daemon", "--cache", world.cache(), "--source", world.url(), "--interval", "1h"},
               2)["error"];
  EXPECT_NE(std::string(error["message"]).find("max_staleness"), std::string::npos) << error;
  EXPECT_FALSE(std::filesystem::exists(world.cache() + ".daemon"));
}

}  // namespace
}  // namespace tidemark
