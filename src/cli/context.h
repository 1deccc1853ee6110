// What every subcommand gets, and what each is.
#pragma once

#include <string>
#include <vector>

#include "cli/settings.h"
#include "tidemark/capture.h"

namespace tidemark::cli {

// The stable exit codes of the program (docs/errors.md).
enum Exit : int {
  kDone = 0,
  kError = 1,
  kUsage = 2,
  kSourceUnavailable = 3,
  kCorrupt = 4,
  kBusy = 5,
  kTooOld = 6,
  kDoneWithSkips = 7,
  kAbsent = 8,
  kUnknown = 9,
  kInterrupted = 130,
};

struct Context {
  Settings settings;   // merged: flag > environment > file; what is not named has its default
  bool json = false;   // the envelope on stdout
  bool quiet = false;  // no progress, no report
  int verbose = 0;
};

struct SyncArguments {
  bool full = false;
  bool dry_run = false;
  bool set_scope = false;
};
[[nodiscard]] int run_sync(const Context& context, const SyncArguments& arguments);

struct GetArguments {
  std::string collection;
  std::vector<std::string> keys;
  std::optional<std::chrono::milliseconds> max_age;
  bool read_through = false;                          // ask the source what the cache cannot answer
  std::optional<std::chrono::milliseconds> deadline;  // for one question to it
};
[[nodiscard]] int run_get(const Context& context, const GetArguments& arguments);

struct ListArguments {
  std::string collection;
  std::optional<std::size_t> latest;
  std::string where;  // INDEX=VALUE
  std::optional<std::string> of_key;
  std::optional<std::chrono::milliseconds> max_age;
};
[[nodiscard]] int run_list(const Context& context, const ListArguments& arguments);

struct NearestArguments {
  std::optional<std::string> like;  // a key; or:
  std::string vector_file;
  std::size_t k = 10;
  std::string collection = "embeddings";
  std::string similarity = "cosine";
  std::optional<std::string> model;
  std::string of;
  std::optional<std::chrono::milliseconds> max_age;
};
[[nodiscard]] int run_nearest(const Context& context, const NearestArguments& arguments);

struct CaptureArguments {
  std::optional<CaptureAction> action;  // none: status
  bool print_sql = false;
  bool dry_run = false;
  std::optional<std::int64_t> keep;
  bool renew = false;
};
// `command`: "capture install", ...
[[nodiscard]] int run_capture(const Context& context, const std::string& command,
                              const CaptureArguments& arguments);

struct StatusArguments {
  std::optional<std::chrono::milliseconds> max_age;
  bool watch = false;  // until stopped; without max_age
};
[[nodiscard]] int run_status(const Context& context, const StatusArguments& arguments);
[[nodiscard]] int run_watch(const Context& context);

struct DoctorArguments {
  std::optional<std::chrono::milliseconds> deadline;  // for all of it
  std::optional<Error> wrong;                         // with the configuration: a finding
};
[[nodiscard]] int run_doctor(const Context& context, const DoctorArguments& arguments);

struct ValidateArguments {
  bool deep = false;
  bool against_source = false;
};
// With both: the cache against itself first, and against its source when it is intact.
[[nodiscard]] int run_validate(const Context& context, const ValidateArguments& arguments);
[[nodiscard]] int run_audit(const Context& context);
[[nodiscard]] int run_repair(const Context& context);
[[nodiscard]] int run_rebuild(const Context& context, bool adopt);
// `config_path`: --config, which is read again at SIGHUP.
[[nodiscard]] int run_daemon(const Context& context, const std::string& config_path);
// Speaks the Model Context Protocol on stdin and stdout, until stdin ends or a signal.
[[nodiscard]] int run_mcp(const Context& context, bool read_only);
[[nodiscard]] int run_init(const Context& context, const std::string& config_path, bool force);
[[nodiscard]] int run_config_check(const Context& context);
[[nodiscard]] int run_config_print(const Context& context);
[[nodiscard]] int run_completion(const std::string& shell);

}  // namespace tidemark::cli
