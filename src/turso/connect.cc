#include "turso/connection.h"
#include "turso/file_connection.h"
#include "turso/http/http_connection.h"

namespace tidemark::turso {

Result<std::unique_ptr<Connection>> connect(const SourceUrl& url, ConnectOptions options) {
  if (url.transport == SourceUrl::Transport::file) return open_file(url.path, options);
  return http::open_http(url, std::move(options));
}

}  // namespace tidemark::turso
