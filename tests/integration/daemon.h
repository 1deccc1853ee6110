// The built daemon beside a source, and what can be asked of it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/client.h"
#include "tests/integration/cli.h"
#include "tests/support/child_process.h"
#include "tests/support/wait.h"

namespace tidemark::support {

struct DaemonWorld : public Cli {
  // tidemark.toml of the daemon; a long interval, so that a test's passes are its own.
  void configure(const std::string& source, const std::string& sync = "interval = \"1h\"\n") {
    write("tidemark.toml", "[source]\nurl = \"" + source + "\"\n[cache]\npath = \"" +
                               world.cache() + "\"\n[sync]\nmax_staleness = \"2h\"\n" + sync);
  }
  ChildProcess start(const std::vector<std::string>& variables = {}) {
    std::vector<std::string> words = {"env", "-i", "HOME=" + home(), "PATH=/usr/bin:/bin"};
    words.insert(words.end(), variables.begin(), variables.end());
    for (const char* word : {TIDEMARK_PROGRAM, "-v", "--config"}) words.emplace_back(word);
    words.push_back(world.folder.file("tidemark.toml"));
    words.emplace_back("daemon");
    return {words, ChildProcess::Output::none, log_path()};
  }
  // Started, listening, and done with its first passes.
  ChildProcess start_and_wait(std::uint64_t passes = 1) {
    ChildProcess program = start();
    EXPECT_TRUE(wait_until([&] {
      const auto status = said();
      return status && status->pid == program.pid() && status->passes >= passes;
    })) << log();
    return program;
  }
  static void stop(ChildProcess& program) {
    program.signal(SIGTERM);
    ASSERT_TRUE(program.ends_within(kPatience));
    EXPECT_EQ(program.wait(), 0);
  }
  [[nodiscard]] std::optional<daemon::Status> said() const {
    return daemon::daemon_status(world.cache(), std::chrono::seconds(5));
  }
  [[nodiscard]] std::uint64_t passes() const {
    const auto status = said();
    return status ? status->passes : 0;
  }
  // As `tidemark sync` asks, without a process for it.
  Result<daemon::Asked> ask(daemon::Work work = daemon::Work::sync) const {
    daemon::Request request{daemon::Command::perform, {}};
    request.ask.work = work;
    return daemon::ask_daemon(world.cache(), request, {}, {});
  }
  [[nodiscard]] std::string log_path() const { return world.folder.file("daemon.log"); }
  [[nodiscard]] std::string log() const { return text_of(log_path()); }
  std::string title(const std::string& key) {
    return world.cached("episodes", "task_description")[key];
  }
  std::vector<std::string> words(std::vector<std::string> command) const {
    command.insert(command.begin(), {"--cache", world.cache()});
    return command;
  }
};

}  // namespace tidemark::support
