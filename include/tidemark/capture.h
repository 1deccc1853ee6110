// Change capture at a source: triggers that log what changed, so that a pass reads only that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tidemark/error.h"
#include "tidemark/export.h"

namespace tidemark {

struct CaptureOptions {
  // Gives the bearer token; called before the first request and once after a 401. Empty: none.
  std::function<Result<std::string>()> token;
  std::string ca_file;  // extra CA certificates (PEM); empty: the system's
  std::chrono::milliseconds request_deadline{30'000};
};

// One table that tidemark caches. One that is not captured is followed by reading its whole scope.
struct CapturedTable {
  std::string table;
  bool captured = false;  // it is in the log's care
  bool healthy = false;   // and its log can be trusted
  std::string reason;     // why it is not captured or not healthy; empty otherwise
  std::string epoch;      // of its triggers
};

struct CaptureStatus {
  bool installed = false;  // log and meta are there
  bool healthy = false;    // and every table that can be captured is, healthily
  std::string trouble;     // of the log itself; empty: none
  std::int64_t version = 0;
  std::string database_id;
  std::int64_t head = 0;          // the newest change
  std::int64_t floor = 0;         // changes before this were pruned
  std::int64_t log_rows_max = 0;  // the log has at most so many rows; counting would read them all
  std::vector<CapturedTable> tables;
};

enum class CaptureAction { install, prune, remove };

struct CaptureRequest {
  CaptureAction action = CaptureAction::install;
  // install: an item's changes this far behind the newest go with its next one; prune: changes
  // that stay. nullopt: 100,000.
  std::optional<std::int64_t> keep;
  // install: every captured table gets a new epoch, so that caches read everything once and then
  // follow the log again. After changes were missed, once their reason is gone.
  bool renew = false;
};

// What an action would run, as it is, by anyone with the right to write.
struct TIDEMARK_API CapturePlan {
  std::vector<std::vector<std::string>> transactions;  // statements without a final semicolon
  CaptureStatus status;                                // that it was made from

  [[nodiscard]] bool empty() const { return transactions.empty(); }
  // Each transaction from BEGIN to COMMIT, for a shell of SQLite or Turso.
  [[nodiscard]] std::string to_sql() const;
};

// One thread at a time. Holds no connection between calls.
class TIDEMARK_API CaptureAdmin {
 public:
  // Checks arguments; opens nothing yet. `source`: as Syncer::open. Errors: invalid, unsupported.
  [[nodiscard]] static Result<CaptureAdmin> open(const std::string& source,
                                                 CaptureOptions options = {});
  CaptureAdmin(CaptureAdmin&&) noexcept;
  CaptureAdmin& operator=(CaptureAdmin&&) noexcept;
  ~CaptureAdmin();

  // Reads only. Errors of all: the connection's; invalid (no table `episodes`); cancelled.
  [[nodiscard]] Result<CaptureStatus> status(const std::stop_token& stop = {});
  // Reads only. Errors also: unsupported (no table can be captured, a newer capture), invalid.
  [[nodiscard]] Result<CapturePlan> plan(const CaptureRequest& request,
                                         const std::stop_token& stop = {});
  // Runs the plan's transactions, each wholly or not at all, and looks again. Errors also:
  // rejected where the right to write is missing; internal where the source is not as planned.
  [[nodiscard]] Result<CaptureStatus> apply(const CapturePlan& plan, const CaptureRequest& request,
                                            const std::stop_token& stop = {});

  struct Impl;
  explicit CaptureAdmin(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark
