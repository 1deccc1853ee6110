// What an HTTP client says of itself and of what it wants: no word but the token opens what holds
// memories; a key comes back from its encoded form; no name of another host is this one.
#include <algorithm>

#include "base/utf8.h"
#include "daemon/host.h"
#include "daemon/routes.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidemark;
using fuzz::must;

void a_request(std::string_view text) {
  const auto part = [&text] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string taken(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
  };
  daemon::HttpRequest request;
  request.path = part();
  request.query = part();
  request.authorization = part();
  const CacheStatus cache;
  const std::string token = "0123456789abcdef";
  const std::function<std::string()> open = [] { return std::string("open"); };
  const std::function<std::string()> secret = [] { return std::string("secret"); };
  const daemon::PassLog passes;
  const auto routed = daemon::route(request, {cache, {}, token, open, secret, passes});
  const auto* const reply = std::get_if<daemon::HttpReply>(&routed);
  if (request.path.starts_with("/v1/") && request.authorization != "Bearer " + token) {
    must(reply != nullptr && reply->status == 401, "nothing is said without the token");
    return;
  }
  must(reply == nullptr || (reply->status >= 200 && reply->status < 600), "an answer");
  if (const auto* const item = std::get_if<daemon::ItemPath>(&routed)) {
    must(base::is_utf8(item->collection) && base::is_utf8(item->key), "an item's name is UTF-8");
    must(item->collection.size() + item->key.size() < request.path.size(), "it is in the path");
  }
}

void a_key(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded = "t/";
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  must(daemon::percent_decoded(encoded.substr(2)) == key, "any bytes come back");
  const auto item = daemon::item_path(encoded);
  must(item.has_value() == base::is_utf8(key), "a key is UTF-8");
  must(!item || (item->collection == "t" && item->key == key), "a key comes back");
  const auto raw = daemon::percent_decoded(key);
  must(!raw || raw->size() <= key.size(), "decoding only shortens");
}

void a_host(std::string_view text) {
  if (!daemon::means_this_host(text)) return;
  const std::string_view host = daemon::split_host(text).host;
  const bool dotted =
      std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  must(
      dotted || host.find(':') != std::string_view::npos || host.size() == std::strlen("localhost"),
      "an address, or localhost");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.number<std::uint8_t>() % 3) {
    case 0:
      a_request(input.rest());
      break;
    case 1:
      a_key(input.rest());
      break;
    default:
      a_host(input.rest());
  }
  return 0;
}
