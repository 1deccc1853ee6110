#include "turso/connection.h"
#include "turso/file_connection.h"

namespace tidemark::turso {

Result<std::unique_ptr<Connection>> connect(const SourceUrl& url, ConnectOptions options) {
  if (url.transport == SourceUrl::Transport::file) return open_file(url.path, options);
  return fail(ErrorCode::unsupported, "sources over HTTP are not supported by this build yet",
              "use a SQLite file for now: --source file:PATH");
}

}  // namespace tidemark::turso
