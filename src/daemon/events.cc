#include "daemon/events.h"

#include <utility>

#include "daemon/json_forms.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {

std::string event_text(std::uint64_t id, std::string_view name, std::string_view json) {
  if (json.ends_with('\n')) json.remove_suffix(1);
  std::string text = "id: " + std::to_string(id) + "\nevent: ";
  text.append(name).append("\ndata: ").append(json).append("\n\n");
  return text;
}

std::list<std::shared_ptr<Exchange>> Events::watching() {
  std::list<std::shared_ptr<Exchange>> open;
  std::erase_if(clients_, [&open](const std::weak_ptr<Exchange>& weak) {
    const auto client = weak.lock();
    if (client == nullptr || !client->is_open()) return true;
    open.push_back(client);
    return false;
  });
  return open;
}

bool Events::add(const std::shared_ptr<Exchange>& client) {
  const std::size_t others = watching().size();
  if (others >= kEventStreamsMax) return false;
  clients_.push_back(client);
  client->stream("text/event-stream");
  client->send("retry: " + std::to_string(kEventRetry.count()) + "\n" +
               event_text(++last_id_, "status", facts_.status()));
  if (others == 0) {
    told_freshness_ = facts_.freshness();
    await_tick();
  }
  return true;
}

void Events::tell(std::string_view name, const std::string& json) {
  const std::string text = event_text(++last_id_, name, json);
  for (const auto& client : watching()) client->send(text);
  ticks_ = 0;
}

void Events::status_changed() {
  if (watching().empty()) return;
  told_freshness_ = facts_.freshness();
  tell("status", facts_.status());
}

void Events::progress(const Progress& progress) {
  std::string text;
  for (const auto& client : watching()) {
    if (!client->idle()) continue;
    if (text.empty()) text = event_text(++last_id_, "progress", progress_json(progress));
    client->send(text);
  }
}

void Events::pass_ended(const std::string& pass) {
  if (!watching().empty()) tell("report", pass);
}

void Events::await_tick() {
  tick_.expires_after(kEventTick);
  tick_.async_wait([this](const IoError& cancelled) {
    if (!cancelled) tick();
  });
}

void Events::tick() {
  const auto clients = watching();
  if (clients.empty()) return;
  if (facts_.freshness() != told_freshness_) status_changed();
  if (++ticks_ >= kTicksPerHeartbeat) {
    for (const auto& client : clients) client->send(": alive\n\n");
    ticks_ = 0;
  }
  await_tick();
}

}  // namespace tidemark::daemon
