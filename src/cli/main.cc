// The program `tidemark`.
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/command_line.h"

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // A pass allocates and frees replies of about 1 MiB. glibc would learn from the first to keep
  // such blocks in its heaps, where they leave holes: 117 MiB instead of 90 at the peak of a large
  // fill.
  constexpr int kMmapThresholdBytes = 256 << 10;
  mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes);
#endif
  return tidemark::cli::run_command_line(argc, argv);
}
