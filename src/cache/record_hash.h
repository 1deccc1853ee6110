// The hash that guards what the cache stores beside its rows.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidemark::cache {

// XXH3-64 over u32 length and bytes of `name`, then `bytes`.
[[nodiscard]] std::uint64_t record_hash(std::string_view name, std::string_view bytes);

}  // namespace tidemark::cache
