#include "daemon/host.h"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <string>

#include "daemon/asio.h"

namespace tidemark::daemon {

HostPort split_host(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  HostPort parts{text.substr(0, colon), {}};
  if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
  if (bracket != std::string_view::npos && parts.host.ends_with(']')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

bool means_this_host(std::string_view host) {
  namespace beast = boost::beast;
  const HostPort parts = split_host(host);
  if (beast::iequals(beast::string_view(parts.host.data(), parts.host.size()), "localhost")) {
    return true;
  }
  IoError error;
  asio::ip::make_address(std::string(parts.host), error);
  return !error;
}

}  // namespace tidemark::daemon
