// The lines of the daemon's control socket, both ways: what a client asks, and what the program
// reads from a daemon of another version. An error, or something that is said again as it was.
#include "daemon/wire.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidemark;
using fuzz::must;

void a_request(std::string_view line) {
  const auto request = daemon::decode_request(line);
  if (!request) {
    must(request.error().code == ErrorCode::invalid, "a bad request is invalid");
    return;
  }
  const std::string said = daemon::encode(*request);
  must(said.ends_with('\n') && said.find('\n') + 1 == said.size(), "one line");
  const auto again = daemon::decode_request(said);
  must(again && daemon::encode(*again) == said, "a request comes back");
}

void a_reply(std::string_view line) {
  const auto reply = daemon::decode_reply(line);
  if (!reply) {
    must(reply.error().code == ErrorCode::internal, "what is no reply is internal");
    return;
  }
  const std::string said = daemon::encode(*reply);
  must(said.ends_with('\n') && said.find('\n') + 1 == said.size(), "one line");
  const auto again = daemon::decode_reply(said);
  must(again && daemon::encode(*again) == said, "a reply comes back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.number<std::uint8_t>() % 2 == 0) {
    a_request(input.rest());
  } else {
    a_reply(input.rest());
  }
  return 0;
}
