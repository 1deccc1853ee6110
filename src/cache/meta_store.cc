#include "cache/meta_store.h"

#include <array>
#include <charconv>
#include <cstring>

namespace tidemark::cache {
namespace {

constexpr std::string_view kSumPrefix = "sum:";
// Of hashes: what look-ups read in place of the table of reasons.
constexpr std::string_view kSkipped = "skipped";
constexpr std::string_view kCapture = "capture";
constexpr std::string_view kFilledOver = "filled_over";
constexpr std::string_view kAudit = "audit";

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, "the cache's " + std::string(what) + " record is damaged",
              kRepairHint);
}

std::string encode_sum(const TableSum& sum) {
  const std::array<std::uint64_t, 3> words = {sum.count, sum.xor_of_hashes, sum.bytes};
  return {reinterpret_cast<const char*>(words.data()), sizeof words};
}

Result<TableSum> decode_sum(std::string_view bytes) {
  std::array<std::uint64_t, 3> words{};
  if (bytes.size() != sizeof words) return damaged("sum");
  std::memcpy(words.data(), bytes.data(), sizeof words);
  return TableSum{words[0], words[1], words[2]};
}

// The bytes as they are stored.
Result<redb::Guard> stored_record(const redb::ReadTransaction& txn, std::string_view name) {
  TIDEMARK_ASSIGN(found, txn.get(kMetaTable, name));
  if (found) return std::move(*found);
  TIDEMARK_ASSIGN(records, txn.count(kMetaTable));
  if (records > 0) return damaged(name);
  return fail(ErrorCode::invalid, "the redb file is not a tidemark cache",
              "give another --cache path; a file that is no cache is never overwritten");
}

Result<std::string_view> opened(std::string_view name, std::string_view stored, bool hashed) {
  if (!hashed) return stored;
  return unseal_record(name, stored);
}

// "1732490000000000 the reason"; empty: not refused.
std::string encode_refusal(const Refusal& refusal) {
  if (refusal.since_us == 0) return {};
  return std::to_string(refusal.since_us) + " " + refusal.reason;
}

Result<void> load_sums(const redb::ReadTransaction& txn, Meta& meta) {
  redb::Range range;
  range.from = kSumPrefix;
  range.to = "sum;";  // ';' follows ':'
  TIDEMARK_ASSIGN(slice, txn.scan(kMetaTable, range));
  for (const redb::Entry& entry : slice.entries()) {
    TIDEMARK_ASSIGN(bytes, opened(entry.key, entry.value, meta.state.hashed));
    TIDEMARK_ASSIGN(sum, decode_sum(bytes));
    meta.sums[std::string(entry.key.substr(kSumPrefix.size()))] = sum;
  }
  return {};
}

Result<void> load_skips(const redb::ReadTransaction& txn, Meta& meta) {
  redb::Range range;
  range.entries_max = kSkipsMax;
  range.bytes_max = std::size_t{16} << 20U;
  TIDEMARK_ASSIGN(slice, txn.scan(kSkipsTable, range));
  for (const redb::Entry& entry : slice.entries()) {
    TIDEMARK_ASSIGN(reason, opened(entry.key, entry.value, meta.state.hashed));
    const std::size_t zero = entry.key.find('\0');
    if (zero == std::string_view::npos) return damaged("skip list's");
    meta.skips.push_back({std::string(entry.key.substr(0, zero)),
                          std::string(entry.key.substr(zero + 1)), std::string(reason)});
  }
  return {};
}

// The table of reasons, and the hashes that look-ups go by, hold the same keys.
Result<void> check_skips(const redb::ReadTransaction& txn, const Meta& meta) {
  if (!meta.state.hashed) return {};
  if (meta.state.skipped != meta.skips.size()) return damaged("skip list's");
  if (meta.skips.empty()) return {};
  TIDEMARK_ASSIGN(stored, stored_record(txn, kSkipped));
  TIDEMARK_ASSIGN(bytes, unseal_record(kSkipped, stored.bytes()));
  return bytes == encode_skip_hashes(meta.skips) ? Result<void>{} : damaged("skip list's");
}

Result<void> store_skips(redb::WriteTransaction& txn, const std::vector<model::Skipped>& skips) {
  TIDEMARK_TRY(txn.drop_table(kSkipsTable));
  std::vector<std::pair<std::string, std::string>> entries;
  entries.reserve(skips.size());
  for (const auto& skip : skips) {
    std::string key = skip_key(skip.collection, skip.key);
    std::string reason = seal_record(key, skip.reason);
    entries.emplace_back(std::move(key), std::move(reason));
  }
  std::vector<redb::Change> changes;
  changes.reserve(skips.size());
  for (const auto& [key, reason] : entries) changes.push_back({key, reason});
  return txn.apply(kSkipsTable, changes);
}

// Records of tidemark:meta on their way into it, sealed; one without bytes is removed.
class Records {
 public:
  void put(std::string name, std::string_view bytes) {
    std::string sealed = seal_record(name, bytes);
    records_.emplace_back(std::move(name), std::move(sealed));
  }
  void remove(std::string name) { records_.emplace_back(std::move(name), std::nullopt); }

  [[nodiscard]] Result<void> apply(redb::WriteTransaction& txn) const {
    std::vector<redb::Change> changes;
    changes.reserve(records_.size());
    for (const auto& [name, bytes] : records_) changes.push_back({name, bytes});
    return txn.apply(kMetaTable, changes);
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> records_;
};

}  // namespace

Result<Identity> load_identity(const redb::ReadTransaction& txn) {
  TIDEMARK_ASSIGN(stored, stored_record(txn, "identity"));
  return decode_stored_identity(stored.bytes());
}

Result<State> load_state(const redb::ReadTransaction& txn) {
  TIDEMARK_ASSIGN(stored, stored_record(txn, "state"));
  // Of format 1 when it reads as such.
  if (auto state = decode_state(stored.bytes()); state && !state->hashed) return state;
  const auto bytes = unseal_record("state", stored.bytes());
  if (bytes) {
    auto state = decode_state(*bytes);
    if (state && state->hashed) return state;
  }
  // A newer format may have another state, but has an identity that says so.
  TIDEMARK_ASSIGN(identity, load_identity(txn));
  static_cast<void>(identity);
  return damaged("state");
}

Result<CatalogRecord> load_catalog(const redb::ReadTransaction& txn, const State& state) {
  TIDEMARK_ASSIGN(stored, stored_record(txn, "catalog"));
  TIDEMARK_ASSIGN(bytes, opened("catalog", stored.bytes(), state.hashed));
  return decode_catalog(bytes);
}

Result<std::string> load_text(const redb::ReadTransaction& txn, const State& state,
                              std::string_view name) {
  TIDEMARK_ASSIGN(stored, stored_record(txn, name));
  TIDEMARK_ASSIGN(bytes, opened(name, stored.bytes(), state.hashed));
  return std::string(bytes);
}

Result<Refusal> load_refusal(const redb::ReadTransaction& txn, const State& state) {
  if (!state.hashed) return Refusal{};  // format 1 had no such record
  TIDEMARK_ASSIGN(text, load_text(txn, state, "refused"));
  if (text.empty()) return Refusal{};
  Refusal refusal;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), refusal.since_us);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') {
    return damaged("refused");
  }
  refusal.reason = text.substr(static_cast<std::size_t>(end + 1 - text.data()));
  return refusal;
}

Result<TableSum> load_sum(const redb::ReadTransaction& txn, const State& state,
                          std::string_view collection) {
  const std::string name = std::string(kSumPrefix) + std::string(collection);
  TIDEMARK_ASSIGN(stored, txn.get(kMetaTable, name));
  if (!stored) return TableSum{};
  TIDEMARK_ASSIGN(bytes, opened(name, stored->bytes(), state.hashed));
  return decode_sum(bytes);
}

Result<Meta> load_meta(const redb::ReadTransaction& txn) {
  Meta meta;
  TIDEMARK_ASSIGN(identity, load_identity(txn));
  meta.identity = std::move(identity);
  TIDEMARK_ASSIGN(state, load_state(txn));
  meta.state = state;
  if (state.hashed != (meta.identity.format_version >= 2)) return damaged("state");
  TIDEMARK_ASSIGN(catalog, load_catalog(txn, state));
  meta.catalog = std::move(catalog);
  TIDEMARK_ASSIGN(boundary, load_text(txn, state, "boundary"));
  meta.boundary.place = std::move(boundary);
  TIDEMARK_ASSIGN(capture, txn.get(kMetaTable, kCapture));
  if (capture) {
    TIDEMARK_ASSIGN(bytes, unseal_record(kCapture, capture->bytes()));
    TIDEMARK_ASSIGN(record, decode_capture(bytes));
    meta.capture = std::move(record);
  }
  TIDEMARK_ASSIGN(filled_over, txn.get(kMetaTable, kFilledOver));
  if (filled_over) {
    TIDEMARK_ASSIGN(bytes, unseal_record(kFilledOver, filled_over->bytes()));
    meta.filled_over = bytes;
  }
  TIDEMARK_ASSIGN(audit, txn.get(kMetaTable, kAudit));
  if (audit) {
    TIDEMARK_ASSIGN(bytes, unseal_record(kAudit, audit->bytes()));
    TIDEMARK_ASSIGN(record, decode_audit(bytes));
    meta.audit = std::move(record);
  }
  TIDEMARK_ASSIGN(doubt, load_text(txn, state, "doubt"));
  meta.doubt = std::move(doubt);
  TIDEMARK_ASSIGN(reason, load_text(txn, state, "unavailable"));
  meta.source_unavailable_reason = std::move(reason);
  TIDEMARK_ASSIGN(refusal, load_refusal(txn, state));
  meta.refusal = std::move(refusal);
  TIDEMARK_ASSIGN(report, load_text(txn, state, "report"));
  meta.last_report_json = std::move(report);
  TIDEMARK_TRY(load_sums(txn, meta));
  TIDEMARK_TRY(load_skips(txn, meta));
  TIDEMARK_TRY(check_skips(txn, meta));
  return meta;
}

Result<bool> is_skipped(const redb::ReadTransaction& txn, const State& state,
                        std::string_view collection, std::string_view key) {
  if (!state.hashed) {
    TIDEMARK_ASSIGN(found, txn.get(kSkipsTable, skip_key(collection, key)));
    return found.has_value();
  }
  if (state.skipped == 0) return false;
  TIDEMARK_ASSIGN(stored, stored_record(txn, kSkipped));
  TIDEMARK_ASSIGN(bytes, unseal_record(kSkipped, stored.bytes()));
  return is_among_skips(bytes, collection, key);
}

Result<void> store_meta(redb::WriteTransaction& txn, const Meta& meta, const Meta* before) {
  Records records;
  records.put("identity", encode_identity(meta.identity));
  records.put("state", encode_state(meta.state));
  records.put("boundary", meta.boundary.place);
  if (meta.capture.database_id.empty()) {
    records.remove(std::string(kCapture));
  } else {
    records.put(std::string(kCapture), encode_capture(meta.capture));
  }
  if (meta.filled_over) records.put(std::string(kFilledOver), *meta.filled_over);
  records.put(std::string(kAudit), encode_audit(meta.audit));
  records.put("doubt", meta.doubt);
  records.put("unavailable", meta.source_unavailable_reason);
  records.put("refused", encode_refusal(meta.refusal));
  records.put("report", meta.last_report_json);
  if (before == nullptr || before->catalog != meta.catalog) {
    records.put("catalog", encode_catalog(meta.catalog));
  }
  for (const auto& [name, sum] : meta.sums) {
    records.put(std::string(kSumPrefix) + name, encode_sum(sum));
  }
  if (before != nullptr) {
    for (const auto& [name, sum] : before->sums) {
      if (!meta.sums.contains(name)) records.remove(std::string(kSumPrefix) + name);
    }
  }
  const bool same_skips = before != nullptr && before->skips == meta.skips;
  if (!same_skips && meta.skips.empty()) {
    records.remove(std::string(kSkipped));
  } else if (!same_skips) {
    records.put(std::string(kSkipped), encode_skip_hashes(meta.skips));
  }
  TIDEMARK_TRY(records.apply(txn));
  return same_skips ? Result<void>{} : store_skips(txn, meta.skips);
}

}  // namespace tidemark::cache
