// Where a measurement becomes a notice or a problem, each bound with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidemark::doctor {

using std::chrono::milliseconds;

// --- Measuring ---

// All of it; most is spent waiting for a source that is silent.
inline constexpr milliseconds kDeadline{15'000};
inline constexpr milliseconds kDeadlineMin{100};
inline constexpr milliseconds kDeadlineMax{600'000};
// For the cache to open: a repair that a writer does meanwhile is a finding, and not waited for.
inline constexpr milliseconds kOpenDeadline{500};
// For the daemon's word: it answers at once, whatever it does.
inline constexpr milliseconds kDaemonPatience{1'000};
// Processes, and files of one, that are looked through for the open cache.
inline constexpr std::size_t kProcessesMax = 20'000;
inline constexpr std::size_t kFilesOfProcessMax = 10'000;
// Of them these many are named.
inline constexpr std::size_t kOpenersMax = 8;

// --- Slow syncs ---

// A pass is a handful of round trips, a delta one: from here on people notice them, and from there
// on they are most of a pass.
inline constexpr milliseconds kRoundTripLong{100};
inline constexpr milliseconds kRoundTripBad{500};
// Connecting takes three or four round trips with TLS; beyond that name look-up or a proxy does.
inline constexpr milliseconds kConnectLong{2'000};
// The engine makes pages smaller that take 2 s; the hosted service ends a transaction after 5 s.
inline constexpr milliseconds kPageLong{2'000};
inline constexpr milliseconds kPageBad{5'000};
// A first page below this size that takes no longer than two round trips, each of at least that,
// could as well have been larger. Pages aim for 2 MiB.
inline constexpr std::uint64_t kPageBytesSmall = std::uint64_t{256} << 10U;
inline constexpr std::uint64_t kPageBytesGood = std::uint64_t{1} << 20U;
inline constexpr milliseconds kRoundTripFelt{20};
inline constexpr std::uint64_t kPageRowsGood = 8'000;  // what a page may have
// Without capture each pass reads the scope: about a second's work and a visible bill.
inline constexpr std::uint64_t kScanRowsMany = 10'000;
// A pass that is not the first one. (One that lasts longer than the interval is a problem.)
inline constexpr milliseconds kPassLong{5'000};
// One request in ten was sent again, and not once by chance; one in two.
inline constexpr std::uint64_t kRetriesMin = 3;
inline constexpr std::uint64_t kRequestsPerRetryFew = 10;
inline constexpr std::uint64_t kRequestsPerRetryBad = 2;

// --- Lock errors ---

// Others get `busy` meanwhile. A pass takes seconds; the fill of a large cache some minutes.
inline constexpr milliseconds kLockHeldLong{60'000};
inline constexpr milliseconds kLockHeldBad{600'000};
// A held snapshot took a file from 35 MB to 2.2 GB in 6 s. Pages that are split and freed alone
// make it two or three times its rows, and a small one has a fixed part.
inline constexpr std::uint64_t kFileBytesLarge = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kFileRatioLarge = 4;
inline constexpr std::uint64_t kFileRatioBad = 10;

// --- Memory pressure ---

// A daemon beyond its page cache: replies in flight, a commit and what the allocator keeps made 90
// MiB at the peak of a large fill.
inline constexpr std::uint64_t kBesidePageCache = std::uint64_t{128} << 20U;
inline constexpr std::uint64_t kBesidePageCacheBad = std::uint64_t{512} << 20U;
// Of the machine's memory, or of the limit of its control group, one part in so many may be the
// page cache: the agents want the rest.
inline constexpr std::uint64_t kPageCachePart = 4;
// Below this the kernel is about to kill somebody.
inline constexpr std::uint64_t kAvailableLow = std::uint64_t{256} << 20U;
inline constexpr std::uint64_t kAvailableBad = std::uint64_t{64} << 20U;
// Rows of this size make a page of four, and each copy of one is felt.
inline constexpr std::uint64_t kRowBytesLarge = std::uint64_t{512} << 10U;

// --- Stale data ---

// Beyond half a round trip, which a comparison of clocks cannot tell. A token that is valid from
// "now" on is refused by a clock that is minutes behind.
inline constexpr milliseconds kClockOff{2'000};
inline constexpr milliseconds kClockBad{60'000};
// The daemon's passes failed in a row: once may be a moment's trouble.
inline constexpr std::uint32_t kFailuresBad = 3;
// A fill writes a second cache beside the first; there must be room for more than just that.
inline constexpr std::uint64_t kDiskBytesMin = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kDiskCachesGood = 3;

// --- Missing items ---

// Fewer reads say nothing yet.
inline constexpr std::uint64_t kReadsMin = 1'000;
// Of all reads, in percent, that the cache could answer (hit or absent).
inline constexpr std::uint64_t kHitRateLow = 80;
inline constexpr std::uint64_t kHitRateBad = 50;

}  // namespace tidemark::doctor
