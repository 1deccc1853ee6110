// A copy of a file that takes one flipped bit at a time.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace tidemark::fault {

class Damaged {
 public:
  Damaged(std::string path, const std::string& intact) : path_(std::move(path)), intact_(intact) {
    std::ofstream(path_, std::ios::binary) << intact;
    fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  Damaged(const Damaged&) = delete;
  Damaged& operator=(const Damaged&) = delete;
  ~Damaged() { ::close(fd_); }

  void flip(std::size_t bit) {
    put(bit / 8, static_cast<char>(intact_[bit / 8] ^ (1 << (bit % 8))));
  }
  void restore(std::size_t bit) { put(bit / 8, intact_[bit / 8]); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void put(std::size_t at, char byte) {
    if (::pwrite(fd_, &byte, 1, static_cast<off_t>(at)) != 1) ::_exit(99);
  }

  std::string path_;
  const std::string& intact_;
  int fd_ = -1;
};

}  // namespace tidemark::fault
