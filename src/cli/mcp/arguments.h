// Reading a call's arguments, for .cc files that have the JSON library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/units.h"
#include "tidemark/error.h"

namespace tidemark::cli::mcp {

inline constexpr const char* kSchemaHint = "tools/list has each tool's inputSchema";

// The members of one JSON object by name and type. What is missing gives nothing; everything that
// is wrong is kept, for check(). Borrows the object.
template <typename Json>
class Arguments {
 public:
  Arguments(const Json& object, std::initializer_list<std::string_view> known) : object_(object) {
    for (const auto& [name, value] : object.items()) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const std::string meant = closest(name, {known.begin(), known.size()});
      wrong("there is no argument " + name +
            (meant.empty() ? "" : " (did you mean " + meant + "?)"));
    }
  }

  [[nodiscard]] std::optional<std::string> text(const char* name) {
    const Json* const found = find(name);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) return found->template get<std::string>();
    wrong(std::string(name) + " wants a text");
    return std::nullopt;
  }
  // Empty, too, where it has to be there and is not.
  [[nodiscard]] std::string needed_text(const char* name) {
    if (find(name) == nullptr) wrong(std::string(name) + " is missing");
    return text(name).value_or("");
  }
  [[nodiscard]] bool flag(const char* name) {
    const Json* const found = find(name);
    if (found == nullptr) return false;
    if (!found->is_boolean()) wrong(std::string(name) + " wants true or false");
    return found->is_boolean() && found->template get<bool>();
  }
  [[nodiscard]] std::optional<std::uint64_t> number(const char* name, std::uint64_t least,
                                                    std::uint64_t most) {
    const Json* const found = find(name);
    if (found == nullptr) return std::nullopt;
    const auto value = found->is_number_unsigned() ? found->template get<std::uint64_t>() : 0;
    if (found->is_number_unsigned() && value >= least && value <= most) return value;
    wrong(std::string(name) + " wants a whole number of " + std::to_string(least) + " to " +
          std::to_string(most));
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::string> needed_texts(const char* name, std::size_t most) {
    std::vector<std::string> texts;
    const Json* const found = find(name);
    if (found != nullptr && found->is_array() && found->size() <= most) {
      for (const Json& item : *found) {
        if (item.is_string()) texts.push_back(item.template get<std::string>());
      }
    }
    if (found == nullptr || texts.empty() || texts.size() != found->size()) {
      wrong(std::string(name) + " wants a list of 1 to " + std::to_string(most) + " texts");
    }
    return texts;
  }
  // Empty, too, where it is not there.
  [[nodiscard]] std::vector<float> floats(const char* name, std::size_t most) {
    std::vector<float> floats;
    const Json* const found = find(name);
    if (found == nullptr) return floats;
    if (found->is_array() && found->size() <= most) {
      for (const Json& item : *found) {
        const double value = item.is_number() ? item.template get<double>() : kNoFloat;
        if (std::abs(value) <= std::numeric_limits<float>::max()) {
          floats.push_back(static_cast<float>(value));
        }
      }
    }
    if (floats.empty() || floats.size() != found->size()) {
      wrong(std::string(name) + " wants a list of 1 to " + std::to_string(most) + " numbers");
    }
    return floats;
  }

  // Errors: invalid, with everything that was wrong up to here.
  [[nodiscard]] Result<void> check() const {
    if (wrong_.empty()) return {};
    return fail(ErrorCode::invalid, wrong_, kSchemaHint);
  }

 private:
  // A null is as good as nothing: some clients send each argument.
  [[nodiscard]] const Json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  static constexpr double kNoFloat = std::numeric_limits<double>::infinity();
  void wrong(const std::string& text) { wrong_ += (wrong_.empty() ? "" : "; ") + text; }

  const Json& object_;
  std::string wrong_;
};

}  // namespace tidemark::cli::mcp
