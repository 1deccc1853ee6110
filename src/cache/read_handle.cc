#include "cache/read_handle.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "cache/file_kind.h"
#include "cache/fork.h"
#include "cache/lock.h"
#include "cache/meta_store.h"
#include "cache/staleness.h"

namespace tidemark::cache {
namespace {

constexpr int kRetryMs = 5;  // between looks at a file that its writer is about to finish

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

Result<FileIdentity> identify(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return fail(ErrorCode::invalid, "no cache at " + path,
                  "run `tidemark sync --source URL --cache " + path + "` to make one");
    }
    return fail(ErrorCode::invalid, "cannot look at " + path, "check the path and its rights");
  }
  if (S_ISDIR(info.st_mode)) return is_a_folder(path);
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::invalid, path + " is not a file", "give the path of a cache file");
  }
  return FileIdentity{info.st_dev, info.st_ino};
}

Error explain(const std::string& path, Error error) {
  if ((error.code == ErrorCode::invalid || error.code == ErrorCode::corrupt) &&
      !may_be_redb(path)) {
    return not_a_cache(path).error();
  }
  if (error.code == ErrorCode::invalid && error.hint.empty()) {
    error.message = path + " cannot be read as a cache: " + error.message;
    error.hint = "check the path and its rights; `tidemark status` says more";
  }
  if (error.code == ErrorCode::corrupt && error.hint.empty()) {
    error.hint = kRepairHint;
  }
  return error;
}

Result<std::shared_ptr<const CatalogRecord>> catalog_of(Generation& generation,
                                                        const redb::ReadTransaction& txn,
                                                        const State& state) {
  {
    const std::lock_guard lock(generation.mutex);
    if (generation.catalog && generation.catalog_version == state.catalog_version) {
      return generation.catalog;
    }
  }
  TIDEMARK_ASSIGN(identity, load_identity(txn));
  static_cast<void>(identity);  // refuses a newer format
  TIDEMARK_ASSIGN(record, load_catalog(txn, state));
  auto catalog = std::make_shared<const CatalogRecord>(std::move(record));
  const std::lock_guard lock(generation.mutex);
  generation.catalog = catalog;
  generation.catalog_version = state.catalog_version;
  return catalog;
}

// The last one that was read: null before the first, older than the commit perhaps.
std::shared_ptr<const CatalogRecord> known_catalog(Generation& generation) {
  const std::lock_guard lock(generation.mutex);
  return generation.catalog;
}

Result<View> view_of(std::shared_ptr<Generation> generation, redb::ReadTransaction txn) {
  TIDEMARK_ASSIGN(state, load_state(txn));
  TIDEMARK_ASSIGN(catalog, catalog_of(*generation, txn, state));
  return View{std::move(generation), std::move(catalog), state, std::move(txn)};
}

}  // namespace

ReadHandle::ReadHandle(std::string path, ReaderOptions options)
    : path_(std::move(path)), options_(options), epoch_(fork_epoch()) {
  watch_forks();
}

Result<ReadHandle::Commit> ReadHandle::newest_commit() {
  if (fork_epoch() != epoch_) {
    return fail(ErrorCode::invalid, "this reader was inherited over fork()",
                "open a Reader of its own in the child process");
  }
  TIDEMARK_ASSIGN(generation, current());
  auto txn = generation->db.begin_read();
  if (!txn) return std::unexpected(explain(path_, std::move(txn).error()));
  return Commit{std::move(generation), std::move(*txn)};
}

Result<View> ReadHandle::view() {
  TIDEMARK_ASSIGN(commit, newest_commit());
  return view_of(std::move(commit.generation), std::move(commit.txn));
}

Result<Lookup> ReadHandle::get(std::string_view collection, std::string_view key) {
  TIDEMARK_ASSIGN(commit, newest_commit());
  if (options_.when_stale == StalePolicy::serve) {
    const auto catalog = known_catalog(*commit.generation);
    if (catalog) {
      TIDEMARK_ASSIGN(row, find_row(*commit.generation, commit.txn, catalog, collection, key));
      if (row) return Lookup(std::move(*row));
    }
  }
  TIDEMARK_ASSIGN(view, view_of(std::move(commit.generation), std::move(commit.txn)));
  TIDEMARK_TRY(check_staleness(view, options_));
  return lookup(view, collection, key);
}

Result<std::shared_ptr<Generation>> ReadHandle::current() {
  TIDEMARK_ASSIGN(now, identify(path_));
  const std::lock_guard lock(mutex_);
  if (current_ && FileIdentity{current_->device, current_->inode} == now) return current_;
  TIDEMARK_ASSIGN(opened, open_newest());
  current_ = opened;
  return opened;
}

Result<std::shared_ptr<Generation>> ReadHandle::open_newest() {
  const auto deadline = std::chrono::steady_clock::now() + options_.open_deadline;
  while (true) {
    TIDEMARK_ASSIGN(before, identify(path_));
    redb::OpenOptions open;
    open.page_cache_bytes = options_.page_cache_bytes;
    auto db = redb::Database::open(path_, open);
    if (db) {
      TIDEMARK_ASSIGN(after, identify(path_));
      if (before == after) {
        return std::make_shared<Generation>(std::move(*db), after.device, after.inode);
      }
    } else if (db.error().code == ErrorCode::needs_repair) {
      auto repaired = repair();
      if (repaired) continue;
      if (repaired.error().code != ErrorCode::busy) {
        return std::unexpected(std::move(repaired).error());
      }
    } else if (db.error().code != ErrorCode::busy) {
      return std::unexpected(explain(path_, std::move(db).error()));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorCode::busy, "the cache " + path_ + " is being repaired or replaced",
                  "try again in a moment");
    }
    ::poll(nullptr, 0, kRetryMs);
  }
}

// Opening for writing repairs what a killed writer left.
Result<void> ReadHandle::repair() {
  const auto owner_must = [this] {
    return fail(ErrorCode::needs_repair, "the last writer of " + path_ + " was killed",
                "the owner of the cache runs `tidemark sync`");
  };
  if (!options_.repair || ::access(path_.c_str(), W_OK) != 0) return owner_must();
  auto lock = CacheLock::acquire(path_, 0600);
  if (!lock)
    return lock.error().code == ErrorCode::busy ? std::unexpected(lock.error()) : owner_must();
  redb::OpenOptions open;
  open.mode = redb::OpenOptions::Mode::open_or_create;
  TIDEMARK_ASSIGN(db, redb::Database::open(path_, open));
  return std::move(db).close();
}

Result<Freshness> freshness_of(const View& view, const ReaderOptions& options) {
  std::string doubt;
  std::string reason;
  if (view.state.in_doubt) {
    TIDEMARK_ASSIGN(text, load_text(view.txn, view.state, "doubt"));
    doubt = std::move(text);
  }
  if (view.state.source_unavailable_since_us != 0) {
    TIDEMARK_ASSIGN(text, load_text(view.txn, view.state, "unavailable"));
    reason = std::move(text);
  }
  TIDEMARK_ASSIGN(refusal, load_refusal(view.txn, view.state));
  Freshness freshness = compute_freshness(view.state, doubt, reason,
                                          std::chrono::system_clock::now(), options.max_staleness);
  if (refusal.since_us != 0) {
    freshness.source_refused_since = time_from_us(refusal.since_us);
    freshness.source_refused_reason = std::move(refusal.reason);
  }
  return freshness;
}

Result<void> check_staleness(const View& view, const ReaderOptions& options) {
  if (options.when_stale == StalePolicy::serve) return {};
  TIDEMARK_ASSIGN(freshness, freshness_of(view, options));
  if (freshness.state == FreshnessState::fresh) return {};
  return fail(ErrorCode::stale, "the cache is " + std::string(to_string(freshness.state)),
              "run `tidemark sync`, or accept older data");
}

}  // namespace tidemark::cache
