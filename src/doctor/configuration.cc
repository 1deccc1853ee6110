// Configuration: what was wrong with it, and who else may read or write what it names.
#include "doctor/findings.h"

namespace tidemark::doctor {
namespace {

constexpr unsigned kOthersRead = 04;
constexpr unsigned kGroupReads = 040;
constexpr unsigned kGroupOrOthersWrite = 022;
constexpr unsigned kOthersWrite = 02;
constexpr unsigned kSticky = 01000;
constexpr unsigned kAccess = 0777;

std::string octal(unsigned mode) {
  std::string text;
  for (unsigned shift = 9; shift > 0; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> (shift - 3)) & 07U));
  }
  return "0" + text;
}

void judge_token(const Measurements& m, Findings& out) {
  if (m.token_problem) {
    out.problem(
        "there is no token: " + m.token_problem->message,
        m.token_problem->hint.empty() ? "TURSO_AUTH_TOKEN or --token-file" : m.token_problem->hint);
  }
  if (!m.token_rights) return;
  const unsigned mode = m.token_rights->mode;
  const std::string& path = m.subject.token_file;
  if ((mode & (kOthersRead | kGroupOrOthersWrite)) != 0) {
    return out.problem(
        "other users may read or change the token file " + path + " (mode " + octal(mode) + ")",
        "`chmod 600 " + path + "`, and a new token if others use this machine");
  }
  if ((mode & kGroupReads) != 0) {
    out.notice("the group may read the token file " + path + " (mode " + octal(mode) + ")",
               "`chmod 600 " + path + "`, unless that is meant");
  }
}

void judge_cache(const Measurements& m, Findings& out) {
  const std::string& path = m.subject.cache;
  if (m.cache_rights && (m.cache_rights->mode & kOthersWrite) != 0) {
    out.problem("every user may write the cache (mode " + octal(m.cache_rights->mode) + ")",
                "`chmod o-w " + path + "`");
  } else if (m.cache_rights && (m.cache_rights->mode & kAccess & ~m.subject.cache_mode) != 0) {
    out.notice("the cache has mode " + octal(m.cache_rights->mode) + ", and cache_mode is " +
                   octal(m.subject.cache_mode),
               "`chmod " + octal(m.subject.cache_mode) + " " + path +
                   "`, or [cache] cache_mode = \"" + octal(m.cache_rights->mode & kAccess) + "\"");
  }
  if (!m.folder_rights) return;
  const unsigned folder = m.folder_rights->mode;
  if ((folder & kOthersWrite) == 0 || (folder & kSticky) != 0) return;
  out.problem("every user may put another file in the cache's place (its folder has mode " +
                  octal(folder) + ")",
              "`chmod o-w` that folder, or another --cache path");
}

}  // namespace

void judge_configuration(const Measurements& m, Findings& out) {
  if (m.subject.wrong) {
    out.problem(
        "the configuration is wrong, and passed over where it is: " + m.subject.wrong->message,
        m.subject.wrong->hint.empty() ? "`tidemark config check`" : m.subject.wrong->hint);
  }
  if (!m.subject.source) {
    out.notice("no source is named, so that none was measured",
               "--source URL, TURSO_DATABASE_URL, or `tidemark init`");
  }
  judge_token(m, out);
  judge_cache(m, out);
}

}  // namespace tidemark::doctor
