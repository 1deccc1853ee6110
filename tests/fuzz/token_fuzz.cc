// A token's file, the source's and the daemon's: one word of visible ASCII, or an error that says
// nothing of what is in the file: it is the same for another token with the same mistake.
#include <algorithm>
#include <fstream>

#include "cli/settings.h"
#include "daemon/token.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace tidemark;
using fuzz::must;

// Every visible character another one: the same mistake with another token.
std::string rotated(std::string text) {
  for (char& c : text) {
    if (c > ' ' && c <= '~') c = c == '~' ? '!' : static_cast<char>(c + 1);
  }
  return text;
}

void check(const Result<std::string>& token, const Result<std::string>& other,
           std::string_view written) {
  if (!token) {
    const Error& error = token.error();
    must(error.code == ErrorCode::invalid, "a bad token is invalid");
    must(!other && other.error().message == error.message && other.error().hint == error.hint &&
             error.source_text.empty(),
         "it is not told");
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
  const std::string written(reinterpret_cast<const char*>(data), size);
  cli::Settings settings;
  settings.token_file = path;
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return std::pair(cli::read_token(settings), daemon::http_token(path));
  };
  const auto other = read(rotated(written));
  const auto token = read(written);
  check(token.first, other.first, written);
  check(token.second, other.second, written);
  return 0;
}
