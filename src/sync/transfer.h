// Fetching beside applying: one thread asks the source, the caller's writes the cache.
#pragma once

#include <functional>

#include "sync/applier.h"
#include "sync/events.h"
#include "sync/fetcher.h"
#include "sync/scan.h"

namespace tidemark::sync {

// Runs `fetch` on a thread of its own and applies here what it emits, with a queue between that is
// bounded in bytes; `observe` (may be empty) sees each event first, on this thread. Ends with both
// done: the first error of either.
[[nodiscard]] Result<void> transfer(Applier& applier, Fetcher& fetcher,
                                    const std::function<Result<void>(const Emit&)>& fetch,
                                    const std::function<void(const Event&)>& observe);

// One event.
[[nodiscard]] Result<void> apply(Applier& applier, Event event);

}  // namespace tidemark::sync
