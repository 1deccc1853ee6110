// Alone, so that a new commit compiles nothing else.
#include "cli/flags.h"

namespace tidemark::cli {

const char* version_text() {
  return "tidemark " TIDEMARK_VERSION " (commit " TIDEMARK_COMMIT ", redb " TIDEMARK_REDB_VERSION
         ")";
}

daemon::Build build() { return {TIDEMARK_VERSION, TIDEMARK_COMMIT, TIDEMARK_REDB_VERSION}; }

}  // namespace tidemark::cli
