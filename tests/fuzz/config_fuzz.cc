// tidemark.toml: any text gives settings or `invalid`; settings printed as TOML are read the same.
#include "cli/config_text.h"
#include "cli/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidemark::fuzz::must;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto settings = tidemark::cli::settings_from_toml(text, "tidemark.toml", "/folder");
  if (!settings) {
    must(settings.error().code == tidemark::ErrorCode::invalid, "a bad file is invalid");
    must(!settings.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  const std::string printed = tidemark::cli::to_toml(*settings);
  const auto again = tidemark::cli::settings_from_toml(printed, "printed.toml", "/folder");
  if (!again) std::fprintf(stderr, "%s\n%s\n", printed.c_str(), again.error().message.c_str());
  must(again.has_value(), "what was printed can be read");
  must(tidemark::cli::to_toml(*again) == printed, "what was read is printed the same");
  return 0;
}
