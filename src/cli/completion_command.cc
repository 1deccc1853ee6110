#include <cstdio>

#include "cli/context.h"

namespace tidemark::cli {
namespace {

constexpr const char* kCommands = "init sync get list status validate config completion";
constexpr const char* kCollections = "episodes patterns heuristics embeddings";

void print_bash() {
  std::printf(R"(_tidemark() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  case $previous in
    get|list) COMPREPLY=($(compgen -W "%s" -- "$word")); return ;;
    config) COMPREPLY=($(compgen -W "check print" -- "$word")); return ;;
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")); return ;;
    --cache|--config|--token-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  COMPREPLY=($(compgen -W "%s --config --cache --json --quiet --verbose --help" -- "$word"))
}
complete -F _tidemark tidemark
)",
              kCollections, kCommands);
}

void print_zsh() {
  std::printf(R"(#compdef tidemark
_tidemark() {
  case ${words[CURRENT-1]} in
    get|list) compadd %s ;;
    config) compadd check print ;;
    completion) compadd bash zsh fish ;;
    --cache|--config|--token-file) _files ;;
    *) compadd %s -- --config --cache --json --quiet --verbose --help ;;
  esac
}
compdef _tidemark tidemark
)",
              kCollections, kCommands);
}

void print_fish() {
  std::printf("complete -c tidemark -n __fish_use_subcommand -f -a '%s'\n", kCommands);
  std::printf("complete -c tidemark -n '__fish_seen_subcommand_from get list' -f -a '%s'\n",
              kCollections);
  std::printf("complete -c tidemark -n '__fish_seen_subcommand_from config' -f -a 'check print'\n");
  std::printf("complete -c tidemark -l config -r\ncomplete -c tidemark -l cache -r\n");
}

}  // namespace

int run_completion(const std::string& shell) {
  if (shell == "bash") print_bash();
  if (shell == "zsh") print_zsh();
  if (shell == "fish") print_fish();
  return kDone;
}

}  // namespace tidemark::cli
