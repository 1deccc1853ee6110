// The effective configuration as text: what `config print` shows and `init` writes. No secrets.
#pragma once

#include <string>

#include "cli/settings.h"

namespace tidemark::cli {

enum class Origins : bool { leave_out, show };

// tidemark.toml with every key; what nobody named is a comment with its default. Origins::show adds
// to each line where its value came from, as a comment.
[[nodiscard]] std::string to_toml(const Settings& settings, Origins origins = Origins::leave_out);
// {"source":{"url":{"value":...,"from":...},...},...,"token":{"from":...}}
[[nodiscard]] std::string to_settings_json(const Settings& settings);

}  // namespace tidemark::cli
