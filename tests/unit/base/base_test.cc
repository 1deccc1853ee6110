// Backoff, the bounded queue, the set of keys, figures and UTF-8.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "base/bounded_queue.h"
#include "base/figures.h"
#include "base/key_set.h"
#include "base/utf8.h"

namespace tidemark::base {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, grows_to_its_cap_and_jitter_only_shortens_it) {
  const Backoff backoff{200ms, 5'000ms};
  EXPECT_EQ(backoff.delay(0, 0), 200ms);
  EXPECT_EQ(backoff.delay(3, 0), 1'600ms);
  EXPECT_EQ(backoff.delay(63, 0), 5'000ms);
  for (std::uint64_t random = 0; random < 500; ++random) {
    EXPECT_LE(backoff.delay(2, random), 800ms);
    EXPECT_GE(backoff.delay(2, random), 600ms);
  }
}

TEST(BoundedQueue, a_full_queue_holds_the_pusher_until_there_is_room) {
  BoundedQueue<int> queue(10);
  ASSERT_TRUE(queue.push(1, 8));
  std::jthread pusher([&] { EXPECT_TRUE(queue.push(2, 8)); });
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, an_item_over_the_bound_passes_alone) {
  BoundedQueue<int> queue(10);
  ASSERT_TRUE(queue.push(1, 100));
  EXPECT_EQ(queue.pop(), 1);
}

TEST(BoundedQueue, closing_ends_every_wait) {
  BoundedQueue<int> queue(10);
  std::jthread popper([&] { EXPECT_EQ(queue.pop(), std::nullopt); });
  queue.close();
  EXPECT_FALSE(queue.push(1, 1));
}

TEST(BoundedQueue, is_idle_once_the_popper_is_back_from_what_it_took) {
  constexpr int kItems = 500;
  BoundedQueue<int> queue(1'000);
  std::atomic<int> done{0};
  std::jthread popper([&] {
    while (queue.pop()) {
      std::this_thread::yield();
      ++done;
    }
  });
  for (int item = 1; item <= kItems; ++item) {
    ASSERT_TRUE(queue.push(item, 1));
    ASSERT_TRUE(queue.wait_until_idle());
    ASSERT_EQ(done, item);
  }
  queue.close();
  EXPECT_FALSE(queue.wait_until_idle());
}

TEST(BoundedQueue, a_wait_for_the_popper_ends_with_the_queue) {
  BoundedQueue<int> queue(10);
  ASSERT_TRUE(queue.push(1, 1));
  std::jthread pusher([&] { EXPECT_FALSE(queue.wait_until_idle()); });
  queue.close();
}

TEST(BoundedQueue, many_threads_hand_over_every_item_once) {
  constexpr std::size_t kThreads = 4;
  constexpr int kItems = 2'000;  // of each pusher
  constexpr std::size_t kBytesMax = 10;
  BoundedQueue<int> queue(kBytesMax);
  std::atomic<long> sum{0};
  std::atomic<std::size_t> popped{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t n = 0; n < kThreads; ++n) {
      threads.emplace_back([&] {
        for (int item = 1; item <= kItems; ++item) {
          ASSERT_TRUE(
              queue.push(item, static_cast<std::size_t>(item % 13)));  // some over the bound
        }
      });
      threads.emplace_back([&] {
        while (const auto item = queue.pop()) {
          sum += *item;
          if (++popped == kThreads * kItems) queue.close();
        }
      });
    }
  }
  EXPECT_EQ(popped, kThreads * kItems);
  EXPECT_EQ(sum, static_cast<long>(kThreads) * kItems * (kItems + 1) / 2);
}

TEST(Utf8, tells_well_formed_text_from_the_rest) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "plain"sv, "nul\0inside"sv, "\xC3\xA9"sv, "\xE2\x82\xAC"sv, "\xF0\x9F\x98\x80"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const auto text : {"\x80"sv, "\xC0\xAF"sv, "\xE2\x82"sv, "\xED\xA0\x80"sv,
                          "\xF4\x90\x80\x80"sv, "longer than a word \xFF"sv}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(KeySet, contains_what_was_added_before_and_after_a_question_and_nothing_else) {
  KeySet keys;
  EXPECT_FALSE(keys.contains(""));
  const auto key = [](int n) { return "key " + std::to_string(n); };
  for (int n = 1'000; n > 0; n -= 2) keys.add(key(n));
  EXPECT_TRUE(keys.contains(key(2)));
  EXPECT_FALSE(keys.contains(key(1)));
  for (int n = 1; n < 1'000; n += 2) keys.add(key(n));
  keys.add(key(2));
  keys.add("");
  for (int n = 1; n <= 1'000; ++n) EXPECT_TRUE(keys.contains(key(n)));
  EXPECT_TRUE(keys.contains(""));
  EXPECT_FALSE(keys.contains(key(0)));
  EXPECT_FALSE(keys.contains(key(1'001)));
}

TEST(Figures, are_short_and_have_their_unit) {
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(counted(0, "page") + ", " + counted(1, "page") + ", " + counted(1'000, "page"),
            "0 pages, 1 page, 1,000 pages");
  EXPECT_EQ(format_moment(412us), "412 µs");
  EXPECT_EQ(format_moment(1'900us), "1 ms");
  EXPECT_EQ(format_duration(999ms), "999 ms");
  EXPECT_EQ(format_duration(3'290ms), "3.2 s");
  EXPECT_EQ(format_duration(48h), "2 d");
  EXPECT_EQ(format_bytes(10'239), "10,239 bytes");
  EXPECT_EQ(format_bytes(10'240), "10 KiB");
  EXPECT_EQ(format_bytes(std::uint64_t{3} << 30U), "3,072 MiB");
}

}  // namespace
}  // namespace tidemark::base
