// The search behind Snapshot::nearest.
#pragma once

#include "cache/read_handle.h"
#include "cache/vectors.h"
#include "tidemark/nearest.h"

namespace tidemark::cache {

// As Snapshot::nearest; leaves out the freshness.
[[nodiscard]] Result<Nearest> nearest(const View& view, VectorStore& store,
                                      const NearestQuery& query);

}  // namespace tidemark::cache
