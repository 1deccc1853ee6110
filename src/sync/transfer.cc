#include "sync/transfer.h"

#include <thread>

#include "base/bounded_queue.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

Result<void> apply_all(Applier& applier, base::BoundedQueue<Event>& queue,
                       const std::function<void(const Event&)>& observe) {
  while (true) {
    std::optional<Event> event = queue.pop();
    if (!event) return fail(ErrorCode::internal, "the fetch thread ended without a word");
    if (auto* const done = std::get_if<FetchDone>(&*event)) return std::move(done->outcome);
    if (observe) observe(*event);
    auto applied = apply(applier, std::move(*event));
    if (!applied) return applied;
  }
}

}  // namespace

Result<void> apply(Applier& applier, Event event) {
  if (auto* const places = std::get_if<ListedPlaces>(&event)) {
    return applier.take(*places);
  }
  if (auto* const children = std::get_if<ListedChildren>(&event)) {
    return applier.take(std::move(*children));
  }
  if (auto* const rows = std::get_if<FetchedRows>(&event)) return applier.take(std::move(*rows));
  return {};
}

Result<void> transfer(Applier& applier, Fetcher& fetcher,
                      const std::function<Result<void>(const Emit&)>& fetch,
                      const std::function<void(const Event&)>& observe) {
  base::BoundedQueue<Event> queue(kQueueBytesMax);
  const Emit emit = [&](Event event) {
    const std::size_t bytes = bytes_of(event);
    if (!queue.push(std::move(event), bytes)) return false;
    return !fetcher.in_step() || queue.wait_until_idle();
  };
  Result<void> applied;
  {
    const std::jthread fetching([&] { static_cast<void>(emit(FetchDone{fetch(emit)})); });
    applied = apply_all(applier, queue, observe);
    queue.close();                    // the fetch thread meets a closed queue, or is done
    if (!applied) fetcher.abandon();  // it may be waiting for a server that says nothing
  }
  return applied;
}

}  // namespace tidemark::sync
