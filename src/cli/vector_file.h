// The vector that `nearest --vector FILE` reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidemark/error.h"

namespace tidemark::cli {

// A JSON array of numbers where the bytes are a text that begins with [, else little-endian f32.
// Errors: invalid.
[[nodiscard]] Result<std::vector<float>> parse_vector(std::string_view bytes);
// Of a file, or of stdin for "-".
[[nodiscard]] Result<std::vector<float>> read_vector(const std::string& path);

}  // namespace tidemark::cli
