#include "tidemark/reader.h"

#include "cache/daemon_file.h"
#include "cache/meta_store.h"
#include "cache/nearest.h"
#include "cache/read_handle.h"
#include "cache/read_stats.h"

namespace tidemark {

struct Snapshot::Impl {
  cache::View view;
  ReaderOptions options;
  Freshness freshness;
  cache::ReadStats* stats;      // the Reader's, which outlives this
  cache::VectorStore* vectors;  // as well
};

Snapshot::Snapshot(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;
Snapshot::~Snapshot() = default;

Result<Lookup> Snapshot::get(std::string_view collection, std::string_view key) const {
  auto found = cache::lookup(impl_->view, collection, key);
  if (found) impl_->stats->count(found->presence());
  return found;
}

Result<std::vector<Lookup>> Snapshot::get_all(std::string_view collection,
                                              std::string_view key) const {
  auto found = cache::lookup_all(impl_->view, collection, key);
  if (found) impl_->stats->count(found->front().presence());
  return found;
}

Result<void> Snapshot::scan(const Query& query,
                            const std::function<bool(const Row&)>& visit) const {
  cache::ScanCursor cursor;
  while (true) {
    TIDEMARK_ASSIGN(more, cache::scan_slice(impl_->view, query, cursor, visit));
    if (!more) return {};
  }
}

Result<Nearest> Snapshot::nearest(const NearestQuery& query) const {
  TIDEMARK_ASSIGN(found, cache::nearest(impl_->view, *impl_->vectors, query));
  found.freshness = impl_->freshness;
  return std::move(found);
}

Result<std::uint64_t> Snapshot::count(std::string_view collection) const {
  const cache::View& view = impl_->view;
  TIDEMARK_ASSIGN(counted, view.txn.count(cache::data_table(collection)));
  TIDEMARK_ASSIGN(sum, cache::load_sum(view.txn, view.state, collection));
  if (counted == sum.count) return counted;
  return fail(ErrorCode::corrupt,
              "the number of rows of " + std::string(collection) + " is not what was recorded",
              cache::kRepairHint);
}

Freshness Snapshot::freshness() const { return impl_->freshness; }
std::uint64_t Snapshot::commit_id() const { return impl_->view.state.commit_id; }

struct Reader::Impl {
  cache::ReadHandle handle;
  cache::ReadStats stats;
  cache::VectorStore vectors;
  cache::Nudge nudge;  // of the daemon, when a read found the cache not to be fresh
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(const std::string& path, ReaderOptions options) {
  // A Reader with its handle in place: the handle has a mutex and cannot move.
  auto impl = std::unique_ptr<Impl>(  // NOLINT(modernize-make-unique): an aggregate of such
      new Impl{cache::ReadHandle(path, options),
               cache::ReadStats(path),
               cache::VectorStore(options.vector_cache_bytes),
               {}});
  TIDEMARK_ASSIGN(view, impl->handle.view());
  static_cast<void>(view);  // it opened, and it is a cache
  return Reader(std::move(impl));
}

Result<Lookup> Reader::get(std::string_view collection, std::string_view key) const {
  auto found = impl_->handle.get(collection, key);
  if (found) impl_->stats.count(found->presence());
  if (!found && found.error().code == ErrorCode::stale) impl_->nudge.send(impl_->handle.path());
  return found;
}

Result<void> Reader::scan(const Query& query, const std::function<bool(const Row&)>& visit) const {
  cache::ScanCursor cursor;
  while (true) {
    TIDEMARK_ASSIGN(view, impl_->handle.view());
    TIDEMARK_TRY(cache::check_staleness(view, impl_->handle.options()));
    TIDEMARK_ASSIGN(more, cache::scan_slice(view, query, cursor, visit));
    if (!more) return {};
  }
}

Result<Nearest> Reader::nearest(const NearestQuery& query) const {
  TIDEMARK_ASSIGN(one_commit, snapshot());
  return one_commit.nearest(query);
}

Result<Freshness> Reader::freshness() const {
  TIDEMARK_ASSIGN(view, impl_->handle.view());
  TIDEMARK_ASSIGN(freshness, cache::freshness_of(view, impl_->handle.options()));
  if (freshness.state != FreshnessState::fresh) impl_->nudge.send(impl_->handle.path());
  return freshness;
}

Result<Snapshot> Reader::snapshot() const {
  TIDEMARK_ASSIGN(view, impl_->handle.view());
  TIDEMARK_ASSIGN(freshness, cache::freshness_of(view, impl_->handle.options()));
  if (freshness.state != FreshnessState::fresh) impl_->nudge.send(impl_->handle.path());
  TIDEMARK_TRY(cache::check_staleness(view, impl_->handle.options()));
  return Snapshot(std::make_unique<Snapshot::Impl>(
      Snapshot::Impl{std::move(view), impl_->handle.options(), std::move(freshness), &impl_->stats,
                     &impl_->vectors}));
}

Result<std::vector<std::string>> Reader::collections() const {
  TIDEMARK_ASSIGN(view, impl_->handle.view());
  std::vector<std::string> names;
  for (const auto& collection : view.catalog->catalog.collections) names.push_back(collection.name);
  return names;
}

}  // namespace tidemark
