#include "sync/probe.h"

#include <algorithm>

#include "source/look.h"
#include "source/source.h"
#include "sync/capture_admin.h"
#include "sync/discover.h"
#include "sync/tuning.h"

namespace tidemark::sync {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using WallTime = std::chrono::system_clock::time_point;

milliseconds left(Clock::time_point deadline) {
  const auto rest = duration_cast<milliseconds>(deadline - Clock::now());
  return std::max(rest, milliseconds(1));
}

// One question and how long its answer took.
struct Answer {
  turso::BatchReply reply;
  microseconds took{0};
  WallTime middle;  // this machine's clock, halfway
};

class Prober {
 public:
  Prober(turso::Connection& connection, const ProbeOptions& options, const std::stop_token& stop,
         SourceProbe& out)
      : connection_(connection), options_(options), stop_(stop), out_(out) {}

  void run() {
    if (auto answered = greet(); !answered) {
      Error error = std::move(answered).error();
      // The time was the probe's own.
      if (turso::is_timeout(error)) error.hint = "check the network and that the server runs";
      out_.error = std::move(error);
      return;
    }
    note(round_trips());
    SyncConfig config = options_.config;
    config.request_deadline = request_time();
    config.max_rows_read_per_pass = 0;  // of a pass
    Fetcher fetcher(connection_, config, options_.deadline, stop_);
    const auto found = discover(fetcher, std::nullopt);
    if (!found && Clock::now() >= options_.deadline) {
      return note(fail(ErrorCode::unavailable, "its tables were not learned before the deadline",
                       "allow a longer --deadline"));
    }
    if (!found) {
      out_.error = found.error();
      return;
    }
    note(fetch_page(found->catalog));
    note(look_at_capture());
    note(count_rows(found->catalog));
  }

 private:
  [[nodiscard]] milliseconds request_time() const {
    return std::min(options_.config.request_deadline, left(options_.deadline));
  }
  void note(Result<void> learned) {
    if (!learned) out_.not_learned.push_back(std::move(learned).error());
  }

  Result<Answer> ask(std::vector<turso::Statement> statements, milliseconds patience) {
    const std::size_t count = statements.size();
    const WallTime wall = std::chrono::system_clock::now();
    const auto start = Clock::now();
    auto reply = turso::run(connection_, {std::move(statements)}, start + patience, stop_);
    if (!reply) return std::unexpected(std::move(reply).error());
    if (reply->results.size() != count) return turso::unexpected_reply("what was asked");
    const auto took = duration_cast<microseconds>(Clock::now() - start);
    return Answer{std::move(*reply), took, wall + took / 2};
  }

  Result<void> greet() {
    TIDEMARK_ASSIGN(
        answer, ask({source::clock_statement()}, std::min(request_time(), kProbeFirstAnswerMax)));
    out_.first_answer = answer.took;
    return {};
  }

  // The fastest answer says most exactly what time it is there.
  Result<void> round_trips() {
    std::vector<microseconds> took;
    std::optional<microseconds> fastest;
    for (int n = 0; n < kProbeRoundTrips; ++n) {
      TIDEMARK_ASSIGN(answer, ask({source::clock_statement()}, request_time()));
      took.push_back(answer.took);
      const auto there = source::read_clock(answer.reply.results[0]);
      if (!there || (fastest && *fastest <= answer.took)) continue;
      fastest = answer.took;
      out_.clock_ahead = duration_cast<milliseconds>(*there - answer.middle);
    }
    std::ranges::sort(took);
    out_.round_trip = took[took.size() / 2];
    return {};
  }

  Result<void> fetch_page(const model::Catalog& catalog) {
    const model::Collection* const episodes = catalog.find(model::Kind::episodes);
    if (episodes == nullptr) return {};
    source::ListRequest newest;
    newest.limit = std::min<std::size_t>(options_.config.batch_size, kPageRowsMax);
    TIDEMARK_ASSIGN(places, ask(source::list_statements(*episodes, newest), request_time()));
    TIDEMARK_ASSIGN(list, joined(std::move(places.reply.results)));
    TIDEMARK_ASSIGN(listed, source::read_list(*episodes, newest, list));
    std::vector<Value> keys;
    keys.reserve(listed.places.size());
    for (model::Place& place : listed.places) keys.push_back(std::move(place.key));
    if (keys.empty()) return {};
    auto page = ask(source::rows_statements(*episodes, keys), request_time());
    if (!page) return wrap("fetch a page of episodes", std::move(page).error());
    ProbedPage& probed = out_.page.emplace();
    probed.took = page->took;
    for (const model::RowSet& rows : page->reply.results) {
      probed.rows += rows.size();
      probed.bytes += rows.bytes();
    }
    return {};
  }

  Result<void> look_at_capture() {
    auto survey = survey_capture(connection_, request_time(), stop_);
    if (!survey) return wrap("look at change capture", std::move(survey).error());
    out_.capture = status_of(*survey);
    return {};
  }

  Result<void> count_rows(const model::Catalog& catalog) {
    for (const model::Collection& collection : catalog.collections) {
      auto counted = ask({source::count_statement(collection)}, request_time());
      if (!counted) return wrap("count the rows of " + collection.name, counted.error());
      const auto count = source::read_count(counted->reply.results[0]);
      if (count) out_.rows[collection.name] = *count;
    }
    return {};
  }

  turso::Connection& connection_;
  const ProbeOptions& options_;
  const std::stop_token& stop_;
  SourceProbe& out_;
};

Result<std::unique_ptr<turso::Connection>> connect(const turso::SourceUrl& url,
                                                   const ProbeOptions& options) {
  turso::ConnectOptions connect_options;
  connect_options.token = options.token;
  connect_options.request_timeout =
      std::min(options.config.request_deadline, left(options.deadline));
  connect_options.connect_timeout = std::min(connect_options.request_timeout, kProbeFirstAnswerMax);
  return turso::connect(url, std::move(connect_options));
}

}  // namespace

SourceProbe probe_source(const std::string& source, const ProbeOptions& options,
                         const std::stop_token& stop) {
  SourceProbe probe;
  const auto url = turso::parse_source_url(source);
  if (!url) {
    probe.error = url.error();
    return probe;
  }
  probe.name = url->display;
  const auto connection = connect(*url, options);
  if (!connection) {
    probe.error = connection.error();
    return probe;
  }
  const std::stop_callback wake(stop, [&connection] { (*connection)->wake(); });
  Prober(**connection, options, stop, probe).run();
  return probe;
}

}  // namespace tidemark::sync
