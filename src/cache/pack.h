// A filled generation, rewritten in key order.
#pragma once

#include <string>

#include "cache/tuning.h"
#include "cache/writer.h"

namespace tidemark::cache {

// A fill writes rows as they come, in many commits: their pages are two thirds full, and the file
// keeps room for the pages that each commit replaced. This copies every table in key order into a
// file beside it, which replaces it: pages are full, and nothing is free. Nothing is done to a file
// that is small, or not much larger than its live bytes, or when there is no room for a second one.
//
// `generation` is closed and nobody reads it; the caller holds CACHE.lock. Where `keep_going` of
// the options ends it the generation is as it was.
[[nodiscard]] Result<void> pack_generation(const std::string& generation,
                                           const WriterOptions& options, PackWhen when = {});

// The same for the cache itself, after a pass: the packed file is a new generation that takes its
// place, readers move over. False: nothing was done. The caller holds CACHE.lock and has closed it.
[[nodiscard]] Result<bool> pack_cache(const std::string& cache, const WriterOptions& options,
                                      PackWhen when = {});

}  // namespace tidemark::cache
