// What a WriteSession holds; shared by the two .cc files of the writer.
#pragma once

#include "cache/meta_store.h"
#include "cache/writer.h"
#include "redb/database.h"

namespace tidemark::cache {

struct WriteSession::Impl {
  redb::WriteTransaction txn;
  Meta meta;           // as it will be committed
  Meta* committed;     // the writer's, replaced by a commit
  redb::Database* db;  // the writer's
};

}  // namespace tidemark::cache
