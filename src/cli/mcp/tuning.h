// Every bound of the MCP server, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidemark::cli::mcp {

// A call is names and numbers, with a hundred keys at the most; a longer line is skipped.
inline constexpr std::size_t kMessageBytesMax = std::size_t{4} << 20U;
// Nothing that is asked here nests deeper than five; what does would be walked by recursion.
inline constexpr int kDepthMax = 32;
// In one line; only protocol version 2025-03-26 has batches.
inline constexpr std::size_t kBatchMax = 64;
// Of which one runs and the others wait. An agent that asks for more did not wait for an answer.
inline constexpr std::size_t kSlowCallsMax = 16;
// A page of standard input; also what a pipe takes by default.
inline constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

// Keys of one `get`.
inline constexpr std::size_t kKeysMax = 100;
// Rows of one `list`: what a model can take in, and what one may ask for.
inline constexpr std::uint64_t kListDefault = 20;
inline constexpr std::uint64_t kListMax = 1'000;
// Neighbours of one `nearest`, and the floats of its vector: more than any model in use gives.
inline constexpr std::uint64_t kNearestMax = 100;
inline constexpr std::size_t kDimensionMax = 16'384;
// Rows of one answer. It is sent twice, as text and as structured content.
inline constexpr std::size_t kRowsBytesMax = std::size_t{512} << 10U;
// For a look at the cache when a call has failed, and for a writer's repair to end before one
// starts: the client waits, and so do its other calls.
inline constexpr std::chrono::milliseconds kLookDeadline{200};
inline constexpr std::chrono::milliseconds kOpenDeadline{2'000};

}  // namespace tidemark::cli::mcp
