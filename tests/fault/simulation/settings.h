// What a run is told from outside: the commit's seed and the usual steps, or the environment's.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace tidemark::simulation {

inline std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 0) : otherwise;
}

inline std::uint64_t seed() { return number_of("TIDEMARK_SIM_SEED", TIDEMARK_SIM_DEFAULT_SEED); }
inline std::uint64_t steps_asked() {
  return number_of("TIDEMARK_SIM_STEPS", TIDEMARK_SIM_DEFAULT_STEPS);
}

}  // namespace tidemark::simulation
