// A token's file, the source's and the daemon's: one word of visible ASCII, or an error that does
// not repeat what the file says.
#include <algorithm>
#include <fstream>

#include "cli/settings.h"
#include "daemon/token.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace tidemark;
using fuzz::must;

void check(const Result<std::string>& token, std::string_view written) {
  if (!token) {
    const Error& error = token.error();
    must(error.code == ErrorCode::invalid, "a bad token is invalid");
    constexpr std::size_t kTelling = 24;  // shorter ones may be among the words of an error
    const std::string said = error.message + error.hint + error.source_text;
    must(written.size() < kTelling || said.find(written) == std::string::npos, "it is not told");
    return;
  }
  must(!token->empty() && std::ranges::all_of(*token, [](char c) { return c > ' ' && c <= '~'; }),
       "a token is one word");
  must(written.find(*token) != std::string_view::npos, "it is what was written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const support::TempFolder folder(support::memory_folder());
  static const std::string path = folder.file("token");
  const std::string_view written(reinterpret_cast<const char*>(data), size);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << written;
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  cli::Settings settings;
  settings.token_file = path;
  check(cli::read_token(settings), written);
  check(daemon::http_token(path), written);
  return 0;
}
