// From source rows to what the writer takes: keys in the cache's form and order, rows encoded and
// hashed before any write transaction opens. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/collection.h"
#include "model/record.h"
#include "sync/events.h"

namespace tidemark::sync {

// Integers and texts, in the source's BINARY order, which is the cache's for texts and for integers
// of one length: rows that come so are stored at half the cost, and the file is half as large.
void sort_by_key(std::vector<Value>& keys);

// `keys`: those asked for; the ones without a row come out as missing.
[[nodiscard]] FetchedRows encode_page(const model::Collection& collection,
                                      const std::vector<Value>& keys, model::RecordPage page);

}  // namespace tidemark::sync
