// What is read of the machine, from a tree of files in place of the kernel's.
#include "doctor/machine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.h"

namespace tidemark::doctor {
namespace {

constexpr std::uint64_t kKiB = 1'024;

struct Machine : public ::testing::Test {
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = root() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] std::string root() const { return folder.file("root"); }
  support::TempFolder folder;
};

TEST_F(Machine, memory_without_a_limit) {
  write("/proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n");
  const auto memory = memory_seen_by(1, root());
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 1'000 * kKiB);
  EXPECT_EQ(memory->available_bytes, 600 * kKiB);
  EXPECT_EQ(memory->limit_bytes, std::nullopt);
  EXPECT_EQ(memory_seen_by(1, folder.file("none")), std::nullopt);
}

TEST_F(Machine, the_narrowest_group_above_a_process_limits_it) {
  write("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n");
  write("/proc/7/cgroup", "0::/system.slice/tidemark.service\n");
  write("/sys/fs/cgroup/system.slice/tidemark.service/memory.max", "max\n");
  write("/sys/fs/cgroup/system.slice/memory.max", "409600\n");
  write("/sys/fs/cgroup/system.slice/memory.current", "307200\n");
  write("/sys/fs/cgroup/system.slice/memory.stat", "anon 1\ninactive_file 102400\n");
  const auto memory = memory_seen_by(7, root());
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->limit_bytes, 400 * kKiB);
  EXPECT_EQ(memory->total_bytes, 400 * kKiB);
  EXPECT_EQ(memory->available_bytes, 200 * kKiB);  // the file cache is given back
}

TEST_F(Machine, the_first_version_of_groups_limits_too) {
  write("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n");
  write("/proc/7/cgroup", "4:cpu,memory:/agent\n0::/\n");
  write("/sys/fs/cgroup/memory/agent/memory.limit_in_bytes", "102400\n");
  write("/sys/fs/cgroup/memory/agent/memory.usage_in_bytes", "204800\n");
  const auto memory = memory_seen_by(7, root());
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->limit_bytes, 100 * kKiB);
  EXPECT_EQ(memory->available_bytes, 0U);
}

TEST_F(Machine, this_process_its_memory_and_its_name) {
  const auto memory = memory_of(::getpid());
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->resident_bytes, 0U);
  EXPECT_GE(memory->peak_bytes, memory->resident_bytes);
  EXPECT_EQ(process_of(::getpid()).name, "unit_doctor");
  EXPECT_EQ(memory_of(-1), std::nullopt);
  EXPECT_EQ(pid_in("pid 123"), 123);
  EXPECT_EQ(pid_in("another process"), std::nullopt);
}

TEST_F(Machine, rights_and_room) {
  write("/file", "x");
  ASSERT_EQ(::chmod((root() + "/file").c_str(), 0604), 0);
  const auto rights = rights_of(root() + "/file");
  ASSERT_TRUE(rights);
  EXPECT_EQ(rights->mode, 0604U);
  EXPECT_TRUE(rights->ours);
  EXPECT_EQ(rights_of(root() + "/none"), std::nullopt);
  const auto disk = disk_of(root());
  ASSERT_TRUE(disk);
  EXPECT_GT(disk->total_bytes, 0U);
  EXPECT_EQ(disk_of(root() + "/none"), std::nullopt);
}

}  // namespace
}  // namespace tidemark::doctor
