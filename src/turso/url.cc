#include <algorithm>
#include <filesystem>

#include "turso/connection.h"
#include "turso/file_connection.h"

namespace tidemark::turso {
namespace {

constexpr std::string_view kSchemesHint =
    "use file:PATH for a SQLite database, or libsql://HOST, https://HOST for a Turso database";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return out;
}

// What of a bad URL may be shown: nothing that could hold a secret.
std::string shown(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  text = text.substr(0, text.find("authToken="));
  const std::size_t user_end = text.rfind('@');
  if (user_end != std::string_view::npos) return "..." + std::string(text.substr(user_end));
  return std::string(text);
}

Result<SourceUrl> parse_file(std::string_view path) {
  while (path.starts_with("//")) path.remove_prefix(1);  // file:///path, and no empty names
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::invalid, "file: without a path", std::string(kFileHint));
  }
  std::error_code error;
  const auto absolute = std::filesystem::absolute(std::filesystem::path(path), error);
  if (error)
    return fail(ErrorCode::invalid, "bad path " + std::string(path), std::string(kFileHint));
  SourceUrl url;
  url.path = absolute.lexically_normal().string();
  url.identity = "file:" + url.path;
  url.display = url.identity;
  return url;
}

Result<SourceUrl> parse_http(std::string_view text, const std::string& scheme,
                             std::string_view rest) {
  if (rest.find('@') != std::string_view::npos ||
      rest.find("authToken=") != std::string_view::npos) {
    return fail(ErrorCode::invalid, "the source URL holds a secret",
                "put the token into TURSO_AUTH_TOKEN or a file given with --token-file");
  }
  rest = rest.substr(0, rest.find_first_of("?#"));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::string_view host = rest.substr(0, rest.find('/'));
  const bool plain =
      std::ranges::all_of(rest, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (host.empty() || host.starts_with(':') || !plain) {
    return fail(ErrorCode::invalid, "bad source URL " + shown(text), std::string(kSchemesHint));
  }
  SourceUrl url;
  url.transport = SourceUrl::Transport::http;
  url.http_url = (scheme == "http" ? "http://" : "https://") + std::string(rest);
  const std::string place = lower(host) + std::string(rest.substr(host.size()));
  url.identity = (scheme == "http" ? "http://" : "libsql://") + place;
  url.display = scheme + "://" + place;
  return url;
}

}  // namespace

Result<SourceUrl> parse_source_url(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string scheme = colon == std::string_view::npos ? "" : lower(text.substr(0, colon));
  if (scheme == "file") return parse_file(text.substr(5));
  if (scheme == "libsql" || scheme == "https" || scheme == "http") {
    if (!text.substr(colon).starts_with("://")) {
      return fail(ErrorCode::invalid, "bad source URL " + shown(text), std::string(kSchemesHint));
    }
    return parse_http(text, scheme, text.substr(colon + 3));
  }
  return fail(ErrorCode::invalid,
              scheme.empty() ? "the source has no scheme: " + shown(text)
                             : "the source scheme " + scheme + ": is not supported",
              std::string(kSchemesHint));
}

}  // namespace tidemark::turso
