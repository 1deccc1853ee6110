// Surveys and changes a source's change capture over one connection.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "source/capture.h"
#include "tidemark/capture.h"
#include "turso/connection.h"

namespace tidemark::sync {

// Three batches, or two where nothing is installed, and the journal's mode.
[[nodiscard]] Result<source::CaptureSurvey> survey_capture(turso::Connection& connection,
                                                           std::chrono::milliseconds deadline,
                                                           const std::stop_token& stop);

[[nodiscard]] CaptureStatus status_of(const source::CaptureSurvey& survey);

// One transaction. Errors: rejected where the right to write is missing.
[[nodiscard]] Result<void> run_statements(turso::Connection& connection,
                                          const std::vector<std::string>& statements,
                                          std::chrono::milliseconds deadline,
                                          const std::stop_token& stop);

}  // namespace tidemark::sync
