// A source URL in its one form; what it must not hold; what it must not repeat.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "turso/connection.h"

namespace tidemark::turso {
namespace {

TEST(SourceUrl, files_are_absolute_and_normal) {
  const std::string here = std::filesystem::current_path().string();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"file:/a/b.db", "/a/b.db"},         {"file:///a/b.db", "/a/b.db"},
      {"file:/a/../b.db", "/b.db"},        {"file:m.db", here + "/m.db"},
      {"file:./x/m.db", here + "/x/m.db"}, {"FILE:/a.db", "/a.db"}};
  for (const auto& [given, path] : cases) {
    const auto url = parse_source_url(given);
    ASSERT_TRUE(url) << given;
    EXPECT_EQ(url->transport, SourceUrl::Transport::file) << given;
    EXPECT_EQ(url->path, path) << given;
    EXPECT_EQ(url->identity, "file:" + path) << given;
  }
}

TEST(SourceUrl, a_host_has_one_identity_however_it_is_written) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"libsql://Mem.Example.io", "https://Mem.Example.io", "libsql://mem.example.io"},
      {"https://mem.example.io/", "https://mem.example.io", "libsql://mem.example.io"},
      {"LIBSQL://mem.example.io?tls=1#x", "https://mem.example.io", "libsql://mem.example.io"},
      {"https://h:8443/Team/db/", "https://h:8443/Team/db", "libsql://h:8443/Team/db"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080"}};
  for (const auto& [given, http, identity] : cases) {
    const auto url = parse_source_url(given);
    ASSERT_TRUE(url) << given;
    EXPECT_EQ(url->transport, SourceUrl::Transport::http) << given;
    EXPECT_EQ(url->http_url, http) << given;
    EXPECT_EQ(url->identity, identity) << given;
  }
}

TEST(SourceUrl, what_is_none_is_invalid_with_a_hint) {
  for (const char* bad :
       {"", "memories.db", "ftp://host/x", "libsql:host", "https:/host", "http://", "https://:80",
        "https:///db", "https://a b", "https://h\x01", "https://h\xC3\xA9", "file:"}) {
    const auto url = parse_source_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, ErrorCode::invalid) << bad;
    EXPECT_FALSE(url.error().hint.empty()) << bad;
  }
  EXPECT_FALSE(parse_source_url(std::string_view("file:a\0b", 8)));
}

TEST(SourceUrl, a_secret_in_it_is_refused_and_not_repeated) {
  for (const char* given :
       {"libsql://user:hunter2@host", "https://host/?authToken=hunter2", "http://hunter2@host"}) {
    const auto url = parse_source_url(given);
    ASSERT_FALSE(url) << given;
    EXPECT_EQ((url.error().message + url.error().hint).find("hunter2"), std::string::npos) << given;
    EXPECT_NE(url.error().hint.find("TURSO_AUTH_TOKEN"), std::string::npos);
  }
}

}  // namespace
}  // namespace tidemark::turso
