// Random names and secrets, from the system.
#pragma once

#include <cstddef>
#include <string>

#include "tidemark/error.h"

namespace tidemark::base {

// `bytes` random ones (at most 256) as twice as many hexadecimal digits. Errors: internal.
[[nodiscard]] Result<std::string> random_hex(std::size_t bytes);

}  // namespace tidemark::base
