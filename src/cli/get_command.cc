#include <algorithm>
#include <cstdio>

#include "cli/output.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "daemon/json_forms.h"
#include "tidemark/read_through.h"

namespace tidemark::cli {
namespace {

// What was found under each key, as the "result" of --json has it or as lines.
class Printer {
 public:
  Printer(const Context& context, const GetArguments& arguments)
      : context_(context), arguments_(arguments) {}

  void print(const std::string& key, const Answer& answer) {
    // The worst of all keys: hit < absent < unknown.
    if (answer.presence == Presence::absent) exit_ = std::max<int>(exit_, kAbsent);
    if (answer.presence == Presence::unknown) exit_ = kUnknown;
    if (context_.json) return add_items(key, answer);
    // Several, in lines as of list: which of them is which?
    for (const Row& row : answer.rows) {
      write_out(answer.rows.size() > 1 ? row_line(row) : row.to_json() + "\n");
    }
    if (!context_.quiet) tell(key, answer);
  }
  [[nodiscard]] int exit() const { return exit_; }
  [[nodiscard]] std::string result() const { return "[" + results_ + "]"; }

 private:
  void add_items(const std::string& key, const Answer& answer) {
    if (answer.rows.empty()) add_item(arguments_.collection, key, answer, "null");
    // A row names its own table: `embeddings` may be several.
    for (const Row& row : answer.rows) add_item(row.collection(), key, answer, row.to_json());
  }

  void add_item(std::string_view collection, const std::string& key, const Answer& answer,
                const std::string& row) {
    std::string more;
    if (arguments_.read_through) {
      more = ",\"origin\":" + daemon::json_string(to_string(answer.origin)) +
             ",\"as_of_ms\":" + daemon::time_json(answer.as_of);
    }
    results_ += (results_.empty() ? "" : ",") +
                daemon::item_json(collection, key, answer.presence, row, more);
  }

  void tell(const std::string& key, const Answer& answer) const {
    std::string said = "absent: the source has no such row";
    if (answer.presence == Presence::unknown) {
      said = arguments_.read_through ? "unknown: not cached, and the source did not say"
                                     : "unknown: not cached, ask the source";
    }
    if (answer.presence == Presence::hit) {
      if (context_.verbose == 0 || !arguments_.read_through) return;
      said = "from the " + std::string(to_string(answer.origin));
      if (answer.as_of) {
        const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now() - *answer.as_of);
        said += ", as of " + format_duration(std::max(age, std::chrono::milliseconds(0))) + " ago";
      }
    }
    std::fprintf(stderr, "%s %s: %s\n", arguments_.collection.c_str(), key.c_str(), said.c_str());
  }

  const Context& context_;
  const GetArguments& arguments_;
  int exit_ = kDone;
  std::string results_;
};

Answer answer_of(std::vector<Lookup> found) {
  Answer answer;
  answer.presence = found.front().presence();
  for (Lookup& lookup : found) {
    if (lookup) answer.rows.push_back(std::move(lookup).row());
  }
  return answer;
}

Result<ReadThrough> open_read_through(const Context& context, const GetArguments& arguments) {
  const Settings& settings = context.settings;
  if (!settings.source) {
    return fail(ErrorCode::invalid, "no source to read through to",
                "give --source URL, set TURSO_DATABASE_URL, or run `tidemark init`");
  }
  ReadThroughOptions options;
  options.reader = reader_options(context);
  options.token = [&settings] { return read_token(settings); };
  options.deadline = arguments.deadline.value_or(options.deadline);
  if (arguments.max_age) {
    options.reader.max_staleness = *arguments.max_age;
    options.reader.when_stale = StalePolicy::fail;
  }
  return ReadThrough::open(*settings.source, cache_path(settings), options);
}

// The source failed: what the cache says by itself, where it is young enough.
Result<Answer> without_source(const ReadThrough& through, const GetArguments& arguments,
                              const std::string& key) {
  auto answer = through.cached(arguments.collection, key);
  if (answer && too_old(answer->freshness, arguments.max_age)) {
    answer->presence = Presence::unknown;
    answer->rows.clear();
  }
  return answer;
}

// The next key would meet the same.
bool is_of_the_source(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::rejected ||
         error.code == ErrorCode::cancelled;
}

int finish(const Context& context, const Printer& printer, const std::optional<Error>& failed,
           const Freshness& freshness) {
  const int exit = failed ? exit_code_of(failed->code) : printer.exit();
  if (failed) {
    Context people = context;
    people.json = false;
    [[maybe_unused]] const int told = report_error(people, "get", *failed, &freshness);
  }
  if (context.json) {
    print_envelope("get", exit, failed ? &*failed : nullptr, &freshness, printer.result());
  }
  return exit;
}

int run_get_through(const Context& context, const GetArguments& arguments) {
  const auto through = open_read_through(context, arguments);
  if (!through) return report_cache_error(context, "get", through.error());
  const StopOnSignal stop;
  Printer printer(context, arguments);
  std::optional<Error> failed;  // the first; the source may have to be asked no more
  Freshness freshness;
  for (const std::string& key : arguments.keys) {
    const bool ask = !failed || !is_of_the_source(*failed);
    auto answer = ask ? through->get(arguments.collection, key, stop.token())
                      : without_source(*through, arguments, key);
    if (!answer && ask) {
      if (!failed || is_of_the_source(answer.error())) failed = answer.error();
      answer = without_source(*through, arguments, key);
    }
    if (!answer) return report_cache_error(context, "get", answer.error());
    freshness = answer->freshness;
    printer.print(key, *answer);
  }
  return finish(context, printer, failed, freshness);
}

}  // namespace

int run_get(const Context& context, const GetArguments& arguments) {
  if (arguments.read_through) return run_get_through(context, arguments);
  const auto reader = Reader::open(cache_path(context.settings), reader_options(context));
  if (!reader) return report_cache_error(context, "get", reader.error());
  const auto snapshot = reader->snapshot();
  if (!snapshot) return report_cache_error(context, "get", snapshot.error());
  const Freshness freshness = snapshot->freshness();
  if (too_old(freshness, arguments.max_age)) {
    return report_error(context, "get", too_old_error(freshness), &freshness);
  }
  warn_if_stale(context, freshness);
  Printer printer(context, arguments);
  for (const std::string& key : arguments.keys) {
    auto found = snapshot->get_all(arguments.collection, key);
    if (!found) return report_error(context, "get", found.error(), &freshness);
    printer.print(key, answer_of(std::move(*found)));
  }
  return finish(context, printer, std::nullopt, freshness);
}

}  // namespace tidemark::cli
