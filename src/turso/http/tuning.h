// Bounds of the HTTP transport.
#pragma once

#include <chrono>
#include <cstddef>

namespace tidemark::turso::http {

// All headers of a reply; servers and proxies send a few KiB.
inline constexpr std::size_t kHeaderBytesMax = std::size_t{256} << 10U;
// Forms in which one batch is sent before the server counts as one that answers nothing sensible:
// version 3, version 2, without `close`, and once more for each after the server was upgraded.
inline constexpr int kSendsMax = 5;
// A read buffer of libcurl; larger ones mean fewer calls for pages of 1 MiB and more.
inline constexpr long kReadBufferBytes = 256L << 10;
// Buffers kept for the next replies: as many pages as a fill has in flight, none larger than a page
// that came out twice as large as it aimed for.
inline constexpr std::size_t kReplyBuffersKept = 4;
inline constexpr std::size_t kReplyBufferBytesMax = std::size_t{4} << 20U;
// An idle connection is closed rather than used again after this: servers drop them at about 60 s.
inline constexpr long kIdleSecondsMax = 50;

}  // namespace tidemark::turso::http
