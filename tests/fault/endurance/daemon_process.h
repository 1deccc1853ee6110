// The built daemon, what can be asked of it, and what its log says that it did.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "daemon/client.h"
#include "tests/support/child_process.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait.h"

namespace tidemark::endurance {

using Counts = std::map<std::string, std::size_t>;

// One thread.
class DaemonProcess {
 public:
  DaemonProcess(const support::TempFolder& folder, std::string url, std::string cache,
                std::size_t window)
      : folder_(folder), url_(std::move(url)), cache_(std::move(cache)), window_(window) {}

  // Started, listening, and done with its first pass.
  void start(const std::string& interval) {
    configure(interval);
    process_ = support::ChildProcess({TIDEMARK_PROGRAM, "-v", "--config", config_path(), "daemon"},
                                     support::ChildProcess::Output::none, log_path());
    ASSERT_TRUE(support::wait_until([&] { return status() && status()->passes > 0; })) << log();
  }
  // SIGHUP; returns after the pass that this brings.
  void reload(const std::string& interval) {
    const std::size_t before = passes_by("reload");
    configure(interval);
    process_.signal(SIGHUP);
    ASSERT_TRUE(support::wait_until([&] { return passes_by("reload") > before; })) << log();
  }
  void stop() {
    process_.signal(SIGTERM);
    ASSERT_TRUE(process_.ends_within(support::kPatience));
    ASSERT_EQ(process_.wait(), 0) << log();
  }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  [[nodiscard]] std::optional<daemon::Status> status() const {
    return daemon::daemon_status(cache_, std::chrono::seconds(5));
  }
  // The daemon's answer to one who waits for a pass; internal: it gave none.
  [[nodiscard]] Result<daemon::Done> ask(daemon::Work work) const {
    daemon::Request request{daemon::Command::perform, {}};
    request.ask.work = work;
    const auto asked = daemon::ask_daemon(cache_, request, {}, {});
    if (!asked) return std::unexpected(asked.error());
    if (!asked->reply || asked->lost) return fail(ErrorCode::internal, "no daemon answered");
    if (const auto* const error = std::get_if<Error>(&*asked->reply)) {
      return std::unexpected(*error);
    }
    return std::get<daemon::Done>(*asked->reply);
  }
  void nudge() const {
    const auto asked = daemon::ask_daemon(cache_, {daemon::Command::nudge, {}}, {}, {});
    ASSERT_TRUE(asked && asked->reply &&
                std::holds_alternative<daemon::Acknowledged>(*asked->reply));
  }

  // Passes that ended, by what started them: as the log says until now.
  const Counts& passes() {
    read_log();
    return passes_;
  }
  std::size_t passes_by(const std::string& trigger) {
    read_log();
    return passes_[trigger];
  }
  [[nodiscard]] std::string log() const {
    const std::string all = support::text_of(log_path());
    return all.substr(all.size() - std::min<std::size_t>(all.size(), 3'000));
  }

 private:
  [[nodiscard]] std::string config_path() const { return folder_.file("tidemark.toml"); }
  [[nodiscard]] std::string log_path() const { return folder_.file("daemon.log"); }

  void configure(const std::string& interval) const {
    std::ofstream(config_path()) << "[source]\nurl = \"" << url_ << "\"\n[cache]\npath = \""
                                 << cache_ << "\"\n[sync]\nmax_staleness = \"2h\"\ninterval = \""
                                 << interval << "\"\nmax_episodes_cache = " << window_ << "\n";
  }
  // A pass is told as "WORK (TRIGGER): ...".
  void read_log() {
    std::ifstream file(log_path());
    file.seekg(read_);
    for (std::string line; std::getline(file, line) && !file.eof();) {
      read_ += static_cast<std::streamoff>(line.size()) + 1;
      for (const char* work : {": sync (", ": repair (", ": rebuild (", ": validate ("}) {
        const auto at = line.find(work);
        if (at == std::string::npos) continue;
        const auto from = at + std::string(work).size();
        ++passes_[line.substr(from, line.find(')', from) - from)];
        break;
      }
    }
  }

  const support::TempFolder& folder_;
  const std::string url_;
  const std::string cache_;
  const std::size_t window_;
  support::ChildProcess process_;
  std::streamoff read_ = 0;  // of the log
  Counts passes_;
};

}  // namespace tidemark::endurance
