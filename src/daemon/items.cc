#include "daemon/items.h"

#include <optional>
#include <utility>
#include <vector>

#include "daemon/json_forms.h"
#include "daemon/tuning.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {
namespace {

// As the envelope of `tidemark get --json`, but for the command's own members.
HttpReply reply_of(unsigned status, const std::optional<Presence>& presence, const Error* error,
                   const Freshness* freshness, const std::string& result) {
  std::string body = "{\"v\":1,\"presence\":";
  body += presence ? json_string(to_string(*presence)) : "null";
  body += ",\"error\":" + (error == nullptr ? "null" : error_json(*error));
  body += ",\"freshness\":" + (freshness == nullptr ? "null" : freshness_json(*freshness));
  return {status, body + ",\"result\":" + result + "}\n", "application/json"};
}

HttpReply unreadable(const Error& error) {
  return reply_of(503, std::nullopt, &error, nullptr, "null");
}

HttpReply found(const ItemPath& item, const std::vector<Lookup>& lookups,
                const Freshness& freshness) {
  const Presence presence = lookups.front().presence();
  std::string list;
  for (const Lookup& lookup : lookups) {
    if (!lookup) continue;
    // A row names its own table: `embeddings` may be several.
    const Row& row = lookup.row();
    list +=
        (list.empty() ? "" : ",") + item_json(row.collection(), item.key, presence, row.to_json());
  }
  if (list.empty()) list = item_json(item.collection, item.key, presence, "null");
  return reply_of(presence == Presence::hit ? 200 : 404, presence, nullptr, &freshness,
                  "[" + list + "]");
}

}  // namespace

// Opened for this item alone: a Reader that is kept would keep the file of a generation that was
// replaced, and opening costs microseconds.
HttpReply read_item(const std::string& cache, const ItemPath& item,
                    std::chrono::milliseconds max_staleness) {
  ReaderOptions options;
  options.max_staleness = max_staleness;
  options.open_deadline = kItemDeadline;
  options.repair = false;
  const auto reader = Reader::open(cache, options);
  if (!reader) return unreadable(reader.error());
  const auto snapshot = reader->snapshot();
  if (!snapshot) return unreadable(snapshot.error());
  const Freshness freshness = snapshot->freshness();
  const auto lookups = snapshot->get_all(item.collection, item.key);
  if (lookups) return found(item, *lookups, freshness);
  const bool unknown_collection = lookups.error().code == ErrorCode::invalid;
  return reply_of(unknown_collection ? 404 : 503, std::nullopt, &lookups.error(), &freshness,
                  "null");
}

void Items::start() {
  worker_.run([] {});
}

void Items::ask(const std::string& cache, const ItemPath& item,
                std::chrono::milliseconds max_staleness, Told told) {
  if (waiting_ >= kItemsWaitingMax) {
    return told(unreadable({ErrorCode::busy,
                            std::to_string(kItemsWaitingMax) + " items are waiting to be read",
                            "ask again",
                            {}}));
  }
  ++waiting_;
  worker_.run([this, cache, item, max_staleness, told = std::move(told)]() mutable {
    asio::post(loop_, [this, reply = read_item(cache, item, max_staleness),
                       told = std::move(told)]() mutable {
      --waiting_;
      told(std::move(reply));
    });
  });
}

}  // namespace tidemark::daemon
