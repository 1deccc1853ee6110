// What a WriteSession holds; shared by the two .cc files of the writer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/index_changes.h"
#include "cache/meta_store.h"
#include "cache/writer.h"
#include "redb/database.h"

namespace tidemark::cache {

// How a file is opened for writing.
[[nodiscard]] redb::OpenOptions open_options(const WriterOptions& options);

struct Writer::Impl {
  redb::Database db;
  Meta meta;  // as last committed
  std::function<bool()> keep_going;
  std::string unkept{};  // the path that a new generation gets when it is to outlive the machine

  // What was committed is durable, and what will be.
  [[nodiscard]] Result<void> keep();
};

struct WriteSession::Impl {
  redb::WriteTransaction txn;
  Meta meta;  // as it will be committed
  Writer::Impl* writer;
  IndexChanges indexes{};
  // Of each table that was empty when the session first wrote to it: the greatest key put since.
  std::map<std::string, std::string> greatest{};

  // Writes what is gathered; whoever reads an index or commits has it whole.
  [[nodiscard]] Result<void> write_indexes();
  [[nodiscard]] Result<void> settle_indexes();
  [[nodiscard]] Result<void> merge_indexes();
  [[nodiscard]] Result<void> checkpoint();
  [[nodiscard]] Result<void> commit_and_go_on();
  [[nodiscard]] bool all_new(const std::string& table, const std::vector<std::string_view>& keys);
  [[nodiscard]] Result<void> replace(const model::Collection& collection, std::string_view key,
                                     const std::optional<std::string_view>& old_bytes,
                                     const std::optional<std::string_view>& new_bytes);
  // Of the newest-first index.
  [[nodiscard]] Result<std::vector<PlaceEntry>> places(const model::Collection& episodes,
                                                       const redb::Range& range);
};

}  // namespace tidemark::cache
