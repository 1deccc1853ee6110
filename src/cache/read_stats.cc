#include "cache/read_stats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace tidemark::cache {
namespace {

// One cache line for each slot, so that processes do not share one.
constexpr std::size_t kSlotBytes = 64;
constexpr std::size_t kSlotWords = kSlotBytes / sizeof(std::uint64_t);
// More agents than a machine runs; a further one shares the last slot.
constexpr std::size_t kSlots = 255;
constexpr std::size_t kFileBytes = (1 + kSlots) * kSlotBytes;

// The first slot's place. Whoever meets a file without a header writes the same one.
struct Header {
  std::array<char, 8> magic{'T', 'D', 'M', 'S', 'T', 'A', 'T', 'S'};
  std::uint32_t version = 1;
  std::uint32_t slots = kSlots;
  bool operator==(const Header&) const = default;
};
static_assert(sizeof(Header) <= kSlotBytes);

std::string stats_path(const std::string& cache) { return cache + ".stats"; }

// In a regular file of the right size the mapping cannot fault: it is never truncated, and its
// blocks are allocated before it is mapped.
enum class Standing : std::uint8_t { ready, fresh, foreign };

Standing standing_of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return Standing::foreign;
  Header header{{}, 0, 0};
  const Header empty = header;
  if (::pread(fd, &header, sizeof header, 0) < 0) return Standing::foreign;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (header == Header{}) return size == kFileBytes ? Standing::ready : Standing::foreign;
  // Its maker was killed before the header, or is about to write it.
  return header == empty && size <= kFileBytes ? Standing::fresh : Standing::foreign;
}

bool prepare(int fd) {
  const Standing standing = standing_of(fd);
  if (standing != Standing::fresh) return standing == Standing::ready;
  if (::posix_fallocate(fd, 0, kFileBytes) != 0) return false;
  const Header header;
  return ::pwrite(fd, &header, sizeof header, 0) == static_cast<ssize_t>(sizeof header) &&
         standing_of(fd) == Standing::ready;
}

// The descriptor of a file that can be counted in, or -1.
int open_file(const std::string& cache, int flags) {
  struct stat info{};
  if (::stat(cache.c_str(), &info) != 0) return -1;
  const int fd = ::open(stats_path(cache).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | flags,
                        info.st_mode & 0666U);
  if (fd < 0) return -1;
  if (prepare(fd)) return fd;
  ::close(fd);
  return -1;
}

// A lock of the open file description: gone when its last use is, whatever the process died of, and
// apart from any other use of the file by this process.
bool own(int fd, std::size_t slot) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>((1 + slot) * kSlotBytes);
  lock.l_len = static_cast<off_t>(kSlotBytes);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

}  // namespace

ReadStats::ReadStats(const std::string& cache) {
  watch_forks();
  const int fd = open_file(cache, O_CREAT);
  if (fd < 0) return;
  void* const map = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED && ::madvise(map, kFileBytes, MADV_DONTFORK) == 0) {
    map_ = map;
    std::size_t slot = 0;
    while (slot + 1 < kSlots && !own(fd, slot)) ++slot;
    slot_ = static_cast<std::uint64_t*>(map) + (1 + slot) * kSlotWords;
  } else if (map != MAP_FAILED) {
    ::munmap(map, kFileBytes);
  }
  ::close(fd);  // the mapping keeps the open file description, and so the lock
}

ReadStats::~ReadStats() {
  // In a forked child the address may by now be something else's.
  if (map_ != nullptr && epoch_ == fork_epoch()) ::munmap(map_, kFileBytes);
}

void make_stats_file(const std::string& cache) {
  const int fd = open_file(cache, O_CREAT);
  if (fd >= 0) ::close(fd);
}

std::optional<ReadCounts> total_reads(const std::string& cache) {
  const int fd = open_file(cache, 0);
  if (fd < 0) return std::nullopt;
  std::array<std::uint64_t, kFileBytes / sizeof(std::uint64_t)> words{};
  const ssize_t got = ::pread(fd, words.data(), kFileBytes, 0);
  ::close(fd);
  if (got != static_cast<ssize_t>(kFileBytes)) return std::nullopt;
  ReadCounts total;
  for (std::size_t slot = 1; slot <= kSlots; ++slot) {
    const std::uint64_t* const counts = &words[slot * kSlotBytes / sizeof(std::uint64_t)];
    total.hits += counts[0];
    total.absent += counts[1];
    total.unknown += counts[2];
  }
  return total;
}

}  // namespace tidemark::cache
