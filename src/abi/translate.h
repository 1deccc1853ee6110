// What the functions of the C interface share: between its types and those of C++.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "abi/handles.h"

namespace tidemark::abi {

inline std::string_view view_of(tidemark_bytes bytes) {
  return bytes.size == 0 ? std::string_view()
                         : std::string_view(static_cast<const char*>(bytes.data), bytes.size);
}

inline tidemark_bytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

inline tidemark_code code_of(ErrorCode code) { return static_cast<tidemark_code>(code) + 1; }

inline tidemark_code refuse(Error why, tidemark_error** error) {
  const tidemark_code code = code_of(why.code);
  if (error != nullptr) *error = new (std::nothrow) tidemark_error{std::move(why)};
  return code;
}

// What C++ may throw below here is a lack of memory.
template <typename Call>
tidemark_code guarded(tidemark_error** error, const Call& call) noexcept {
  try {
    const Result<void> done = call();
    return done ? TIDEMARK_OK : refuse(done.error(), error);
  } catch (...) {
    if (error != nullptr) *error = nullptr;
    return TIDEMARK_INTERNAL;
  }
}

inline std::unexpected<Error> missing(const char* what) {
  return fail(ErrorCode::invalid, std::string(what) + " is missing");
}

// The caller's struct, as this version knows it: what it does not have is zero, what it has beyond
// is not looked at.
template <typename Struct>
Struct known_part(const Struct* given) {
  Struct known{};
  if (given != nullptr) std::memcpy(&known, given, std::min(given->size, sizeof known));
  return known;
}

// The other way: as much of `known` as the caller's struct has room for.
template <typename Struct>
void give(Struct known, Struct* out) {
  known.size = std::min(out->size, sizeof known);
  std::memcpy(out, &known, known.size);
}

inline std::int64_t ms_of(std::optional<std::chrono::system_clock::time_point> time) {
  if (!time) return std::numeric_limits<std::int64_t>::min();
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

inline tidemark_freshness c_freshness(const Freshness& f) {
  tidemark_freshness out{};
  out.state = static_cast<tidemark_state>(f.state);
  out.consistent = f.consistent ? 1 : 0;
  out.checked_at_ms = ms_of(f.checked_at);
  out.age_ms = f.age ? f.age->count() : std::numeric_limits<std::int64_t>::min();
  out.source_unavailable_since_ms = ms_of(f.source_unavailable_since);
  out.source_refused_since_ms = ms_of(f.source_refused_since);
  out.incomplete = f.incomplete;
  out.catching_up = f.catching_up ? 1 : 0;
  out.in_doubt = f.doubt.empty() ? 0 : 1;
  return out;
}

}  // namespace tidemark::abi
