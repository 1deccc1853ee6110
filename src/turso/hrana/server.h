// What one Hrana server takes, learned from its answers, and what each answer means. Pure.
#pragma once

#include <string>
#include <string_view>

#include "turso/connection.h"

namespace tidemark::turso::hrana {

// Of the protocol: the newest is tried first.
inline constexpr int kNewestVersion = 3;
inline constexpr int kOldestVersion = 2;

// How a request was put.
struct Variant {
  int version = kNewestVersion;  // /v3/pipeline or /v2/pipeline
  bool close = true;             // ends its stream; a server that does not take it answers 500
  bool operator==(const Variant&) const = default;
};

struct Answer {
  int status = 0;             // HTTP
  std::string_view body;      // decompressed
  std::string_view location;  // of a redirect
  bool had_token = true;      // the request carried one
};

// One thread.
//
// 1. The newest variant is tried first, unless the traits of an earlier connection say otherwise.
// 2. 404 to version 3: version 2. 500 to a request with `close`: once without it.
// 3. A 200 makes its variant known; a known variant that stops working is learned anew once.
class Server {
 public:
  explicit Server(const ServerTraits& traits);

  // True once an answer has shown the variant to work: until then, one request at a time.
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] Variant variant() const { return variant_; }
  [[nodiscard]] static std::string path(const Variant& variant);
  [[nodiscard]] ServerTraits traits() const;

  enum class Next { decode, send_again };
  // What to do with the answer to a request in the form `sent`. Errors: rejected (401, 403),
  // unavailable (5xx, 429, 408, an expired stream), invalid (anything else; too large: 413).
  [[nodiscard]] Result<Next> take(const Variant& sent, const Answer& answer);

 private:
  [[nodiscard]] bool learn(const Variant& sent, int status);

  Variant variant_;
  bool known_ = false;
  bool confirmed_ = false;      // a 200 came over this connection
  bool close_refused_ = false;  // a 500 to `close`, not yet followed by a 200 without it
};

}  // namespace tidemark::turso::hrana
