// What a WriteSession holds; shared by the two .cc files of the writer.
#pragma once

#include "cache/meta_store.h"
#include "cache/writer.h"
#include "redb/database.h"

namespace tidemark::cache {

// How a file is opened for writing.
[[nodiscard]] redb::OpenOptions open_options(const WriterOptions& options);

struct WriteSession::Impl {
  redb::WriteTransaction txn;
  Meta meta;           // as it will be committed
  Meta* committed;     // the writer's, replaced by a commit
  redb::Database* db;  // the writer's
};

}  // namespace tidemark::cache
