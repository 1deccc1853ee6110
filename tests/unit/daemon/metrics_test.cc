#include "daemon/metrics.h"

#include <gtest/gtest.h>

#include "daemon/tuning.h"
#include "tests/support/exposition.h"

namespace tidemark::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::Exposition;

const std::chrono::system_clock::time_point kNow{seconds(1'700'000'000)};

CacheStatus cache_with(const ReadCounts& reads) {
  CacheStatus cache;
  cache.readable = true;
  cache.reads = reads;
  cache.file_bytes = 8192;
  cache.live_bytes = 1000;
  cache.counts["episodes"] = 3;
  cache.freshness.state = FreshnessState::fresh;
  cache.freshness.checked_at = kNow - seconds(90);
  cache.freshness.incomplete = 2;
  return cache;
}

SyncReport report_of(const std::string& mode, const std::string& reason) {
  SyncReport report;
  report.mode = mode;
  report.reason = reason;
  report.collections["episodes"] = {5, 2, 1, 7, 0};
  report.requests = 4;
  report.retries = 1;
  report.bytes_received = 2048;
  report.rows_read = 30;
  report.missed_by_capture = 6;
  report.position = 17;
  report.position_lag = 4;
  return report;
}

const Build kBuild{"1.2.3", "abc", "4.6.0"};
constexpr milliseconds kMaxStaleness{120'000};

Metrics metrics_of(const CacheStatus& cache) { return {kBuild, kMaxStaleness, cache}; }

void end(Metrics& metrics, const Result<Done>& result, const ReadCounts& reads = {}) {
  metrics.pass_ended(Work::sync, result, milliseconds(30), cache_with(reads), kNow);
}

TEST(Metrics, a_pass_is_counted_by_what_its_report_says) {
  Metrics metrics = metrics_of({});
  end(metrics, Done(report_of("reconcile", "the change log was pruned")));
  end(metrics, Done(report_of("delta", "changes were logged")));
  const Exposition said(metrics.text({kNow, {}, 0}));
  EXPECT_EQ(said.at("tidemark_build_info{commit=\"abc\",redb=\"4.6.0\",version=\"1.2.3\"}"), 1);
  const std::string delta = "{mode=\"delta\",outcome=\"done\"}";
  EXPECT_EQ(said.at("tidemark_pass_duration_seconds_count" + delta), 1);
  EXPECT_DOUBLE_EQ(said.at("tidemark_pass_duration_seconds_sum" + delta), 0.03);
  EXPECT_EQ(said.at("tidemark_pass_duration_seconds_bucket{mode=\"delta\",outcome=\"done\",le="
                    "\"0.025\"}"),
            0);
  const auto items = [&](const std::string& action) {
    return said.at("tidemark_items_synced_total{action=\"" + action +
                   "\",collection=\"episodes\"}");
  };
  EXPECT_EQ(items("upserted"), 10);
  EXPECT_EQ(items("deleted"), 4);
  EXPECT_EQ(items("evicted"), 2);
  EXPECT_EQ(said.at("tidemark_reconciles_total{mode=\"reconcile\",reason=\"the change log was "
                    "pruned\"}"),
            1);
  EXPECT_EQ(said.at("tidemark_source_rows_read_total"), 60);
  EXPECT_EQ(said.at("tidemark_source_received_bytes_total"), 4096);
  EXPECT_EQ(said.at("tidemark_source_requests_total"), 8);
  EXPECT_EQ(said.at("tidemark_source_retries_total"), 2);
  EXPECT_EQ(said.at("tidemark_missed_by_capture_total"), 12);
  EXPECT_EQ(said.at("tidemark_change_log_position"), 17);
  EXPECT_EQ(said.at("tidemark_change_log_lag"), 4);
}

TEST(Metrics, a_failure_is_counted_by_its_code_and_every_code_begins_at_zero) {
  Metrics metrics = metrics_of({});
  end(metrics, fail(ErrorCode::unavailable, "secret words of a source"));
  const std::string text = metrics.text({kNow, {}, 1});
  EXPECT_EQ(text.find("secret"), std::string::npos);
  const Exposition said(text);
  EXPECT_EQ(said.at("tidemark_errors_total{code=\"unavailable\"}"), 1);
  EXPECT_EQ(said.at("tidemark_errors_total{code=\"internal\"}"), 0);
  EXPECT_EQ(said.at("tidemark_pass_duration_seconds_count{mode=\"sync\",outcome=\"error\"}"), 1);
  EXPECT_EQ(said.at("tidemark_pass_failures"), 1);
  EXPECT_FALSE(said.has("tidemark_change_log_position"));
}

TEST(Metrics, a_pass_whose_result_is_wrong_is_told_apart) {
  Metrics metrics = metrics_of({});
  SyncReport wrong = report_of("scan", "");
  wrong.validation.indexes = false;
  end(metrics, Done(wrong));
  AuditReport audit;
  audit.requests = 3;
  metrics.pass_ended(Work::validate, Done(audit), milliseconds(1), {}, kNow);
  const Exposition said(metrics.text({kNow, {}, 0}));
  EXPECT_EQ(said.at("tidemark_pass_duration_seconds_count{mode=\"scan\",outcome=\"differs\"}"), 1);
  EXPECT_EQ(said.at("tidemark_pass_duration_seconds_count{mode=\"validate\",outcome=\"done\"}"), 1);
  EXPECT_EQ(said.at("tidemark_validation_failures_total"), 1);
  EXPECT_EQ(said.at("tidemark_source_requests_total"), 7);
}

TEST(Metrics, the_hit_ratio_is_of_the_reads_since_the_start_and_since_the_last_pass) {
  Metrics metrics = metrics_of(cache_with({100, 100, 100}));
  end(metrics, Done(report_of("delta", "")), {106, 101, 103});
  const Exposition said(metrics.text({kNow, ReadCounts{106, 104, 104}, 0}));
  EXPECT_EQ(said.at("tidemark_cache_reads_total{presence=\"hit\"}"), 106);
  EXPECT_EQ(said.at("tidemark_cache_reads_total{presence=\"absent\"}"), 104);
  EXPECT_EQ(said.at("tidemark_cache_reads_total{presence=\"unknown\"}"), 104);
  EXPECT_NEAR(said.at("tidemark_cache_hit_ratio{since=\"start\"}"), 10.0 / 14, 1e-6);
  EXPECT_NEAR(said.at("tidemark_cache_hit_ratio{since=\"last_pass\"}"), 3.0 / 4, 1e-6);
}

TEST(Metrics, without_reads_there_is_no_ratio_and_a_new_counters_file_counts_from_zero) {
  Metrics metrics = metrics_of(cache_with({100, 0, 0}));
  EXPECT_FALSE(Exposition(metrics.text({kNow, ReadCounts{100, 0, 0}, 0}))
                   .has("tidemark_cache_hit_ratio{since=\"start\"}"));
  EXPECT_EQ(Exposition(metrics.text({kNow, ReadCounts{1, 0, 1}, 0}))
                .at("tidemark_cache_hit_ratio{since=\"start\"}"),
            0.5);
}

TEST(Metrics, the_cache_is_as_the_last_pass_left_it_and_ages_by_the_clock) {
  Metrics metrics = metrics_of({});
  EXPECT_FALSE(Exposition(metrics.text({kNow, {}, 0})).has("tidemark_cache_age_seconds"));
  end(metrics, Done(report_of("delta", "")));
  metrics.nudged();
  const Exposition said(metrics.text({kNow + seconds(10), {}, 0}));
  EXPECT_EQ(said.at("tidemark_cache_age_seconds"), 100);
  EXPECT_EQ(said.at("tidemark_cache_checked_timestamp_seconds"), 1'699'999'910);
  EXPECT_EQ(said.at("tidemark_cache_readable"), 1);
  EXPECT_EQ(said.at("tidemark_source_up"), 1);
  EXPECT_EQ(said.at("tidemark_cache_file_bytes"), 8192);
  EXPECT_EQ(said.at("tidemark_cache_live_bytes"), 1000);
  EXPECT_EQ(said.at("tidemark_cache_rows{collection=\"episodes\"}"), 3);
  EXPECT_EQ(said.at("tidemark_skipped_items"), 2);
  EXPECT_EQ(said.at("tidemark_stale_nudges_total"), 1);
  // A clock that went back says nothing of the age.
  EXPECT_FALSE(
      Exposition(metrics.text({kNow - seconds(100), {}, 0})).has("tidemark_cache_age_seconds"));
}

// However often it is looked at, and however many passes fail meanwhile.
TEST(Metrics, each_time_that_the_cache_turns_stale_counts_once) {
  Metrics metrics = metrics_of({});
  const auto stale = [&](seconds later) {
    return Exposition(metrics.text({kNow + later, {}, 0})).at("tidemark_cache_stale_total");
  };
  const auto ended = [&](seconds later, seconds age) {
    CacheStatus cache = cache_with({});
    cache.freshness.checked_at = kNow + later - age;
    metrics.pass_ended(Work::sync, Done(report_of("delta", "")), {}, cache, kNow + later);
  };
  EXPECT_EQ(stale(seconds(0)), 0);  // never synced is something else
  ended(seconds(0), seconds(1));
  EXPECT_EQ(stale(seconds(100)), 0);
  EXPECT_EQ(stale(seconds(120)), 1);
  EXPECT_EQ(stale(seconds(130)), 1);
  ended(seconds(140), seconds(141));  // it failed
  ended(seconds(150), seconds(151));
  EXPECT_EQ(stale(seconds(160)), 1);
  ended(seconds(170), seconds(1));
  EXPECT_EQ(stale(seconds(171)), 1);
  ended(seconds(400), seconds(1));  // stale meanwhile, and nobody looked
  EXPECT_EQ(stale(seconds(401)), 2);
  metrics.reload(milliseconds(500), kNow + seconds(401));
  EXPECT_EQ(stale(seconds(402)), 3);
  metrics.reload(milliseconds(500'000), kNow + seconds(402));
  EXPECT_EQ(stale(seconds(403)), 3);
  EXPECT_EQ(Exposition(metrics.text({kNow, {}, 0})).at("tidemark_cache_max_staleness_seconds"),
            500);
}

TEST(Metrics, the_scrub_tells_how_far_it_is_what_it_found_and_how_its_walks_ended) {
  Metrics metrics = metrics_of({});
  const auto said = [&] { return Exposition(metrics.text({kNow, {}, 0})); };
  EXPECT_EQ(said().at("tidemark_scrub_walks_total{outcome=\"damaged\"}"), 0);
  EXPECT_FALSE(said().has("tidemark_scrub_completed_timestamp_seconds"));
  Slice slice;
  slice.rows = 10;
  slice.bytes = 300;
  slice.progress = 0.5;
  metrics.scrubbed(slice, kNow);
  EXPECT_EQ(said().at("tidemark_scrub_progress_ratio"), 0.5);
  slice.progress = 1;
  slice.ended = WalkEnd::intact;
  metrics.scrubbed(slice, kNow);
  slice.ended = WalkEnd::damaged;
  slice.problems = {"secret words", "more"};
  metrics.scrubbed(slice, kNow + seconds(60));
  EXPECT_EQ(said().at("tidemark_scrub_rows_total"), 30);
  EXPECT_EQ(said().at("tidemark_scrub_bytes_total"), 900);
  EXPECT_EQ(said().at("tidemark_scrub_findings_total"), 2);
  EXPECT_EQ(said().at("tidemark_scrub_walks_total{outcome=\"intact\"}"), 1);
  EXPECT_EQ(said().at("tidemark_scrub_walks_total{outcome=\"damaged\"}"), 1);
  EXPECT_EQ(said().at("tidemark_scrub_completed_timestamp_seconds"), 1'700'000'000);
  EXPECT_EQ(metrics.text({kNow, {}, 0}).find("secret"), std::string::npos);
}

TEST(Metrics, a_source_cannot_make_them_grow_nor_break_a_line) {
  Metrics metrics = metrics_of({});
  SyncReport report = report_of("reconcile", "the cache was damaged: \"row\"\nof a source");
  report.collections.clear();
  for (std::size_t n = 0; n < 3 * kLabelValuesMax; ++n) {
    report.collections["a\"\n\\" + std::to_string(n)].upserted = 1;
  }
  report.collections["\xff"].upserted = 1;
  end(metrics, Done(report));
  const Exposition said(metrics.text({kNow, {}, 0}));
  std::size_t items = 0;
  for (const auto& [series, value] : said.samples())
    items += series.find("upserted") < series.size();
  EXPECT_EQ(items, kLabelValuesMax + 1);
  EXPECT_EQ(said.at("tidemark_items_synced_total{action=\"upserted\",collection=\"other\"}"),
            2 * kLabelValuesMax + 1);
  EXPECT_TRUE(
      said.has("tidemark_reconciles_total{mode=\"reconcile\",reason=\"the cache was "
               "damaged\"}"));
}

}  // namespace
}  // namespace tidemark::daemon
