// libsql://, https:// and http:// sources: Hrana over libcurl.
#pragma once

#include <memory>

#include "turso/connection.h"

namespace tidemark::turso::http {

// Sends nothing yet. Errors: rejected (a token would go over http:// to another machine), internal.
[[nodiscard]] Result<std::unique_ptr<Connection>> open_http(const SourceUrl& url,
                                                            ConnectOptions options);

// True for localhost, 127.0.0.0/8 and [::1]: the only hosts that get a token over plain http.
[[nodiscard]] bool is_loopback(std::string_view http_url);

}  // namespace tidemark::turso::http
