#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace tidemark::daemon {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string on_one_line(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
    out += escape.data();
  }
  return out;
}

spdlog::logger& logger() {
  static spdlog::logger only("tidemark", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return only;
}

}  // namespace

void start_log(Level least) {
  logger().set_level(spdlog_level(least));
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger().set_pattern(journal ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  logger().flush_on(spdlog::level::trace);
}

void log_line(Level level, const std::string& text) {
  logger().log(spdlog_level(level), "{}", on_one_line(text));
}

}  // namespace tidemark::daemon
