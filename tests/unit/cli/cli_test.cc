// Units, settings and exit codes.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "cli/command_line.h"
#include "cli/config_text.h"
#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/settings.h"
#include "cli/units.h"
#include "tests/support/temp_folder.h"

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

TEST(Settings, the_scrub_has_an_interval_or_is_off) {
  const auto interval = [](const std::string& value) {
    const auto settings =
        settings_from_toml("[daemon]\nscrub_interval = " + value + "\n", "t", ".");
    return settings ? settings->scrub_interval : std::nullopt;
  };
  EXPECT_EQ(interval("\"2h\""), std::chrono::hours(2));
  for (const char* off : {"0", "\"0\"", "\"none\""}) {
    EXPECT_EQ(interval(off), std::chrono::milliseconds(0)) << off;
  }
  for (const char* wrong : {"\"1ms\"", "\"366d\"", "5", "true"}) {
    EXPECT_EQ(interval(wrong), std::nullopt) << wrong;
  }
  Settings settings;
  settings.scrub_interval = std::chrono::milliseconds(0);
  EXPECT_NE(to_toml(settings).find("scrub_interval = \"none\""), std::string::npos);
  EXPECT_NE(to_toml({}).find("# scrub_interval = \"1h\""), std::string::npos);
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

// An unknown key hid a value out of range, and that one hid impossible times.
TEST(Settings, every_kind_of_problem_is_named_in_one_error_by_line) {
  const auto settings = settings_from_toml(
      "[sync]\nbatch_size = 0\nnope = 1\nmax_concurrent_fetches = 11\nheartbeat = \"10m\"\n", "t",
      ".");
  ASSERT_FALSE(settings);
  const std::string& message = settings.error().message;
  for (const char* part : {"t:2: batch_size = 0 (allowed: 1 to 100000)", "t:3: unknown key nope",
                           "t:4: max_concurrent_fetches = 11", "t:5: max_staleness"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << "\n" << message;
  }
  EXPECT_LT(message.find("t:2"), message.find("t:3"));
}

TEST(Settings, a_time_that_could_not_be_read_raises_no_second_complaint) {
  const auto settings =
      settings_from_toml("[sync]\nheartbeat = \"10m\"\nmax_staleness = 5\n", "t", ".");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().message.find("below heartbeat"), std::string::npos);
}

TEST(Settings, keep_where_each_value_came_from) {
  auto file = settings_from_toml("\n[sync]\nbatch_size = 5\nsync_patterns = false\n", "t", ".");
  ASSERT_TRUE(file);
  Settings settings;
  settings.batch_size = 7;
  mark_as_flags(settings);
  merge(settings, *file);
  EXPECT_EQ(settings.origins.at("sync.batch_size").text, "flag --batch-size");
  EXPECT_EQ(settings.origins.at("sync.sync_patterns").text, "t:4");
  const std::string toml = to_toml(settings, Origins::show);
  EXPECT_NE(toml.find("batch_size = 7"), std::string::npos);
  EXPECT_NE(toml.find("# flag --batch-size"), std::string::npos) << toml;
  EXPECT_TRUE(settings_from_toml(toml, "t", "/x")) << toml;
}

TEST(Settings, odd_characters_in_a_path_read_back) {
  Settings settings;
  settings.cache = "/a \"b\"\\c\n\x01";
  const auto again = settings_from_toml(to_toml(settings), "t", "/x");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->cache, settings.cache);
}

TEST(Settings, a_secret_in_a_url_is_never_printed) {
  for (const char* url : {"libsql://u:hunter2@h", "https://h/?authToken=hunter2"}) {
    Settings settings;
    settings.source = url;
    EXPECT_EQ((to_toml(settings) + to_settings_json(settings)).find("hunter2"), std::string::npos);
  }
}

// The token file of a tidemark.toml won against TURSO_AUTH_TOKEN.
TEST(Token, flag_beats_environment_beats_file) {
  const support::TempFolder folder;
  std::ofstream(folder.file("token")) << "from-file\n";
  Settings settings;
  settings.token_file = folder.file("token");
  settings.origins["source.token_file"] = {Layer::file, "t:1"};
  ::unsetenv("TURSO_AUTH_TOKEN");
  EXPECT_EQ(read_token(settings), "from-file");
  EXPECT_EQ(read_token({}), "");
  ::setenv("TURSO_AUTH_TOKEN", "from-environment", 1);
  EXPECT_EQ(read_token(settings), "from-environment");
  mark_as_flags(settings);
  EXPECT_EQ(read_token(settings), "from-file");
  ::unsetenv("TURSO_AUTH_TOKEN");
}

TEST(Token, what_is_no_token_is_refused_and_not_repeated) {
  const support::TempFolder folder;
  Settings settings;
  const auto refused = [&](const std::string& path) {
    settings.token_file = path;
    const auto token = read_token(settings);
    EXPECT_FALSE(token) << path;
    return token ? "" : token.error().message + token.error().hint;
  };
  EXPECT_NE(refused(folder.file("none")).find("cannot read"), std::string::npos);
  EXPECT_NE(refused(folder.file("")).find("is a directory"), std::string::npos);
  std::ofstream(folder.file("empty")) << "\n";
  EXPECT_NE(refused(folder.file("empty")).find("empty"), std::string::npos);
  for (const char* bad : {"hunter2\nX-Evil: 1\n", "hunter2 hunter2", "hunter2\x01"}) {
    std::ofstream(folder.file("bad")) << bad;
    EXPECT_EQ(refused(folder.file("bad")).find("hunter2"), std::string::npos);
  }
}

TEST(Progress, says_how_much_of_what_is_known) {
  EXPECT_EQ(progress_text({"discover", {}, 0, {}}), "discover");
  EXPECT_EQ(progress_text({"fetch", "episodes", 1200, 5000}),
            "fetch episodes: 1,200 of 5,000 rows");
  EXPECT_EQ(progress_text({"fetch", "embeddings", 7, {}}), "fetch embeddings: 7 rows");
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
