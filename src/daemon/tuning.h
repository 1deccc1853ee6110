// Every bound and delay of the daemon, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidemark::daemon {

// After a pass that met no source: soon at first, since most outages are short, and at last seldom
// enough that a thousand daemons do not keep a source down.
inline constexpr std::chrono::milliseconds kRetryFirst{1'000};
inline constexpr std::chrono::milliseconds kRetryCap{300'000};
// After a pass that nothing but a person can help: the person may not know of SIGHUP.
inline constexpr std::chrono::milliseconds kSlowRetry{300'000};
// A stale reader may ask for a pass this often; a thousand readers are one.
inline constexpr std::chrono::milliseconds kNudgeSpacing{1'000};
// More changes are known to be waiting; other processes get a moment with CACHE.lock.
inline constexpr std::chrono::milliseconds kCatchUpPause{100};

// A request is one line of names and numbers.
inline constexpr std::size_t kRequestBytesMax = std::size_t{16} << 10U;
// A reply holds at most 100 skipped rows and 100 differing keys for each collection.
inline constexpr std::size_t kReplyBytesMax = std::size_t{16} << 20U;
// One per process that waits for a pass; more are told to come again.
inline constexpr std::size_t kConnectionsMax = 64;
// For a client to say its line, and to take one of ours.
inline constexpr std::chrono::milliseconds kClientDeadline{3'000};
// Between two tries to accept when the process is out of descriptors.
inline constexpr std::chrono::milliseconds kAcceptPause{100};
// Between two lines of progress.
inline constexpr std::chrono::milliseconds kProgressSpacing{100};
// For a daemon that holds CACHE.daemon to answer on its socket: it may just be starting.
inline constexpr std::chrono::milliseconds kConnectDeadline{2'000};
// Without a word from the daemon a command asks whether it still answers.
inline constexpr std::chrono::milliseconds kQuietMax{5'000};
// For a daemon that broke off to be gone: it waits for the pass that it abandons.
inline constexpr std::chrono::milliseconds kGoneDeadline{15'000};
// Between two looks at whether one of these has happened.
inline constexpr std::chrono::milliseconds kLookInterval{10};

// One whole walk of the scrub; a disk that loses bits does so over days.
inline constexpr std::chrono::milliseconds kScrubInterval{3'600'000};
// A large cache, or a walk in a hurry, is read no faster than this: a few hundredths of a core, and
// a quarter of a gigabyte between two passes of the default interval.
inline constexpr std::uint64_t kScrubBytesPerSecondMax = std::uint64_t{8} << 20U;
// Between two slices, however small: each opens the file.
inline constexpr std::chrono::milliseconds kScrubSpacingMin{10};
// When there is no cache yet, or another process repairs it or holds CACHE.lock.
inline constexpr std::chrono::milliseconds kScrubRetry{1'000};

// For a look at the cache when a pass has ended: another process may be repairing it.
inline constexpr std::chrono::milliseconds kLookDeadline{1'000};

// A metric's label with names of the source's tables, or reasons of passes; the rest is "other".
inline constexpr std::size_t kLabelValuesMax = 64;

// A browser's header with its cookies has no business here.
inline constexpr std::size_t kHttpHeaderBytesMax = std::size_t{8} << 10U;
// A scraper or two and a few probes.
inline constexpr std::size_t kHttpConnectionsMax = 32;
// Read and dropped after the reply, so that it arrives.
inline constexpr std::size_t kHttpDroppedBytesMax = std::size_t{1} << 20U;

// Passes that are shown: most of an hour at the usual interval, and the errors of a longer outage.
inline constexpr std::size_t kReportsMax = 100;
// One with 100 skipped rows under long keys is some 50 KiB.
inline constexpr std::size_t kReportsBytesMax = std::size_t{4} << 20U;

// Who watches the events: a page or two in a browser; the other connections are left to scrapers.
inline constexpr std::size_t kEventStreamsMax = 8;
// Beside an event that waits already; a client that falls behind further starts anew.
inline constexpr std::size_t kStreamBytesMax = std::size_t{1} << 20U;
// The kernel's share of it, so that who is slow is soon known to be.
inline constexpr int kStreamSendBytes = 64 << 10;
// Between two looks at whether the cache has turned stale by itself: half of the second within
// which it is told.
inline constexpr std::chrono::milliseconds kEventTick{500};
// A proxy closes a connection on which nothing comes, often after a minute.
inline constexpr int kTicksPerHeartbeat = 30;
// For a client that lost the stream to come again.
inline constexpr std::chrono::milliseconds kEventRetry{2'000};

// Items that are to be read, one after the other.
inline constexpr std::size_t kItemsWaitingMax = 8;
// For the cache to be opened: what is being repaired is told as busy, and asked for again.
inline constexpr std::chrono::milliseconds kItemDeadline{1'000};

// For a pass that runs at SIGTERM to end by itself, of `stop_deadline`; the rest is for it to stop.
inline constexpr int kStopGraceDivisor = 2;
inline constexpr std::chrono::milliseconds kStopDeadline{10'000};

}  // namespace tidemark::daemon
