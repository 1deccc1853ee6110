// Runs a program to its end with its own environment, and keeps what it said.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace tidemark::support {

struct Said {
  int exit = -1;      // 128 + the signal when one ended it
  long peak_kib = 0;  // resident; at the least what the caller had when it started the program
  std::string out;
  std::string err;
};

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// `folder` is its working directory and home. stdout goes to `out_path` where one is given.
inline Said run_program(const std::string& program, std::vector<std::string> words,
                        const std::string& folder, std::map<std::string, std::string> environment,
                        const std::string& out_path = {}) {
  const TempFolder scratch;
  const std::string out = out_path.empty() ? scratch.file("out") : out_path;
  environment.try_emplace("HOME", folder);
  environment.try_emplace("PATH", "/usr/bin:/bin");
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> out_pointers;
    for (std::string& text : texts) out_pointers.push_back(text.data());
    out_pointers.push_back(nullptr);
    return out_pointers;
  };
  words.insert(words.begin(), program);
  const auto argv = pointers(words);
  const auto envp = pointers(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, scratch.file("err").c_str(), O_WRONLY | O_CREAT,
                                   0600);
  pid_t child = -1;
  const int failed =
      posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot run " + program);
  int status = 0;
  struct rusage used{};
  ::wait4(child, &status, 0, &used);
  Said said;
  said.peak_kib = used.ru_maxrss;
  said.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (out_path.empty()) said.out = text_of(out);
  said.err = text_of(scratch.file("err"));
  return said;
}

}  // namespace tidemark::support
