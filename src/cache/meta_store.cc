#include "cache/meta_store.h"

#include <array>
#include <cstring>

namespace tidemark::cache {
namespace {

constexpr std::string_view kSumPrefix = "sum:";

std::string encode_sum(const TableSum& sum) {
  const std::array<std::uint64_t, 3> words = {sum.count, sum.xor_of_hashes, sum.bytes};
  return {reinterpret_cast<const char*>(words.data()), sizeof words};
}

Result<TableSum> decode_sum(std::string_view bytes) {
  std::array<std::uint64_t, 3> words{};
  if (bytes.size() != sizeof words) {
    return fail(ErrorCode::corrupt, "the cache's sum record is damaged",
                "run `tidemark sync --full` to fill the cache anew");
  }
  std::memcpy(words.data(), bytes.data(), sizeof words);
  return TableSum{words[0], words[1], words[2]};
}

Result<std::string> optional_record(const redb::ReadTransaction& txn, std::string_view name) {
  TIDEMARK_ASSIGN(found, txn.get(kMetaTable, name));
  return found ? std::string(found->bytes()) : std::string{};
}

Result<void> load_sums(const redb::ReadTransaction& txn, Meta& meta) {
  redb::Range range;
  range.from = kSumPrefix;
  range.to = "sum;";  // ';' follows ':'
  TIDEMARK_ASSIGN(slice, txn.scan(kMetaTable, range));
  for (const redb::Entry& entry : slice.entries()) {
    TIDEMARK_ASSIGN(sum, decode_sum(entry.value));
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
    const std::size_t zero = entry.key.find('\0');
    if (zero == std::string_view::npos) continue;
    meta.skips.push_back({std::string(entry.key.substr(0, zero)),
                          std::string(entry.key.substr(zero + 1)), std::string(entry.value)});
  }
  return {};
}

Result<void> store_skips(redb::WriteTransaction& txn, const std::vector<model::Skipped>& skips) {
  TIDEMARK_TRY(txn.drop_table(kSkipsTable));
  std::vector<std::string> keys;
  keys.reserve(skips.size());
  for (const auto& skip : skips) keys.push_back(skip_key(skip.collection, skip.key));
  std::vector<redb::Change> changes;
  changes.reserve(skips.size());
  for (std::size_t i = 0; i < skips.size(); ++i) changes.push_back({keys[i], skips[i].reason});
  return txn.apply(kSkipsTable, changes);
}

}  // namespace

std::string skip_key(std::string_view collection, std::string_view key) {
  std::string out(collection);
  out += '\0';
  out += key;
  return out;
}

Result<std::string> read_record(const redb::ReadTransaction& txn, std::string_view name) {
  TIDEMARK_ASSIGN(found, txn.get(kMetaTable, name));
  if (!found) {
    return fail(ErrorCode::invalid, "the redb file is not a tidemark cache",
                "give another --cache path; a file that is no cache is never overwritten");
  }
  return std::string(found->bytes());
}

Result<State> load_state(const redb::ReadTransaction& txn) {
  TIDEMARK_ASSIGN(found, txn.get(kMetaTable, "state"));
  if (!found) return State{};
  return decode_state(found->bytes());
}

Result<Meta> load_meta(const redb::ReadTransaction& txn) {
  Meta meta;
  TIDEMARK_ASSIGN(identity, read_record(txn, "identity"));
  TIDEMARK_ASSIGN(decoded, decode_identity(identity));
  meta.identity = decoded;
  TIDEMARK_ASSIGN(state, load_state(txn));
  meta.state = state;
  TIDEMARK_ASSIGN(catalog, read_record(txn, "catalog"));
  TIDEMARK_ASSIGN(catalog_record, decode_catalog(catalog));
  meta.catalog = std::move(catalog_record);
  TIDEMARK_ASSIGN(boundary, optional_record(txn, "boundary"));
  meta.boundary.place = std::move(boundary);
  TIDEMARK_ASSIGN(doubt, optional_record(txn, "doubt"));
  meta.doubt = std::move(doubt);
  TIDEMARK_ASSIGN(reason, optional_record(txn, "unavailable"));
  meta.source_unavailable_reason = std::move(reason);
  TIDEMARK_ASSIGN(report, optional_record(txn, "report"));
  meta.last_report_json = std::move(report);
  TIDEMARK_TRY(load_sums(txn, meta));
  TIDEMARK_TRY(load_skips(txn, meta));
  return meta;
}

Result<void> store_meta(redb::WriteTransaction& txn, const Meta& meta, const Meta* before) {
  const std::string identity = encode_identity(meta.identity);
  const std::string state = encode_state(meta.state);
  const std::string catalog = encode_catalog(meta.catalog);
  std::vector<redb::Change> changes = {{"identity", identity},
                                       {"state", state},
                                       {"boundary", meta.boundary.place},
                                       {"doubt", meta.doubt},
                                       {"unavailable", meta.source_unavailable_reason},
                                       {"report", meta.last_report_json}};
  if (before == nullptr || before->catalog != meta.catalog) changes.push_back({"catalog", catalog});
  std::vector<std::pair<std::string, std::string>> sums;
  sums.reserve(meta.sums.size());
  for (const auto& [name, sum] : meta.sums) {
    sums.emplace_back(std::string(kSumPrefix) + name, encode_sum(sum));
  }
  if (before != nullptr) {
    for (const auto& [name, sum] : before->sums) {
      if (!meta.sums.contains(name)) sums.emplace_back(std::string(kSumPrefix) + name, "");
    }
  }
  for (const auto& [name, sum] : sums) {
    changes.push_back({name, sum.empty() ? std::nullopt : std::optional<std::string_view>(sum)});
  }
  TIDEMARK_TRY(txn.apply(kMetaTable, changes));
  if (before != nullptr && before->skips == meta.skips) return {};
  return store_skips(txn, meta.skips);
}

}  // namespace tidemark::cache
