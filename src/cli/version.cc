// What the program is. Alone, so that a new commit compiles nothing else.
#include "cache/meta.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "turso/hrana/server.h"

namespace tidemark::cli {
namespace {

using turso::hrana::kNewestVersion;
using turso::hrana::kOldestVersion;

}  // namespace

std::string version_text() {
  return "tidemark " TIDEMARK_VERSION " (commit " TIDEMARK_COMMIT ", redb " TIDEMARK_REDB_VERSION
         ", cache format " +
         std::to_string(cache::kFormatVersion) + ", Hrana " + std::to_string(kNewestVersion) +
         " and " + std::to_string(kOldestVersion) + ")";
}

int run_version_json() {
  print_envelope("version", kDone, nullptr, nullptr,
                 R"({"version":")" TIDEMARK_VERSION R"(","commit":")" TIDEMARK_COMMIT
                 R"(","redb":")" TIDEMARK_REDB_VERSION R"(","cache_format":)" +
                     std::to_string(cache::kFormatVersion) + R"(,"hrana":[)" +
                     std::to_string(kNewestVersion) + "," + std::to_string(kOldestVersion) + "]}");
  return kDone;
}

daemon::Build build() { return {TIDEMARK_VERSION, TIDEMARK_COMMIT, TIDEMARK_REDB_VERSION}; }

}  // namespace tidemark::cli
