#include "tests/fault/power/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <variant>
#include <vector>

namespace tidemark::fault {
namespace {

constexpr std::size_t kSector = 512;  // which a disk writes whole

struct Write {
  std::size_t at;
  std::string data;
};
struct Resize {
  std::size_t bytes;
};

struct File {
  int fd;              // of our own
  std::string synced;  // as it was when it was last synced
  std::vector<std::variant<Write, Resize>> since{};
};

struct Rename {
  std::string from;
  std::string to;
  std::string replaced;  // a link to what was at `to`; empty: nothing was
};

std::string file_of(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  return length < 0 ? std::string() : std::string(path, static_cast<std::size_t>(length));
}

std::string contents(int fd) {
  std::string bytes;
  struct stat info{};
  if (::fstat(fd, &info) != 0) return bytes;
  bytes.resize(static_cast<std::size_t>(info.st_size));
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

class Disk {
 public:
  void watch(const PowerLoss& loss) { loss_ = loss; }

  [[noreturn]] void lose(int exit) {
    std::mt19937 random(loss_.seed);
    constexpr unsigned kOdds[] = {0, 10, 50, 90, 100};  // of a sector, in percent
    const unsigned odds = kOdds[random() % std::size(kOdds)];
    const auto kept = [&] { return random() % 100 < odds; };
    for (const auto& [inode, file] : files_) leave(file, kept);
    while (!renames_.empty() && !kept()) {  // the last ones; a folder's changes are in order
      undo(renames_.back());
      renames_.pop_back();
    }
    keep_renames();
    ::_exit(exit);
  }

  void write(int fd, const void* data, std::size_t size, off_t at) {
    change(fd, Write{static_cast<std::size_t>(at), {static_cast<const char*>(data), size}});
  }
  void resize(int fd, off_t bytes) { change(fd, Resize{static_cast<std::size_t>(bytes)}); }

  // True: the system need not be asked.
  bool sync(int fd) {
    const std::scoped_lock lock(mutex_);
    const std::string path = file_of(fd);
    if (loss_.cache.empty()) return false;
    if (loss_.cache.starts_with(path + "/")) {
      count();
      if (!loss_.lies) keep_renames();
    } else if (watches(path)) {
      count();
      File& file = of(fd);
      if (!loss_.lies) file.synced = contents(file.fd);
      if (!loss_.lies) file.since.clear();
    } else {
      return false;
    }
    return true;
  }

  // Whether `to` is one of ours.
  bool rename(const std::string& from, const std::string& to) {
    const std::scoped_lock lock(mutex_);
    if (loss_.cache.empty() || !watches(to)) return false;
    count();
    Rename rename{from, to, to + ".replaced" + std::to_string(renames_.size())};
    if (::link(to.c_str(), rename.replaced.c_str()) != 0) rename.replaced.clear();
    renames_.push_back(std::move(rename));
    return true;
  }

 private:
  [[nodiscard]] bool watches(const std::string& path) const {
    return path == loss_.cache || path.starts_with(loss_.cache + ".next");
  }

  void count() {
    if (++*loss_.operations == loss_.at) lose(kPowerLost);
  }

  template <typename Change>
  void change(int fd, Change change) {
    const std::scoped_lock lock(mutex_);
    if (loss_.cache.empty() || !watches(file_of(fd))) return;
    File& file = of(fd);
    count();
    file.since.push_back(std::move(change));
  }

  File& of(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) ::_exit(99);
    const auto found = files_.find(info.st_ino);
    if (found != files_.end()) return found->second;
    const int own = ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
    if (own < 0) ::_exit(99);
    return files_.emplace(info.st_ino, File{own, contents(own)}).first->second;
  }

  void keep_renames() {
    for (const Rename& rename : renames_) {
      if (!rename.replaced.empty()) ::unlink(rename.replaced.c_str());
    }
    renames_.clear();
  }

  template <typename Kept>
  static void leave(const File& file, const Kept& kept) {
    std::string bytes = file.synced;
    for (const auto& change : file.since) {
      if (const auto* const resize = std::get_if<Resize>(&change)) {
        if (kept()) bytes.resize(resize->bytes);
        continue;
      }
      const Write& write = std::get<Write>(change);
      for (std::size_t i = 0; i < write.data.size(); i += kSector) {
        if (!kept()) continue;
        const std::size_t size = std::min(kSector, write.data.size() - i);
        bytes.resize(std::max(bytes.size(), write.at + i + size));
        bytes.replace(write.at + i, size, write.data, i, size);
      }
    }
    if (::syscall(SYS_ftruncate, file.fd, 0) != 0) ::_exit(99);
    for (std::size_t done = 0; done < bytes.size();) {
      const long wrote = ::syscall(SYS_pwrite64, file.fd, bytes.data() + done, bytes.size() - done,
                                   static_cast<long>(done));
      if (wrote <= 0) ::_exit(99);
      done += static_cast<std::size_t>(wrote);
    }
  }

  static void undo(const Rename& rename) {
    static_cast<void>(::syscall(SYS_rename, rename.to.c_str(), rename.from.c_str()));
    if (rename.replaced.empty()) return;
    static_cast<void>(::syscall(SYS_rename, rename.replaced.c_str(), rename.to.c_str()));
  }

  std::mutex mutex_;
  PowerLoss loss_;
  std::map<ino_t, File> files_;
  std::vector<Rename> renames_;
};

Disk& disk() {
  static auto* const one = new Disk;  // outlives whoever writes last
  return *one;
}

}  // namespace

void lose_power(const PowerLoss& loss) { disk().watch(loss); }
void lose_power_now(int exit) { disk().lose(exit); }

}  // namespace tidemark::fault

using tidemark::fault::disk;

extern "C" {

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  disk().write(fd, data, size, at);
  return ::syscall(SYS_pwrite64, fd, data, size, at);
}
int ftruncate64(int fd, off64_t bytes) {
  disk().resize(fd, bytes);
  return static_cast<int>(::syscall(SYS_ftruncate, fd, bytes));
}
int fdatasync(int fd) {
  return disk().sync(fd) ? 0 : static_cast<int>(::syscall(SYS_fdatasync, fd));
}
int fsync(int fd) { return disk().sync(fd) ? 0 : static_cast<int>(::syscall(SYS_fsync, fd)); }
int rename(const char* from, const char* to) {
  disk().rename(from, to);
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

}  // extern "C"
