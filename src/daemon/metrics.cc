#include "daemon/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "daemon/describe.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Counters = prometheus::Family<prometheus::Counter>;
using Histograms = prometheus::Family<prometheus::Histogram>;
using Seconds = std::chrono::duration<double>;

// From a delta over a local network to a fill of a large scope.
const prometheus::Histogram::BucketBoundaries& pass_seconds() {
  static const prometheus::Histogram::BucketBoundaries bounds{
      .001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300};
  return bounds;
}

Counters& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

// The values of a label that a source can influence: the first ones as they are.
class LabelValues {
 public:
  std::string shown(const std::string& value) {
    if (!base::is_utf8(value)) return "other";
    if (known_.size() < kLabelValuesMax) known_.insert(value);
    return known_.contains(value) ? value : "other";
  }

 private:
  std::set<std::string> known_;
};

// A reason's part that is ours; what follows may be an error's words.
std::string class_of(const std::string& reason) {
  return reason.substr(0, reason.find_first_of(":;"));
}

const SyncReport* report_in(const Result<Done>& result) {
  if (!result) return nullptr;
  if (const auto* const repair = std::get_if<RepairReport>(&*result)) return &repair->sync;
  return std::get_if<SyncReport>(&*result);
}

using Labels = std::vector<prometheus::ClientMetric::Label>;

// Families of what is looked at when somebody asks.
class Looked {
 public:
  explicit Looked(std::vector<MetricFamily>& out) : out_(out) {}
  void family(const char* name, const char* help, MetricType type = MetricType::Gauge) {
    out_.push_back({name, help, type, {}});
  }
  void sample(double value, Labels labels = {}) {
    auto& metric = out_.back().metric.emplace_back();
    metric.label = std::move(labels);
    (out_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void gauge(const char* name, const char* help, double value) {
    family(name, help);
    sample(value);
  }

 private:
  std::vector<MetricFamily>& out_;
};

double number(std::uint64_t count) { return static_cast<double>(count); }

double unix_seconds(std::chrono::system_clock::time_point time) {
  return Seconds(time.time_since_epoch()).count();
}

void add_ratio(Looked& looked, const char* window, const ReadCounts& reads) {
  if (reads.all() == 0) return;
  looked.sample(number(reads.answered()) / number(reads.all()), {{"since", window}});
}

void add_freshness(Looked& looked, const CacheStatus& cache,
                   std::chrono::system_clock::time_point now) {
  const Freshness& f = cache.freshness;
  if (const auto age = age_of(cache, now)) {
    looked.gauge("tidemark_cache_age_seconds", "Since the source was last seen to say this.",
                 Seconds(*age).count());
  }
  if (f.checked_at) {
    looked.gauge("tidemark_cache_checked_timestamp_seconds",
                 "When the source was last seen to say this.", unix_seconds(*f.checked_at));
  }
  if (cache.audited_at) {
    looked.gauge("tidemark_cache_audited_timestamp_seconds",
                 "When everything was last compared with the source.",
                 unix_seconds(*cache.audited_at));
  }
  const bool up = !f.source_unavailable_since && !f.source_refused_since;
  looked.gauge("tidemark_source_up", "Whether the source served the last pass.", up ? 1 : 0);
  looked.gauge("tidemark_cache_in_doubt", "Whether the cache is to be read again whole.",
               f.doubt.empty() ? 0 : 1);
  looked.gauge("tidemark_cache_catching_up", "Whether more changes are known to wait.",
               f.catching_up ? 1 : 0);
  looked.gauge("tidemark_skipped_items", "Rows that could not be cached.", number(f.incomplete));
}

void add_size(Looked& looked, const CacheStatus& cache) {
  looked.gauge("tidemark_cache_readable", "Whether the cache can be opened.",
               cache.readable && cache.freshness.state != FreshnessState::needs_repair ? 1 : 0);
  looked.gauge("tidemark_cache_file_bytes", "Size of the cache's file.", number(cache.file_bytes));
  if (cache.live_bytes) {
    looked.gauge("tidemark_cache_live_bytes", "Keys and values of rows and indexes.",
                 number(*cache.live_bytes));
  }
  LabelValues collections;
  std::map<std::string, std::uint64_t> rows;
  for (const auto& [name, count] : cache.counts) rows[collections.shown(name)] += count;
  looked.family("tidemark_cache_rows", "Rows in the cache.");
  for (const auto& [name, count] : rows) looked.sample(number(count), {{"collection", name}});
}

}  // namespace

struct Metrics::Counted {
  prometheus::Registry registry;
  Histograms& passes = prometheus::BuildHistogram()
                           .Name("tidemark_pass_duration_seconds")
                           .Help("How long passes took.")
                           .Register(registry);
  Counters& errors = counters(registry, "tidemark_errors_total", "Passes that failed.");
  Counters& items = counters(registry, "tidemark_items_synced_total", "Rows changed by passes.");
  Counters& reconciles =
      counters(registry, "tidemark_reconciles_total", "Passes that compared everything, and why.");
  prometheus::Counter& rows_read =
      one("tidemark_source_rows_read_total", "Rows read by the source, where it says.");
  prometheus::Counter& bytes =
      one("tidemark_source_received_bytes_total", "Bytes received from the source.");
  prometheus::Counter& requests = one("tidemark_source_requests_total", "Requests to the source.");
  prometheus::Counter& retries = one("tidemark_source_retries_total", "Requests sent again.");
  prometheus::Counter& missed =
      one("tidemark_missed_by_capture_total", "Changes that the source's log did not name.");
  prometheus::Counter& differing =
      one("tidemark_validation_failures_total", "Passes whose validation, or comparison, failed.");
  prometheus::Counter& nudges =
      one("tidemark_stale_nudges_total", "Times that a reader found the cache stale and said so.");
  Counters& walks = counters(registry, "tidemark_scrub_walks_total", "Walks that ended, and how.");
  prometheus::Counter& scrubbed_rows =
      one("tidemark_scrub_rows_total", "Rows whose hash the scrub looked at.");
  prometheus::Counter& scrubbed_bytes =
      one("tidemark_scrub_bytes_total", "Keys and values that the scrub read.");
  prometheus::Counter& findings =
      one("tidemark_scrub_findings_total", "Problems that the scrub found.");
  LabelValues collections;
  LabelValues reasons;

  prometheus::Counter& one(const char* name, const char* help) {
    return counters(registry, name, help).Add({});
  }
  void count(const SyncReport& report);
};

void Metrics::Counted::count(const SyncReport& report) {
  for (const auto& [name, counts] : report.collections) {
    const auto add = [&, shown = collections.shown(name)](const char* action, std::uint64_t n) {
      items.Add({{"collection", shown}, {"action", action}}).Increment(number(n));
    };
    add("upserted", counts.upserted);
    add("deleted", counts.deleted);
    add("evicted", counts.evicted);
  }
  if (report.mode != "delta") {
    reconciles.Add({{"mode", report.mode}, {"reason", reasons.shown(class_of(report.reason))}})
        .Increment();
  }
  rows_read.Increment(number(report.rows_read.value_or(0)));
  bytes.Increment(number(report.bytes_received));
  requests.Increment(number(report.requests));
  retries.Increment(number(report.retries));
  missed.Increment(number(report.missed_by_capture));
}

Metrics::Metrics(const Build& build, std::chrono::milliseconds max_staleness, CacheStatus cache)
    : counted_(std::make_unique<Counted>()),
      max_staleness_(max_staleness),
      cache_(std::move(cache)),
      reads_at_start_(cache_.reads.value_or(ReadCounts{})),
      reads_after_pass_(reads_at_start_) {
  prometheus::BuildGauge()
      .Name("tidemark_build_info")
      .Help("The program that runs.")
      .Register(counted_->registry)
      .Add({{"version", build.version}, {"commit", build.commit}, {"redb", build.redb}})
      .Set(1);
  // From zero on, so that the first error is a rise.
  for (int n = 0; n <= static_cast<int>(ErrorCode::internal); ++n) {
    counted_->errors.Add({{"code", std::string(to_string(static_cast<ErrorCode>(n)))}});
  }
  for (const WalkEnd end : {WalkEnd::intact, WalkEnd::unjudged, WalkEnd::damaged}) {
    counted_->walks.Add({{"outcome", std::string(to_string(end))}});
  }
}

Metrics::~Metrics() = default;

void Metrics::pass_ended(Work work, const Result<Done>& result, std::chrono::milliseconds took,
                         CacheStatus after, WallTime now) {
  const SyncReport* const report = report_in(result);
  const std::string mode = report != nullptr ? report->mode : std::string(to_string(work));
  const std::string outcome(outcome_word(result));
  counted_->passes.Add({{"mode", mode}, {"outcome", outcome}}, pass_seconds())
      .Observe(Seconds(took).count());
  if (outcome == "differs") counted_->differing.Increment();
  if (!result) {
    counted_->errors.Add({{"code", std::string(to_string(result.error().code))}}).Increment();
  } else if (report != nullptr) {
    counted_->count(*report);
    position_ = report->position;
    position_lag_ = report->position_lag;
  } else if (const auto* const audit = std::get_if<AuditReport>(&*result)) {
    counted_->requests.Increment(number(audit->requests));
    counted_->rows_read.Increment(number(audit->rows_read.value_or(0)));
  }
  count_staleness(now);
  cache_ = std::move(after);
  const auto age = age_of(cache_, now);
  if (age && *age <= max_staleness_) counted_stale_ = false;
  reads_after_pass_ = cache_.reads.value_or(reads_after_pass_);
}

// Nothing but a pass makes it fresh, so that it turns stale once between two.
bool Metrics::turned_stale(WallTime now) const {
  const auto age = age_of(cache_, now);
  return age && *age > max_staleness_ && !counted_stale_;
}

void Metrics::count_staleness(WallTime now) {
  if (!turned_stale(now)) return;
  ++stale_;
  counted_stale_ = true;
}

void Metrics::reload(std::chrono::milliseconds max_staleness, WallTime now) {
  count_staleness(now);
  max_staleness_ = max_staleness;
}

void Metrics::nudged() { counted_->nudges.Increment(); }

void Metrics::scrubbed(const Slice& slice, WallTime now) {
  counted_->scrubbed_rows.Increment(number(slice.rows));
  counted_->scrubbed_bytes.Increment(number(slice.bytes));
  counted_->findings.Increment(number(slice.problems.size()));
  if (!slice.failed) scrub_progress_ = slice.progress;
  if (!slice.ended) return;
  counted_->walks.Add({{"outcome", std::string(to_string(*slice.ended))}}).Increment();
  if (*slice.ended != WalkEnd::damaged) scrubbed_at_ = now;
}

ScrubState Metrics::scrub() const {
  constexpr double kPercent = 100;
  return {static_cast<unsigned>(scrub_progress_ * kPercent), scrubbed_at_};
}

std::string Metrics::text(const Now& now) const {
  std::vector<MetricFamily> families = counted_->registry.Collect();
  Looked looked(families);
  add_freshness(looked, cache_, now.time);
  looked.gauge("tidemark_cache_max_staleness_seconds", "An older cache is stale.",
               Seconds(max_staleness_).count());
  looked.family("tidemark_cache_stale_total",
                "Times that the cache became older than max_staleness.", MetricType::Counter);
  looked.sample(number(stale_ + (turned_stale(now.time) ? 1 : 0)));
  add_size(looked, cache_);
  looked.gauge("tidemark_pass_failures", "Passes that failed in a row, until now.",
               number(now.failures));
  if (position_) {
    looked.gauge("tidemark_change_log_position", "The newest change that is cached; 0: no log.",
                 number(*position_));
    looked.gauge("tidemark_change_log_lag", "The newest change that was seen, less the position.",
                 number(position_lag_));
  }
  looked.gauge("tidemark_scrub_progress_ratio", "How much of a walk is done.", scrub_progress_);
  if (scrubbed_at_) {
    looked.gauge("tidemark_scrub_completed_timestamp_seconds",
                 "When every row had last been looked at.", unix_seconds(*scrubbed_at_));
  }
  if (now.reads) {
    looked.family("tidemark_cache_reads_total", "Reads by every process.", MetricType::Counter);
    looked.sample(number(now.reads->hits), {{"presence", "hit"}});
    looked.sample(number(now.reads->absent), {{"presence", "absent"}});
    looked.sample(number(now.reads->unknown), {{"presence", "unknown"}});
    looked.family("tidemark_cache_hit_ratio", "Reads answered without the source, of all.");
    add_ratio(looked, "start", now.reads->since(reads_at_start_));
    add_ratio(looked, "last_pass", now.reads->since(reads_after_pass_));
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::optional<std::chrono::milliseconds> age_of(const CacheStatus& cache,
                                                std::chrono::system_clock::time_point now) {
  const auto& checked = cache.freshness.checked_at;
  if (!checked || *checked > now) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - *checked);
}

}  // namespace tidemark::daemon
