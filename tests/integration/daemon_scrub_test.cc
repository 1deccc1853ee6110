// The daemon's scrub: damage to the file is found and healed without a person, whatever else runs.
#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/daemon.h"
#include "tests/support/exposition.h"
#include "tests/support/hrana_peer.h"
#include "tests/support/http_call.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::Exposition;
using support::wait_until;

const char* const kMark = "a text that stands in the file once";

struct DaemonScrub : public support::DaemonWorld {
  int port = support::free_port();

  DaemonScrub() {
    world.source.run("PRAGMA busy_timeout=20000");
    world.source.run("UPDATE episodes SET task_description='" + std::string(kMark) +
                     "' WHERE episode_id='e2'");
  }
  void configure_scrub(const std::string& source, const std::string& scrub_interval,
                       const std::string& interval = "1h") {
    configure(source, "interval = \"" + interval +
                          "\"\n[daemon]\nlisten = \"127.0.0.1:" + std::to_string(port) +
                          "\"\nscrub_interval = \"" + scrub_interval + "\"\n");
  }
  [[nodiscard]] Exposition metrics() const {
    return Exposition(support::call({.port = port, .path = "/metrics"}).body);
  }
  [[nodiscard]] double walks(const std::string& outcome) const {
    return metrics().at("tidemark_scrub_walks_total{outcome=\"" + outcome + "\"}");
  }
  [[nodiscard]] double findings() const { return metrics().at("tidemark_scrub_findings_total"); }
  // As a disk would: a bit of the text of e2, wherever it stands.
  void damage() {
    const std::string bytes = support::text_of(world.cache());
    std::size_t found = 0;
    const int fd = ::open(world.cache().c_str(), O_WRONLY | O_CLOEXEC);
    for (auto at = bytes.find(kMark); at != std::string::npos; at = bytes.find(kMark, at + 1)) {
      const char flipped = static_cast<char>(bytes[at] ^ 1);
      ASSERT_EQ(::pwrite(fd, &flipped, 1, static_cast<off_t>(at)), 1);
      ++found;
    }
    ::close(fd);
    ASSERT_GT(found, 0U);
  }
  // Another process finds it right, or is told `corrupt`: never another value.
  [[nodiscard]] bool reads_right() {
    const support::Said said = run(words({"get", "episodes", "e2"}));
    EXPECT_TRUE(said.exit == 0 || said.exit == 4) << said.exit << said.err;
    if (said.exit != 0) return false;
    EXPECT_NE(said.out.find(kMark), std::string::npos) << said.out;
    return true;
  }
};

TEST_F(DaemonScrub, a_flipped_bit_is_found_and_healed_by_nobody_and_no_read_is_wrong) {
  configure_scrub(world.url(), "1s");
  ChildProcess program = start_and_wait();
  ASSERT_TRUE(wait_until([&] { return walks("intact") > 0; })) << log();
  EXPECT_EQ(findings(), 0);
  ASSERT_TRUE(said() && said()->scrub);
  EXPECT_TRUE(said()->scrub->ended_at);
  EXPECT_NE(run(words({"status"})).out.find("of a walk over every row; the last one ended"),
            std::string::npos);
  damage();  // and nobody reads, who could ask for a pass
  EXPECT_TRUE(wait_until([&] { return passes() > 1; })) << log();
  EXPECT_TRUE(reads_right());
  EXPECT_NE(log().find("scrub: the cache is damaged: "), std::string::npos) << log();
  EXPECT_NE(log().find("does not match its checksum"), std::string::npos) << log();
  EXPECT_NE(log().find("sync (scrub)"), std::string::npos) << log();
  const Exposition said = metrics();
  EXPECT_GT(said.at("tidemark_scrub_findings_total"), 0);
  EXPECT_EQ(said.at("tidemark_scrub_walks_total{outcome=\"damaged\"}"), 1);
  EXPECT_GT(said.at("tidemark_scrub_completed_timestamp_seconds"), 0);
  EXPECT_EQ(said.at("tidemark_cache_readable"), 1);
  EXPECT_EQ(run({"validate", "--deep", "--cache", world.cache()}).exit, 0);
  EXPECT_EQ(envelope(words({"status"}), 0)["freshness"]["state"], "fresh");
  const double before = walks("intact");
  EXPECT_TRUE(wait_until([&] { return walks("intact") > before; })) << log();
  damage();
  EXPECT_FALSE(reads_right());
  EXPECT_TRUE(wait_until([&] { return reads_right(); })) << log();
  stop(program);
}

// Until the source is back the cache says that it needs repair, and calls nothing absent.
TEST_F(DaemonScrub, damage_while_the_source_is_away_is_marked_and_healed_when_it_is_back) {
  support::HranaPeer peer(world.folder.file("source.db"));
  configure_scrub(peer.url(), "1s", "200ms");
  ChildProcess program = start_and_wait();
  ASSERT_EQ(run(words({"get", "patterns", "none"})).exit, 8);
  peer.script({{{"kind", "status"}, {"status", 503}}});
  ASSERT_TRUE(wait_until([&] { return said()->failures > 0; })) << log();
  damage();
  ASSERT_TRUE(wait_until([&] { return walks("damaged") > 0; })) << log();
  EXPECT_EQ(run(words({"get", "patterns", "none"})).exit, 9);
  EXPECT_EQ(run(words({"status"})).exit, 4);
  EXPECT_EQ(run(words({"get", "patterns", "p1"})).exit, 0);
  peer.script({});
  EXPECT_TRUE(wait_until([&] { return reads_right(); })) << log();
  EXPECT_TRUE(wait_until([&] { return run(words({"get", "patterns", "none"})).exit == 8; }));
  stop(program);
}

// Each pass changes rows and commits; a slice goes between two.
TEST_F(DaemonScrub, passes_without_a_pause_do_not_starve_it) {
  configure_scrub(world.url(), "1s", "100ms");
  ChildProcess program = start_and_wait();
  int written = 0;
  const auto busy = [&] {
    world.source.run("UPDATE episodes SET reward=" + std::to_string(++written) +
                     " WHERE episode_id='e1'");
    return ask() && walks("intact") + walks("unjudged") > 2;
  };
  EXPECT_TRUE(wait_until(busy)) << log();
  EXPECT_EQ(findings(), 0) << log();
  damage();  // which a pass may meet before the scrub does
  EXPECT_TRUE(wait_until([&] { return !busy() || reads_right(); })) << log();
  stop(program);
}

TEST_F(DaemonScrub, is_off_where_the_configuration_says_so_and_comes_on_with_a_reload) {
  configure_scrub(world.url(), "none");
  ChildProcess program = start_and_wait();
  ASSERT_TRUE(ask());
  EXPECT_EQ(metrics().at("tidemark_scrub_bytes_total"), 0);
  EXPECT_FALSE(said()->scrub);
  configure_scrub(world.url(), "1s");
  program.signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return walks("intact") > 0; })) << log();
  configure_scrub(world.url(), "1ms");
  program.signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] {
    return log().find("scrub_interval = 1 ms (allowed: \"none\", or 1000") != std::string::npos;
  })) << log();
  stop(program);
}

}  // namespace
}  // namespace tidemark
