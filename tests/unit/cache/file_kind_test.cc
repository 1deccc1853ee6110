// What a cache's path may and may not be, told in our words.
#include "cache/file_kind.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

// The kernel's own numbers, not ours: a wrong digit in the list would let a network disk pass.
TEST(FileKind, network_file_systems_are_refused_with_their_folder_and_a_hint) {
  for (const long magic : {long{NFS_SUPER_MAGIC}, long{SMB_SUPER_MAGIC}, long{CIFS_SUPER_MAGIC},
                           long{SMB2_SUPER_MAGIC}, long{FUSE_SUPER_MAGIC}, long{V9FS_MAGIC},
                           long{AFS_SUPER_MAGIC}, long{CODA_SUPER_MAGIC}, long{CEPH_SUPER_MAGIC}}) {
    const auto refused = check_file_system(magic, "/mnt/share");
    ASSERT_FALSE(refused) << std::hex << magic;
    EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
    EXPECT_NE(refused.error().message.find("/mnt/share"), std::string::npos);
    EXPECT_FALSE(refused.error().hint.empty());
  }
}

TEST(FileKind, a_number_whose_sign_was_extended_is_the_same_file_system) {
  EXPECT_TRUE(is_network_file_system(static_cast<long>(static_cast<int>(CIFS_SUPER_MAGIC))));
}

TEST(FileKind, local_file_systems_are_taken) {
  for (const long magic : {long{EXT4_SUPER_MAGIC}, long{XFS_SUPER_MAGIC}, long{BTRFS_SUPER_MAGIC},
                           long{TMPFS_MAGIC}, long{OVERLAYFS_SUPER_MAGIC}, 0x2FC12FC1L /* ZFS */}) {
    EXPECT_TRUE(check_file_system(magic, "/var")) << std::hex << magic;
  }
}

// Readers repeated redb's words: "magic number mismatch".
TEST(FileKind, a_reader_says_of_another_programs_file_that_it_is_no_cache) {
  const support::SmallCache cache;
  for (const std::string& text : {std::string(), std::string("short"), std::string(9'000, 'x')}) {
    std::ofstream(cache.path, std::ios::binary | std::ios::trunc) << text;
    const auto reader = Reader::open(cache.path);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, ErrorCode::invalid) << text.size();
    EXPECT_EQ(reader.error().message, cache.path + " is not a tidemark cache");
    EXPECT_FALSE(reader.error().hint.empty());
    EXPECT_EQ(inspect(cache.path).problem->message, reader.error().message);
    EXPECT_EQ(examine(cache.path).error().message, reader.error().message);
  }
}

// The hint was "dir//cache.redb".
TEST(FileKind, the_hint_for_a_folder_has_one_slash) {
  const support::SmallCache cache;
  const std::string folder = cache.folder.file("");
  ASSERT_TRUE(folder.ends_with('/'));
  EXPECT_TRUE(examine(folder).error().hint.ends_with(" " + folder + "cache.redb"));
  EXPECT_TRUE(Reader::open(folder).error().hint.ends_with(" " + folder + "cache.redb"));
}

}  // namespace
}  // namespace tidemark::cache
