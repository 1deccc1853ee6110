// Figures as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tidemark::base {

// "12,345"
[[nodiscard]] std::string grouped(std::uint64_t number);
// "250 ms", "3.2 s", "5 min", "7 h", "2 d"; below zero as milliseconds.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);
// "250 µs" below a millisecond, else as format_duration().
[[nodiscard]] std::string format_moment(std::chrono::microseconds duration);
// "512 bytes", "12 KiB" from 10 KiB on, "3,072 MiB" from 10 MiB on.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace tidemark::base
