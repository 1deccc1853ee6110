#include "cache/writer.h"

#include "cache/files.h"
#include "cache/row_format.h"
#include "cache/write_session_impl.h"

namespace tidemark::cache {

Result<void> Writer::Impl::keep() {
  if (unkept.empty()) return {};
  TIDEMARK_TRY(keep_generation(unkept));
  unkept.clear();
  db.sync_commits();
  return {};
}

redb::OpenOptions open_options(const WriterOptions& options) {
  redb::OpenOptions out;
  out.mode = redb::OpenOptions::Mode::open_or_create;
  out.page_cache_bytes = options.page_cache_bytes;
  out.file_mode = options.file_mode;
  out.on_repair_progress = [keep_going = options.keep_going](double) { return keep_going(); };
  out.fail_after_operations = options.fail_after_operations;
  return out;
}

Result<std::optional<Identity>> peek_identity(const std::string& path) {
  const auto db = redb::Database::open(path, {});
  if (!db) return std::nullopt;  // the open for writing repairs it, or says what is wrong
  const auto read = [&]() -> Result<Identity> {
    TIDEMARK_ASSIGN(txn, db->begin_read());
    return load_identity(txn);
  };
  auto identity = read();
  if (!identity) return wrap("open cache " + path, std::move(identity).error());
  return std::move(*identity);
}

std::optional<Meta> peek_meta(const std::string& path) {
  const auto db = redb::Database::open(path, {});
  if (!db) return std::nullopt;
  const auto txn = db->begin_read();
  if (!txn) return std::nullopt;
  auto meta = load_meta(*txn);
  return meta ? std::optional(std::move(*meta)) : std::nullopt;
}

EncodedRow encode_record(const model::Collection& collection, const model::Record& record) {
  return {record.key,
          encode_row(collection.name, record.key, collection.schema_id(), record.cells)};
}

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::open(const std::string& path, const WriterOptions& options) {
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open_options(options)));
  TIDEMARK_ASSIGN(read, db.begin_read());
  auto meta = load_meta(read);
  if (!meta) return wrap("open cache " + path, std::move(meta).error());
  return Writer(std::make_unique<Impl>(Impl{std::move(db), std::move(*meta), options.keep_going}));
}

Result<Writer> Writer::create(const std::string& path, const Meta& first,
                              const WriterOptions& options) {
  remove_generation(path);
  redb::OpenOptions unsynced = open_options(options);
  unsynced.defer_sync = true;
  TIDEMARK_ASSIGN(db, redb::Database::open(begun_path(path), unsynced));
  TIDEMARK_ASSIGN(write, db.begin_write());
  TIDEMARK_TRY(store_meta(write, first, nullptr));
  TIDEMARK_TRY(std::move(write).commit());
  return Writer(std::make_unique<Impl>(Impl{std::move(db), first, options.keep_going, path}));
}

Result<WriteSession> Writer::begin() {
  TIDEMARK_ASSIGN(txn, impl_->db.begin_write());
  return WriteSession(std::make_unique<WriteSession::Impl>(
      WriteSession::Impl{std::move(txn), impl_->meta, impl_.get()}));
}

Result<std::vector<bool>> Writer::stored(std::string_view collection,
                                         std::span<const std::string> keys) const {
  TIDEMARK_ASSIGN(txn, impl_->db.begin_read());
  std::vector<bool> found;
  found.reserve(keys.size());
  for (const std::string& key : keys) {
    TIDEMARK_ASSIGN(row, txn.get(data_table(collection), key));
    found.push_back(row.has_value());
  }
  return found;
}

const Meta& Writer::meta() const { return impl_->meta; }

Result<void> Writer::close() && {
  TIDEMARK_TRY(std::move(impl_->db).close());
  return impl_->unkept.empty() ? Result<void>() : keep_generation(impl_->unkept);
}

}  // namespace tidemark::cache
