// A daemon that lives long: thousands of passes under random writes and outages, with eight
// processes that read. What it holds at the end is what it held in its youth.
#include "tests/fault/batches.h"
#include "tests/fault/endurance/gauge.h"
#include "tests/fault/endurance/ordeal.h"
#include "tests/fault/storm/truth.h"

namespace tidemark::endurance {
namespace {

using storm::kWindow;

// What sanitizers keep of freed memory grows.
#ifdef TIDEMARK_SANITIZED
constexpr bool kMemoryTells = false;
constexpr std::uint64_t kPasses = 100;
#else
constexpr bool kMemoryTells = true;
constexpr std::uint64_t kPasses = 2'000;
#endif
constexpr std::size_t kLooks = 400;              // at what is held, in the whole life
constexpr std::chrono::milliseconds kPause{25};  // of a reader: the passes are to be many
constexpr double kGrowthMax = 1.05;              // of memory, from the second quarter to the last
// A shorter life ends while the page caches of its readers still fill (8 MiB each).
constexpr std::uint64_t kPassesUntilFull = 1'000;
constexpr double kFillingKib = 512;
// redb's file grows in steps: it is small beside its least size, 1.5 MiB, or beside what it holds.
constexpr std::uint64_t kFileBytesMax = std::uint64_t{4} << 20U;
constexpr std::uint64_t kFileToLiveMax = 8;

std::uint64_t passes_wanted() {
  const char* const given = std::getenv("TIDEMARK_ENDURANCE_PASSES");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : kPasses;
}

class Endurance : public testing::Test {
 protected:
  Endurance() { support::SqliteSource(folder.file("source.db")).run(storm::kSchema); }

  // `passes` of a daemon's life at `source`.
  void live(storm::Source& source, std::uint64_t passes) {
    const unsigned seed = fault::seed_or(20'261'129);
    const storm::SharedMemory shared;
    storm::Application application(source, *shared, seed);
    application.begin();
    ASSERT_EQ(program({"capture", "install", "--source", source.url()}), 0);
    DaemonProcess daemon(folder, source.url(), cache, kWindow);
    daemon.start(kShort);
    storm::Readers readers(cache, *shared, kPause);  // forked before this process opens the cache
    watch(daemon.pid(), readers.pids());
    {
      Ordeal ordeal(source, application, daemon, cache, seed + 1);
      suffer(daemon, ordeal, passes);
      if (!HasFatalFailure()) expect_every_trigger(daemon, ordeal);
    }
    daemon.stop();
    readers.stop();
    if (HasFailure()) return;
    storm::expect_equal(cache, application);
    EXPECT_EQ(program({"validate", "--against-source", "--cache", cache, "--source", source.url()}),
              0);
    expect_no_growth(passes);
    print(daemon.passes(), application, *shared);
  }

 private:
  int program(std::vector<std::string> words) {
    return support::run_program(TIDEMARK_PROGRAM, std::move(words), folder.file(""), {}).exit;
  }
  void watch(pid_t daemon, const std::vector<pid_t>& readers) {
    gauges.emplace_back(daemon);
    for (const pid_t reader : readers) gauges.emplace_back(reader);
  }

  void suffer(DaemonProcess& daemon, Ordeal& ordeal, std::uint64_t passes) {
    std::uint64_t looked = 0;
    while (!HasFatalFailure()) {
      ordeal.step();
      const auto status = daemon.status();
      ASSERT_TRUE(status) << daemon.log();
      if (status->passes * kLooks / passes == looked) continue;
      looked = status->passes * kLooks / passes;
      for (Gauge& gauge : gauges) gauge.look();
      look_at_file();
      if (status->passes >= passes) return;
    }
  }
  void look_at_file() {
    const CacheStatus status = inspect(cache);
    ASSERT_TRUE(status.readable);
    file_kib.add(static_cast<long>(status.file_bytes >> 10U));
    live_bytes = status.live_bytes.value_or(0);
    EXPECT_LE(status.file_bytes, std::max(kFileBytesMax, kFileToLiveMax * live_bytes));
  }

  // Each event had its pass, and no pass came from nowhere.
  static void expect_every_trigger(DaemonProcess& daemon, Ordeal& ordeal) {
    for (const char* trigger : {"request", "nudge", "reload"}) {
      EXPECT_EQ(daemon.passes_by(trigger), ordeal.count(trigger)) << trigger;
    }
    EXPECT_EQ(daemon.passes_by("start_up"), 1U);
    EXPECT_GE(daemon.passes_by("recovery"), ordeal.count("outage"));
    EXPECT_GT(ordeal.count("outage"), 0U);
  }
  static void expect_flat(const Series& kib, double filling, const std::string& who) {
    EXPECT_LE(static_cast<double>(kib.median(4)),
              filling + kGrowthMax * static_cast<double>(kib.median(2)))
        << who;
  }
  void expect_no_growth(std::uint64_t passes) {
    const double filling = passes < kPassesUntilFull ? kFillingKib : 0;
    for (std::size_t n = 0; n < gauges.size(); ++n) {
      const Gauge& gauge = gauges[n];
      const std::string who = n == 0 ? "the daemon" : "reader " + std::to_string(n);
      EXPECT_EQ(gauge.descriptors.median(4), gauge.descriptors.median(2)) << who;
      if (!kMemoryTells) continue;
      expect_flat(gauge.own_kib, filling, who);
      // Two thirds of a reader are its program's pages: a path that it takes for the first time
      // brings in more of them, once.
      if (n == 0) expect_flat(gauge.resident_kib, filling, who);
    }
  }
  void print(const Counts& passes, const storm::Application& application,
             const storm::Shared& shared) {
    long readers[2] = {0, 0};  // the greatest, in the second quarter and the last
    for (std::size_t n = 1; n < gauges.size(); ++n) {
      readers[0] = std::max(readers[0], gauges[n].resident_kib.median(2));
      readers[1] = std::max(readers[1], gauges[n].resident_kib.median(4));
    }
    std::size_t all = 0;
    for (const auto& [trigger, count] : passes) all += count;
    std::printf("%zu passes:", all);
    for (const auto& [trigger, count] : passes) std::printf(" %s %zu", trigger.c_str(), count);
    const Gauge& daemon = gauges.front();
    std::printf(
        "; %zu writes; daemon %ld KiB, then %ld, descriptors %ld, then %ld; readers up to %ld KiB, "
        "then %ld; file %ld KiB, then %ld, at most %ld, live %llu; reads: %llu looks, %llu hit, "
        "%llu absent, %llu unknown\n",
        application.writes(), daemon.resident_kib.median(2), daemon.resident_kib.median(4),
        daemon.descriptors.median(2), daemon.descriptors.median(4), readers[0], readers[1],
        file_kib.median(2), file_kib.median(4), file_kib.greatest(),
        static_cast<unsigned long long>(live_bytes >> 10U),
        static_cast<unsigned long long>(shared.looks),
        static_cast<unsigned long long>(shared.answers[0]),
        static_cast<unsigned long long>(shared.answers[1]),
        static_cast<unsigned long long>(shared.answers[2]));
  }

 protected:
  support::TempFolder folder;
  std::string cache = folder.file("cache.redb");

 private:
  std::vector<Gauge> gauges;  // the daemon's, then the readers'
  Series file_kib;
  std::uint64_t live_bytes = 0;  // at the last look
};

TEST_F(Endurance, thousands_of_passes_over_a_file_leave_no_trace_and_miss_no_trigger) {
  storm::FileSource source(folder.file("source.db"));
  live(source, passes_wanted());
}

// Fewer: the server takes a connection each 10 ms.
TEST_F(Endurance, hundreds_of_passes_over_the_network_leave_no_trace_and_miss_no_trigger) {
  storm::ServedSource source(folder.file("source.db"));
  live(source, std::max<std::uint64_t>(passes_wanted() / 8, 100));
}

}  // namespace
}  // namespace tidemark::endurance
