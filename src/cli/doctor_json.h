// The result of `doctor --json`.
#pragma once

#include <string>
#include <vector>

#include "doctor/diagnose.h"

namespace tidemark::cli {

// {"measurements":{...},"findings":[{"heading","severity","text","help"}]}
[[nodiscard]] std::string doctor_json(const doctor::Measurements& measured,
                                      const std::vector<doctor::Finding>& findings);

}  // namespace tidemark::cli
