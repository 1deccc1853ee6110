// The scripts know nothing of the commands: they ask the program itself (`tidemark __complete`).
#include "cli/output.h"

namespace tidemark::cli {
namespace {

constexpr const char* kBash = R"(_tidemark() {
  local IFS=$'\n' current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} candidates
  candidates=$("$program" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  if [[ $candidates == :files ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  fi
}
complete -F _tidemark tidemark
)";

constexpr const char* kZsh = R"(#compdef tidemark
_tidemark() {
  local -a candidates
  candidates=("${(@f)$(${(Q)words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $candidates[1] == :files ]]; then
    _files
  else
    compadd -- ${candidates:#}
  fi
}
if [[ $funcstack[1] == _tidemark ]]; then
  _tidemark "$@"
else
  compdef _tidemark tidemark
fi
)";

constexpr const char* kFish = R"(function __tidemark_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l candidates ($before[1] __complete $before[2..-1] "$current" 2>/dev/null)
  if test "$candidates[1]" = :files
    __fish_complete_path "$current"
  else
    printf '%s\n' $candidates
  end
end
complete -c tidemark -f -a '(__tidemark_complete)'
)";

}  // namespace

int run_completion(const std::string& shell) {
  if (shell == "bash") write_out(kBash);
  if (shell == "zsh") write_out(kZsh);
  if (shell == "fish") write_out(kFish);
  return kDone;
}

}  // namespace tidemark::cli
