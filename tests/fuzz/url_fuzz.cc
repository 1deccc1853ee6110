// Source URLs: taken or `invalid`; an identity names the same source; no secret gets out.
#include "tests/fuzz/fuzz.h"
#include "turso/connection.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  using fuzz::must;
  constexpr std::string_view kSecret = "authToken=";
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto url = turso::parse_source_url(text);
  if (!url) {
    must(url.error().code == ErrorCode::invalid, "a bad URL is invalid");
    must(url.error().message.find(kSecret) == std::string::npos, "an error holds no token");
    return 0;
  }
  const bool file = url->transport == turso::SourceUrl::Transport::file;
  must(file || url->identity.find(kSecret) == std::string::npos, "an identity holds no token");
  must(file ? url->path.starts_with('/') : url->http_url.find("://") != std::string::npos,
       "a URL says where to go");
  const auto again = turso::parse_source_url(url->identity);
  must(again.has_value(), "an identity is a URL");
  must(again->identity == url->identity && again->path == url->path,
       "an identity names the same source");
  return 0;
}
