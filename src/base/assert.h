// Assertions that stay on in release: a broken invariant ends the process before it can end in a
// wrong answer.
#pragma once

namespace tidemark::base {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace tidemark::base

#define TIDEMARK_ASSERT(condition) \
  (static_cast<bool>(condition)    \
       ? void(0)                   \
       : ::tidemark::base::assertion_failed(#condition, __FILE__, __LINE__))
