// Single items of the cache, for the HTTP server. They are read on a thread of their own, since a
// file that is being repaired, or lies on a slow disk, is waited for.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "daemon/asio.h"
#include "daemon/http.h"
#include "daemon/item_path.h"
#include "sync/worker.h"

namespace tidemark::daemon {

// The reply for an item: 200 for a hit, else 404; 503 when the cache cannot be read now. Waits at
// most kItemDeadline for the cache to open, and repairs nothing. Any thread.
[[nodiscard]] HttpReply read_item(const std::string& cache, const ItemPath& item,
                                  std::chrono::milliseconds max_staleness);

// One thread, the loop's. At most kItemsWaitingMax wait.
class Items {
 public:
  using Told = std::move_only_function<void(HttpReply)>;

  explicit Items(asio::io_context& loop) : loop_(loop) {}
  // Starts the thread, which inherits the caller's signal mask.
  void start();
  // `told` is called later, on the loop's thread; at once when too many wait.
  void ask(const std::string& cache, const ItemPath& item, std::chrono::milliseconds max_staleness,
           Told told);

 private:
  asio::io_context& loop_;
  std::size_t waiting_ = 0;
  sync::Worker worker_;  // last: its job uses what is above
};

}  // namespace tidemark::daemon
