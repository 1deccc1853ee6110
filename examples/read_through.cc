// Reads one item through the cache: the cache's answer, or else the source's within half a second.
// Build: g++ -std=c++23 read_through.cc $(pkg-config --cflags --libs tidemark) -o read_through
// Run:   ./read_through file:memories.db memories.redb COLLECTION KEY
#include <tidemark/read_through.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int failed(const tidemark::Error& error) {
  std::fprintf(stderr, "read_through: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return 1;
}

void print(const std::string& key, const tidemark::Answer& answer) {
  const std::string presence(to_string(answer.presence));
  const std::string origin(to_string(answer.origin));
  std::printf("%s: %s, says the %s\n", key.c_str(), presence.c_str(), origin.c_str());
  for (const tidemark::Row& row : answer.rows) std::printf("%s\n", row.to_json().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: read_through SOURCE CACHE COLLECTION KEY\n");
    return 2;
  }
  tidemark::ReadThroughOptions options;
  options.deadline = std::chrono::milliseconds(500);
  options.token = []() -> tidemark::Result<std::string> {
    const char* const token = std::getenv("TURSO_AUTH_TOKEN");
    return std::string(token == nullptr ? "" : token);
  };
  const auto through = tidemark::ReadThrough::open(argv[1], argv[2], options);
  if (!through) return failed(through.error());
  const auto answer = through->get(argv[3], argv[4]);
  if (answer) {
    print(argv[4], *answer);
    return 0;
  }
  // The source failed, or has no such collection. What the cache knows can still be had.
  const int status = failed(answer.error());
  if (const auto cached = through->cached(argv[3], argv[4])) print(argv[4], *cached);
  return status;
}
