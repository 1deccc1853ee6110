// The cache's own writing, with storage that fails at every operation.
#include "tests/fault/every_operation.h"

#include "tests/support/small_cache.h"

namespace tidemark {
namespace {

using fault::fail_at_every_operation;
using support::episode;

std::vector<cache::EncodedRow> rows(int from, int to, const std::string& body) {
  std::vector<cache::EncodedRow> out;
  for (int i = from; i < to; ++i) out.push_back(episode("k" + std::to_string(i), i, body));
  return out;
}

// Puts, replaces and removes in one commit.
Result<void> reconcile(const std::string& path, std::uint64_t fail_after,
                       const std::vector<cache::EncodedRow>& put,
                       const std::vector<std::string>& remove) {
  cache::WriterOptions options;
  options.fail_after_operations = fail_after;
  TIDEMARK_ASSIGN(writer, cache::Writer::open(path, options));
  TIDEMARK_ASSIGN(session, writer.begin());
  const model::Collection episodes = support::small_catalog().collections[0];
  TIDEMARK_TRY(session.put(episodes, put));
  TIDEMARK_TRY(session.remove(episodes, remove));
  TIDEMARK_TRY(std::move(session).commit());
  return std::move(writer).close();
}

TEST(FaultAtEveryOperation, of_a_reconcile_leaves_the_old_or_the_new_state) {
  const support::SmallCache cache;
  ASSERT_TRUE(support::write_episodes(cache.path, rows(0, 60, std::string(500, 'a'))));
  fail_at_every_operation(
      cache.path,
      [&] { ASSERT_TRUE(reconcile(cache.path, 0, rows(0, 60, std::string(500, 'a')), {"k70"})); },
      [&](std::uint64_t n) {
        auto put = rows(20, 40, std::string(700, 'b'));
        put.push_back(episode("k70", 70, "new"));
        return reconcile(cache.path, n, put, {"k1", "k2"});
      });
}

TEST(FaultAtEveryOperation, of_a_fill_leaves_the_old_generation_until_the_new_one_is_whole) {
  const support::SmallCache cache;
  const auto fill = [&](std::uint64_t fail_after, const std::string& body) -> Result<void> {
    cache::WriterOptions options;
    options.fail_after_operations = fail_after;
    const std::string next = cache::generation_path(cache.path);
    TIDEMARK_ASSIGN(writer, cache::Writer::create(next, cache::Meta{}, options));
    TIDEMARK_ASSIGN(session, writer.begin());
    support::describe(session.edit_meta());
    const model::Collection episodes = support::small_catalog().collections[0];
    TIDEMARK_TRY(session.put(episodes, rows(0, 30, body)));
    TIDEMARK_TRY(session.checkpoint());
    TIDEMARK_TRY(session.put(episodes, rows(30, 60, body)));
    TIDEMARK_TRY(std::move(session).commit());
    TIDEMARK_TRY(std::move(writer).close());
    return cache::install_generation(next, cache.path);
  };
  fail_at_every_operation(
      cache.path, [&] { ASSERT_TRUE(fill(0, std::string(500, 'a'))); },
      [&](std::uint64_t n) { return fill(n, std::string(600, 'b')); });
}

}  // namespace
}  // namespace tidemark
