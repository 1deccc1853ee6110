// A file system of its own in memory, as large as a test says. Only this process sees it.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/support/temp_folder.h"

namespace tidemark::fault {

// One thread, before there is a second: the process moves into a namespace of its own.
class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directory(path_);
    // A user namespace gives the right to mount to who does not have it.
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      refuse("unshare");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      refuse("mount --make-private");
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64m") != 0) refuse("mount tmpfs");
  }
  ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Whole pages, beside what is stored.
  void leave_free(std::uint64_t bytes) { resize(used() + bytes); }
  void leave_room() { resize(std::uint64_t{64} << 20U); }

 private:
  [[nodiscard]] std::uint64_t used() const {
    struct statvfs now{};
    ::statvfs(path_.c_str(), &now);
    return (now.f_blocks - now.f_bfree) * now.f_frsize;
  }
  void resize(std::uint64_t bytes) {
    const std::uint64_t least = 4'096;  // 0 would be no limit
    const std::string options = "size=" + std::to_string(std::max(bytes, least));
    if (::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, options.c_str()) != 0)
      refuse("remount");
  }
  [[noreturn]] static void refuse(const std::string& what) {
    throw std::runtime_error("this test needs a small tmpfs, as root or in a user namespace: " +
                             what + ": " + std::strerror(errno));
  }

  support::TempFolder folder_;
  std::string path_ = folder_.file("disk");
};

}  // namespace tidemark::fault
