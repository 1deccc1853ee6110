#include "cache/file_kind.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "cache/read_stats.h"

namespace tidemark::cache {
namespace {

// statfs(2) magic numbers.
constexpr std::array<unsigned long, 9> kNetworkFileSystems = {
    0x6969 /* NFS */,      0x517B /* SMB */,      0xFF534D42 /* CIFS */,
    0xFE534D42 /* SMB2 */, 0x65735546 /* FUSE */, 0x01021997 /* 9P */,
    0x5346414F /* AFS */,  0x73757245 /* Coda */, 0x00C36400 /* Ceph */};
constexpr std::string_view kRedbMagic{"redb\x1A\x0A\xA9\x0D\x0A", 9};

}  // namespace

bool is_network_file_system(long f_type) {
  // The kernel's numbers have 32 bits; where `long` has 64, some systems extend the sign.
  const unsigned long type = static_cast<unsigned long>(f_type) & 0xFFFFFFFFU;
  return std::ranges::find(kNetworkFileSystems, type) != kNetworkFileSystems.end();
}

Result<void> check_file_system(long f_type, const std::string& folder) {
  if (!is_network_file_system(f_type)) return {};
  return fail(ErrorCode::unsupported, "the cache would lie on a network file system: " + folder,
              "give a --cache path on a local disk");
}

bool may_be_redb(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;  // whoever opens it says why not
  std::array<char, kRedbMagic.size()> head{};
  const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
  ::close(fd);
  return got < 0 || std::string_view(head.data(), static_cast<std::size_t>(got)) == kRedbMagic;
}

std::unexpected<Error> not_a_cache(const std::string& path) {
  // A cache whose first bytes are damaged is known by what lies beside it.
  const std::string before = total_reads(path) ? "if it was one, run `tidemark repair`; else " : "";
  return fail(ErrorCode::invalid, path + " is not a tidemark cache",
              before + "give another --cache path; a file that is no cache is never overwritten");
}

std::unexpected<Error> is_a_folder(const std::string& path) {
  return fail(
      ErrorCode::invalid, path + " is a directory",
      "give the path of a file: --cache " + (std::filesystem::path(path) / "cache.redb").string());
}

}  // namespace tidemark::cache
