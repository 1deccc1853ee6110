// Reading JSON members by name, for .cc files that have the JSON library. What is missing or of
// another type leaves the value as it was.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace tidemark::daemon {

// False: the value is of another type.
template <typename Json, typename T>
bool read(const Json& json, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return false;
  } else if constexpr (std::is_unsigned_v<T>) {
    if (!json.is_number_unsigned()) return false;
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) return false;
  } else {
    if (!json.is_string()) return false;
  }
  out = json.template get<T>();
  return true;
}

template <typename Json>
bool read(const Json& json, std::chrono::milliseconds& out) {
  std::int64_t count = 0;
  if (!read(json, count)) return false;
  out = std::chrono::milliseconds(count);
  return true;
}

template <typename Json>
bool read(const Json& json, std::chrono::system_clock::time_point& out) {
  std::chrono::milliseconds since_1970{};
  if (!read(json, since_1970)) return false;
  out = std::chrono::system_clock::time_point(since_1970);
  return true;
}

template <typename Json, typename T>
bool read(const Json& json, std::optional<T>& out) {
  T value{};
  if (json.is_null() || !read(json, value)) return json.is_null();
  out = std::move(value);
  return true;
}

template <typename Json>
bool read(const Json& json, std::vector<std::string>& out) {
  if (!json.is_array()) return false;
  for (const auto& item : json) {
    if (!read(item, out.emplace_back())) return false;
  }
  return true;
}

template <typename Json, typename T>
void read_member(const Json& object, const char* name, T& out) {
  if (!object.is_object()) return;
  if (const auto found = object.find(name); found != object.end()) {
    static_cast<void>(read(*found, out));
  }
}

// The member of that name; an empty one where there is none.
template <typename Json>
const Json& member(const Json& object, const char* name) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

}  // namespace tidemark::daemon
