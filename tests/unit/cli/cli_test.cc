// Units, settings and exit codes.
#include <gtest/gtest.h>

#include <array>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/units.h"

namespace tidemark::cli {
namespace {

using namespace std::chrono_literals;

TEST(Units, durations_and_sizes) {
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("0"), 0ms);
  for (const char* bad :
       {"", "s", "30", "30x", "-1s", "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_size("32MiB"), std::size_t{32} << 20U);
  EXPECT_EQ(parse_size("32MB"), std::nullopt);
}

TEST(Units, suggests_only_what_is_near) {
  constexpr std::array<std::string_view, 2> kWords = {"sync", "status"};
  EXPECT_EQ(closest("sycn", kWords), "sync");
  EXPECT_EQ(closest("elephant", kWords), "");
}

TEST(Settings, a_file_is_read_and_its_paths_are_relative_to_it) {
  const auto settings = settings_from_toml(
      "[source]\nurl = \"file:a.db\"\n[cache]\npath = \"c.redb\"\n"
      "[sync]\nmax_episodes_cache = 5\nsync_patterns = false\n",
      "t.toml", "/etc/agent");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->source, "file:/etc/agent/a.db");
  EXPECT_EQ(settings->cache, "/etc/agent/c.redb");
  EXPECT_EQ(settings->max_episodes_cache, 5U);
  EXPECT_EQ(settings->sync_patterns, false);
}

TEST(Settings, unknown_keys_and_bad_values_are_all_named_at_once_with_their_lines) {
  const auto settings = settings_from_toml(
      "[sync]\nmax_episodes_cash = 3\nbatch_size = \"x\"\n[sauce]\n", "t.toml", ".");
  ASSERT_FALSE(settings);
  const std::string& message = settings.error().message;
  EXPECT_NE(
      message.find("t.toml:2: unknown key max_episodes_cash (did you mean max_episodes_cache?)"),
      std::string::npos)
      << message;
  EXPECT_NE(message.find("t.toml:3: batch_size"), std::string::npos) << message;
  EXPECT_NE(message.find("unknown section sauce"), std::string::npos) << message;
}

TEST(Settings, values_out_of_range_and_impossible_staleness_are_refused) {
  EXPECT_FALSE(settings_from_toml("[sync]\nbatch_size = 0\n", "t", "."));
  EXPECT_FALSE(settings_from_toml("[sync]\nmax_staleness = \"5s\"\n", "t", "."));
  EXPECT_FALSE(settings_from_toml("not toml at all", "t", "."));
}

TEST(Settings, what_config_print_shows_reads_back) {
  const auto settings = settings_from_toml(to_toml({}), "t", "/x");
  EXPECT_TRUE(settings) << settings.error().message;
}

TEST(Settings, upper_layers_win) {
  Settings upper;
  upper.cache = "flag";
  Settings lower;
  lower.cache = "file";
  lower.source = "file:x";
  merge(upper, lower);
  EXPECT_EQ(upper.cache, "flag");
  EXPECT_EQ(upper.source, "file:x");
}

// CLI11 repeats unexpected words: a token given as a flag came out on stderr.
TEST(CommandLine, a_token_given_as_a_flag_is_refused_and_not_repeated) {
  for (const char* flag : {"--token", "--token=hunter2"}) {
    const std::array<const char*, 4> argv = {"tidemark", "sync", flag, "hunter2"};
    ::testing::internal::CaptureStderr();
    const int exit = run_command_line(static_cast<int>(argv.size()), argv.data());
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(exit, kUsage);
    EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
    EXPECT_NE(said.find("TURSO_AUTH_TOKEN"), std::string::npos) << said;
  }
}

// `init` wrote every default as if it had been named, and a later sync met "another scope".
TEST(Settings, what_nobody_named_is_printed_as_a_comment) {
  const auto settings = settings_from_toml(to_toml({}), "t", "/x");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_FALSE(settings->max_episodes_cache);
  EXPECT_FALSE(settings->cache);
}

TEST(ExitCodes, are_the_documented_ones) {
  EXPECT_EQ(exit_code_of(ErrorCode::unavailable), 3);
  EXPECT_EQ(exit_code_of(ErrorCode::needs_repair), 4);
  EXPECT_EQ(exit_code_of(ErrorCode::busy), 5);
  EXPECT_EQ(exit_code_of(ErrorCode::stale), 6);
  EXPECT_EQ(exit_code_of(ErrorCode::cancelled), 130);
}

}  // namespace
}  // namespace tidemark::cli
