// The floor of everything over HTTP: libcurl alone, which sends bodies and drops the replies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tidemark::bench {

// Posts each body to `url`, up to ten at once, and waits for all replies. Returns the bytes of the
// replies' bodies; ends the program on any answer but 200.
[[nodiscard]] std::uint64_t post_all(const std::string& url,
                                     const std::vector<std::string>& bodies);

// Posts one after the other, since each depends on the one before; the replies' bodies.
[[nodiscard]] std::vector<std::string> post_each(const std::string& url,
                                                 const std::vector<std::string>& bodies);

}  // namespace tidemark::bench
