// The second thread of a fetch.
#include "sync/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <semaphore>
#include <thread>
#include <vector>

namespace tidemark::sync {
namespace {

TEST(Worker, runs_jobs_in_order_on_another_thread) {
  std::vector<int> seen;
  std::thread::id where;
  std::binary_semaphore done(0);
  Worker worker;
  for (int i = 0; i < 100; ++i) worker.run([&seen, i] { seen.push_back(i); });
  worker.run([&] {
    where = std::this_thread::get_id();
    done.release();
  });
  done.acquire();
  ASSERT_EQ(seen.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(Worker, drained_finishes_the_job_that_runs_and_drops_the_rest) {
  std::binary_semaphore started(0);
  std::binary_semaphore go_on(0);
  bool first = false;
  bool second = false;
  bool third = false;
  Worker worker;
  worker.run([&] {
    started.release();
    go_on.acquire();
    first = true;
  });
  worker.run([&] { second = true; });
  started.acquire();
  std::jthread releaser([&] { go_on.release(); });
  worker.drain();
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  std::binary_semaphore done(0);
  worker.run([&] {
    third = true;
    done.release();
  });
  done.acquire();
  EXPECT_TRUE(third);
}

TEST(Worker, that_never_ran_ends_at_once) {
  const Worker idle;
  Worker drained;
  drained.drain();
}

}  // namespace
}  // namespace tidemark::sync
