// The program `tidemark`.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/command_line.h"

namespace {

// Memory, or a thread, that cannot be had. Nothing is unwound, since one thread might then wait for
// ever for another: the process ends where it is, which the cache survives as it does a kill.
[[noreturn]] void give_up() {
  constexpr std::string_view kNoMemory = "tidemark: out of memory\n";
  constexpr std::string_view kNoThread =
      "tidemark: no thread can be started: out of memory, or a limit\n";
  const auto end = [](std::string_view words) {
    [[maybe_unused]] const auto said = ::write(STDERR_FILENO, words.data(), words.size());
    ::_exit(EXIT_FAILURE);
  };
  try {
    if (const auto failed = std::current_exception()) std::rethrow_exception(failed);
  } catch (const std::bad_alloc&) {
    end(kNoMemory);
  } catch (const std::system_error&) {
    end(kNoThread);
  } catch (...) {
    std::abort();  // a bug: with a core dump
  }
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(give_up);
#ifdef __GLIBC__
  // A pass allocates and frees replies of about 1 MiB. glibc would learn from the first to keep
  // such blocks in its heaps, where they leave holes: 117 MiB instead of 90 at the peak of a large
  // fill.
  constexpr int kMmapThresholdBytes = 256 << 10;
  mallopt(M_MMAP_THRESHOLD, kMmapThresholdBytes);
#endif
  return tidemark::cli::run_command_line(argc, argv);
}
