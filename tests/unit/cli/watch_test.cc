// What `status --watch` shows: lines, frames, and what is a change.
#include <gtest/gtest.h>

#include "cli/watch_view.h"

namespace tidemark::cli {
namespace {

using namespace std::chrono_literals;

StatusSeen seen() {
  StatusSeen seen;
  seen.cache.exists = seen.cache.readable = true;
  seen.cache.path = "c.redb";
  seen.cache.source = "file:/s.db";
  seen.cache.counts = {{"episodes", 1'234}, {"patterns", 2}};
  seen.cache.freshness.state = FreshnessState::fresh;
  seen.cache.freshness.age = 3s;
  seen.cache.freshness.consistent = true;
  seen.daemon.emplace();
  seen.daemon->pid = 42;
  seen.daemon->trigger = "interval";
  seen.daemon->next_pass = 7s;
  return seen;
}

std::string text(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST(WatchView, freshness_comes_first_and_the_rates_are_two) {
  StatusSeen now = seen();
  now.cache.reads = ReadCounts{60, 30, 10};  // a proven absence is an answer
  const auto lines = watch_lines(now, ReadCounts{55, 25, 10});
  EXPECT_EQ(lines.front(), "freshness  fresh, checked 3.0 s ago");
  const std::string all = text(lines);
  EXPECT_NE(all.find("100 % of 10 reads since this watch began; 90 % of 100 reads in total"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("1,234 episodes, 2 patterns"), std::string::npos) << all;
  EXPECT_NE(all.find("pid 42, next pass in 7.0 s (interval)"), std::string::npos) << all;
  // CACHE.stats was made anew meanwhile.
  EXPECT_NE(text(watch_lines(now, ReadCounts{500, 0, 0})).find("90 % of 100 reads since"),
            std::string::npos);
}

TEST(WatchView, what_a_daemon_does_says_how_far_it_is) {
  StatusSeen now = seen();
  now.daemon->next_pass.reset();
  now.daemon->running = "sync";
  now.daemon->progress = Progress{"fetch", "episodes", 1'200, std::uint64_t{5'000}};
  now.daemon->scrub =
      daemon::ScrubState{43, std::chrono::system_clock::now() - std::chrono::minutes(20)};
  const std::string all = text(watch_lines(now, {}));
  EXPECT_NE(all.find("runs sync: fetch episodes: 1,200 of 5,000 rows"), std::string::npos) << all;
  EXPECT_NE(all.find("43 % of a walk over every row; the last one ended 20 min ago"),
            std::string::npos)
      << all;
  now.daemon->scrub.reset();
  EXPECT_EQ(text(watch_lines(now, {})).find("walk"), std::string::npos);
}

TEST(WatchView, a_text_of_the_source_moves_no_cursor) {
  StatusSeen now = seen();
  now.cache.freshness.source_unavailable_since = std::chrono::system_clock::now();
  now.cache.freshness.source_unavailable_reason = "a\033[2Jb\nc";
  EXPECT_EQ(text(watch_lines(now, {})).find('\033'), std::string::npos);
  EXPECT_EQ(change_text(now).find_first_of("\033\n"), std::string::npos);
}

TEST(WatchView, what_passes_by_itself_is_no_change) {
  StatusSeen now = seen();
  const std::string before = change_text(now);
  now.cache.freshness.age = 4s;
  now.cache.reads = ReadCounts{1, 2, 3};
  now.daemon->next_pass = 6s;
  now.daemon->running = "sync";
  EXPECT_EQ(change_text(now), before);
  for (const auto& change : std::vector<std::function<void(StatusSeen&)>>{
           [](StatusSeen& s) { s.cache.freshness.state = FreshnessState::stale; },
           [](StatusSeen& s) { s.cache.freshness.doubt = "restored"; },
           [](StatusSeen& s) { s.cache.freshness.incomplete = 1; },
           [](StatusSeen& s) { s.cache.counts["episodes"] = 5; },
           [](StatusSeen& s) { s.daemon.reset(); },
           [](StatusSeen& s) { s.daemon->last_error = "no route"; },
           [](StatusSeen& s) { s.cache = {}; }}) {
    StatusSeen changed = seen();
    change(changed);
    EXPECT_NE(change_text(changed), before);
  }
}

TEST(Cut, counts_characters_and_splits_none) {
  EXPECT_EQ(cut("abc", 5), "abc");
  EXPECT_EQ(cut("abc", 2), "ab");
  EXPECT_EQ(cut("aé世b", 3), "aé世");
  EXPECT_EQ(cut("aé", 1), "a");
  EXPECT_EQ(cut("a", 0), "");
}

TEST(Frames, each_goes_over_the_last_one_and_leaves_the_terminal_as_it_was) {
  Frames frames;
  const std::string first = frames.next({"one", "two"}, {24, 80});
  EXPECT_EQ(first, "\033[?25l\033[?7l\rone\033[K\r\ntwo\033[K\r\n\033[J\033[?7h\033[?25h");
  const std::string second = frames.next({"three"}, {24, 80});
  EXPECT_EQ(second, "\033[?25l\033[?7l\r\033[2Athree\033[K\r\n\033[J\033[?7h\033[?25h");
}

TEST(Frames, are_cut_to_the_screen_and_a_new_size_begins_anew) {
  Frames frames;
  EXPECT_NE(frames.next({"12345", "second", "third"}, {3, 4}).find("\r1234\033[K\r\nseco"),
            std::string::npos);
  const std::string resized = frames.next({"12345", "second", "third"}, {2, 80});
  EXPECT_NE(resized.find("\033[H\033[2J12345\033[K\r\n\033[J"), std::string::npos);
  EXPECT_NE(frames.next({"x"}, {2, 80}).find("\033[1Ax"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::cli
