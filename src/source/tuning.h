// Bounds of the source layer.
#pragma once

#include <cstddef>

namespace tidemark::source {

// A larger row is skipped and listed. SQLite's own default limit for one value is 1 GB; the hosted
// service refuses values over 5 MB.
inline constexpr std::size_t kRowBytesMax = std::size_t{64} << 20U;

}  // namespace tidemark::source
