// The built daemon with its HTTP server, and clients of it.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/exposition.h"
#include "tests/support/http_call.h"

namespace tidemark::support {

struct DaemonHttp : public DaemonWorld {
  int port = free_port();

  void configure_http(const std::string& source, const std::string& more = "",
                      const std::string& sync = "interval = \"1h\"\n") {
    configure(source,
              sync + "[daemon]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" + more);
  }
  [[nodiscard]] HttpAnswer get(const std::string& path, const std::string& headers = "") const {
    return call({.port = port, .path = path, .headers = headers});
  }
  // With the token.
  [[nodiscard]] HttpAnswer may(const std::string& path) const { return get(path, bearer()); }
  // The status line's number, of exactly these bytes.
  [[nodiscard]] std::string answer(const std::string& bytes) const {
    const RawClient client(connect_to(port));
    client.say(bytes);
    const std::string heard = client.hear();
    return heard.substr(0, 12);
  }
  [[nodiscard]] Exposition metrics() const { return Exposition(get("/metrics").body); }
  [[nodiscard]] std::string token_path() const { return world.cache() + ".token"; }
  [[nodiscard]] std::string bearer() const {
    std::string token = text_of(token_path());
    while (token.ends_with('\n')) token.pop_back();
    return "Authorization: Bearer " + token + "\r\n";
  }
  [[nodiscard]] std::string events_request() const {
    return "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n" + bearer() + "\r\n";
  }
};

struct Event {
  std::uint64_t id = 0;
  std::string name;  // empty: a comment
  Json data;
};

// A client of /v1/events.
class EventClient {
 public:
  explicit EventClient(const DaemonHttp& daemon) : socket_(connect_to(daemon.port)) {
    socket_.say(daemon.events_request());
    head_ = block("\r\n\r\n").value_or("");
  }
  [[nodiscard]] const std::string& head() const { return head_; }
  // nullopt: the daemon closed, or was silent for kPatience.
  std::optional<Event> next() {
    const auto text = block("\n\n");
    if (!text) return std::nullopt;
    Event event;
    for (std::size_t at = 0; at < text->size();) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      const std::string line = text->substr(at, end - at);
      at = end + 1;
      if (line.starts_with("id: ")) event.id = std::stoull(line.substr(4));
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data = Json::parse(line.substr(6));
    }
    return event;
  }
  // The first one from now on for which `wanted` holds.
  std::optional<Event> await(const std::function<bool(const Event&)>& wanted) {
    while (auto event = next()) {
      if (wanted(*event)) return event;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> block(const std::string& end) {
    while (true) {
      if (const std::size_t at = heard_.find(end); at != std::string::npos) {
        std::string text = heard_.substr(0, at);
        heard_.erase(0, at + end.size());
        return text;
      }
      const std::string more = socket_.hear_some();
      if (more.empty()) return std::nullopt;
      heard_ += more;
    }
  }

  RawClient socket_;
  std::string head_;
  std::string heard_;
};

}  // namespace tidemark::support
