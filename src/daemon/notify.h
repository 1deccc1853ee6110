// What the service manager is told: sd_notify's protocol, a datagram to $NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace tidemark::daemon {

// "READY=1", "STATUS=...", "WATCHDOG=1", ... Nothing where no manager listens; never fails.
void notify_manager(const std::string& state);
// How often the manager wants to hear WATCHDOG=1; nullopt: it does not watch this process.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace tidemark::daemon
