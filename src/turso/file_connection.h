// file: sources: a local SQLite database, read in place.
#pragma once

#include <memory>
#include <string>

#include "turso/connection.h"

namespace tidemark::turso {

// Errors: invalid (missing, a directory), unsupported (not a database).
[[nodiscard]] Result<std::unique_ptr<Connection>> open_file(const std::string& path,
                                                            const ConnectOptions& options);

}  // namespace tidemark::turso
