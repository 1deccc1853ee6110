// `status --watch`: on a terminal, in a pipe, and how it ends.
#include "tests/integration/daemon.h"
#include "tests/support/pty.h"

namespace tidemark {
namespace {

using support::ChildProcess;
using support::Json;
using support::kPatience;
using support::Pty;

struct Watch : public support::DaemonWorld {
  std::vector<std::string> watch(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {
        "env",     "-i",         "PATH=/usr/bin:/bin", "TERM=xterm", TIDEMARK_PROGRAM,
        "--cache", world.cache()};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"status", "--watch"});
    return words;
  }
  static std::size_t frames(const std::string& said) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = said.find("\033[?7h\033[?25h", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
  // Reads until one more frame has come, and gives it.
  static std::string next_frame(Pty& pty) {
    const std::size_t before = frames(pty.said());
    EXPECT_TRUE(pty.read_until([&](const std::string& s) { return frames(s) > before; }, kPatience))
        << pty.said();
    return pty.said().substr(pty.said().rfind("\033[?25l"));
  }
  // The longest line of a frame, without its control sequences.
  static std::size_t widest(const std::string& frame) {
    std::size_t most = 0;
    std::size_t now = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
      if (frame[i] == '\033') {
        while (i < frame.size() && std::isalpha(static_cast<unsigned char>(frame[i])) == 0) ++i;
      } else if (frame[i] == '\n' || frame[i] == '\r') {
        now = 0;
      } else {
        most = std::max(most, ++now);
      }
    }
    return most;
  }
};

TEST_F(Watch, a_terminal_is_redrawn_resized_and_given_back_at_ctrl_c) {
  ASSERT_EQ(run(sync()).exit, 0);
  Pty pty(watch(), 30, 100);
  std::string frame = next_frame(pty);
  EXPECT_NE(frame.find("freshness  fresh, checked "), std::string::npos) << frame;
  EXPECT_NE(frame.find("3 episodes"), std::string::npos) << frame;
  const auto lines = static_cast<std::size_t>(std::ranges::count(frame, '\n'));
  frame = next_frame(pty);
  EXPECT_NE(frame.find("\033[" + std::to_string(lines) + "A"), std::string::npos) << frame;
  pty.resize(4, 30);
  do {
    frame = next_frame(pty);
  } while (frame.find("\033[2J") == std::string::npos && frames(pty.said()) < 10);
  EXPECT_NE(frame.find("\033[2J"), std::string::npos) << frame;
  EXPECT_LE(widest(frame), 30U) << frame;
  EXPECT_EQ(std::ranges::count(frame, '\n'), 3) << frame;
  pty.type("\003");
  EXPECT_EQ(pty.end(kPatience), 0);
  EXPECT_GT(pty.said().rfind("\033[?25h"), pty.said().rfind("\033[?25l"));
  EXPECT_GT(pty.said().rfind("\033[?7h"), pty.said().rfind("\033[?7l"));
}

TEST_F(Watch, a_cache_that_is_not_there_appears_when_it_is) {
  Pty pty(watch(), 30, 100);
  EXPECT_NE(next_frame(pty).find("the cache is not there yet"), std::string::npos);
  ASSERT_EQ(run(sync()).exit, 0);
  EXPECT_TRUE(pty.read_until(
      [](const std::string& said) { return said.find("3 episodes") != std::string::npos; },
      kPatience));
}

TEST_F(Watch, in_a_pipe_there_is_a_line_for_each_change_and_no_escape) {
  ASSERT_EQ(run(sync()).exit, 0);
  ChildProcess program(watch(), ChildProcess::Output::pipe);
  const std::string first = program.read_line(kPatience);
  EXPECT_NE(first.find("Z fresh; "), std::string::npos) << first;
  EXPECT_NE(first.find("3 episodes"), std::string::npos) << first;
  EXPECT_EQ(first.find('\033'), std::string::npos);
  ASSERT_EQ(run(sync()).exit, 0);  // checked again: no change
  world.source.run("INSERT INTO episodes VALUES('e4','four',4,1,x'')");
  ASSERT_EQ(run(sync()).exit, 0);
  const std::string second = program.read_line(kPatience);
  EXPECT_NE(second.find("4 episodes"), std::string::npos) << second;
  program.signal(SIGINT);
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(Watch, with_json_each_change_is_an_envelope_in_which_a_daemon_shows) {
  ChildProcess program(watch({"--json"}), ChildProcess::Output::pipe);
  Json json = Json::parse(program.read_line(kPatience));
  EXPECT_EQ(json["command"], "status");
  EXPECT_EQ(json["exit"], 2);
  EXPECT_EQ(json["result"]["exists"], false);
  configure(world.url());
  ChildProcess daemon = start_and_wait();
  do {
    json = Json::parse(program.read_line(kPatience));
  } while (json["exit"] != 0 || json["result"]["daemon"].is_null());
  EXPECT_EQ(json["freshness"]["state"], "fresh");
  EXPECT_EQ(json["result"]["daemon"]["pid"], daemon.pid());
  program.signal(SIGTERM);
  ASSERT_TRUE(program.ends_within(kPatience));
  EXPECT_EQ(program.wait(), 0);
  stop(daemon);
}

TEST_F(Watch, ends_when_nobody_reads_any_more) {
  ASSERT_EQ(run(sync()).exit, 0);
  std::string command;
  for (const std::string& word : watch()) command += "'" + word + "' ";
  ChildProcess shell({"bash", "-c", command + "| head -1; echo ${PIPESTATUS[0]}"},
                     ChildProcess::Output::pipe);
  EXPECT_NE(shell.read_line(kPatience).find("fresh"), std::string::npos);
  EXPECT_EQ(shell.read_line(kPatience), "0");
}

TEST_F(Watch, has_no_age_to_fail_for) {
  EXPECT_EQ(envelope({"status", "--watch", "--max-age", "1s"}, 2)["error"]["code"], "invalid");
}

}  // namespace
}  // namespace tidemark
