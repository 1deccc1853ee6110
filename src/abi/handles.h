// What is behind the opaque types of tidemark.h.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tidemark.h"
#include "tidemark/error.h"
#include "tidemark/reader.h"

struct tidemark_cache {
  std::variant<tidemark::Reader, tidemark::Snapshot> reads;
};

struct tidemark_row {
  explicit tidemark_row(const tidemark::Row* borrowed) : row(borrowed) {}
  explicit tidemark_row(tidemark::Row&& kept) : own(std::move(kept)), row(&*own) {}
  tidemark_row(const tidemark_row&) = delete;
  tidemark_row& operator=(const tidemark_row&) = delete;
  ~tidemark_row() = default;

  std::optional<tidemark::Row> own;
  const tidemark::Row* row;  // `own`, or borrowed for a visit
  mutable std::once_flag json_made;
  mutable std::string json;
};

struct tidemark_neighbours {
  tidemark::Nearest found;
  std::deque<tidemark_row> rows;  // borrow those of `found`, in its order
};

struct tidemark_error {
  tidemark::Error error;
};
