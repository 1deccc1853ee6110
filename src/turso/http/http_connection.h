// Turso over HTTP: the Hrana protocol on libcurl.
#pragma once

#include <memory>

#include "turso/connection.h"

namespace tidemark::turso {

// Opens nothing yet: the first batch does.
[[nodiscard]] std::unique_ptr<Connection> make_http_connection(const SourceUrl& url,
                                                               ConnectOptions options);

}  // namespace tidemark::turso
