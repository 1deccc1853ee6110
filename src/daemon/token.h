// The bearer token of the HTTP server, in a file that only its owner can read.
#pragma once

#include <string>

#include "tidemark/error.h"

namespace tidemark::daemon {

// The token in `path`, which is made with a random one when it is not there. Errors: invalid (the
// file cannot be read or made, is somebody else's or others may read it, or holds no token).
[[nodiscard]] Result<std::string> http_token(const std::string& path);

}  // namespace tidemark::daemon
