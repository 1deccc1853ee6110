#include "tests/fault/differential/twins.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "tests/fault/differential/rules.h"
#include "tests/fault/differential/statements.h"

namespace tidemark::differential {
namespace {

constexpr std::size_t kStatementsMax = 25;  // of a round
constexpr std::size_t kSaidMax = 60;        // statements that a failure prints
constexpr std::size_t kShownMax = 300;      // characters of one of them

[[noreturn]] void differ(const std::string& what) { throw std::runtime_error(what); }

std::string text(const Error& error) {
  return std::string(to_string(error.code)) + ": " + error.message + " " + error.source_text;
}
std::string text(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += " | " + cell.substr(0, kShownMax);
  return out;
}

std::string cell_of(ValueView value) {
  switch (value.type()) {
    case ValueType::int64:
      return "i:" + std::to_string(value.as_int64());
    case ValueType::real:
      return real_cell(value.as_real());
    case ValueType::text:
      return "t:" + hex(value.bytes());
    case ValueType::blob:
      return "b:" + hex(value.bytes());
    case ValueType::vector:
      return "v:" + hex(value.bytes());
    case ValueType::repeated:
      return "repeated";
    case ValueType::null:
      break;
  }
  return "null";
}

Reader opened(const std::string& cache) {
  auto reader = Reader::open(cache);
  if (!reader) differ("open " + cache + ": " + text(reader.error()));
  return std::move(*reader);
}

// What a cache lists, with each row's JSON behind its cells.
Contents listed(const Snapshot& snapshot, const Schema& schema, bool with_json) {
  Contents out;
  for (const Table& table : schema) {
    std::vector<Item>& items = out[table.name];
    const auto scanned = snapshot.scan({.collection = table.name}, [&](const Row& row) {
      Item item{std::string(row.key()), {}};
      for (std::size_t c = 0; c < row.column_count(); ++c) item.cells.push_back(cell_of(row.at(c)));
      if (with_json) item.cells.push_back(row.to_json());
      items.push_back(std::move(item));
      return true;
    });
    if (!scanned) differ("list " + table.name + ": " + text(scanned.error()));
    const auto count = snapshot.count(table.name);
    if (!count || *count != items.size()) differ("count of " + table.name);
    if (table.kind != "episodes") std::ranges::sort(items, {}, &Item::key);
  }
  return out;
}

void expect_same(const std::string& what, const Contents& a, const Contents& b) {
  for (const auto& [table, items] : a) {
    const std::vector<Item>& others = b.at(table);
    const std::size_t common = std::min(items.size(), others.size());
    for (std::size_t i = 0; i < common; ++i) {
      if (items[i] == others[i]) continue;
      differ(what + ": " + table + " row " + std::to_string(i) + ":\n  '" + items[i].key + "'" +
             text(items[i].cells) + "\n  '" + others[i].key + "'" + text(others[i].cells));
    }
    if (items.size() == others.size()) continue;
    const auto& longer = items.size() > common ? items : others;
    differ(what + ": " + table + " has " + std::to_string(items.size()) + " and " +
           std::to_string(others.size()) + " rows; '" + longer[common].key + "'" +
           text(longer[common].cells));
  }
}

}  // namespace

Twins::Twins(std::uint64_t seed)
    : dice_(seed),
      schema_(random_schema(dice_)),
      window_(dice_.of(std::vector<std::size_t>{3, 8, 1'000})),
      folder_(support::memory_folder()),
      file_(folder_.file("file.db")) {
  begin();
}

// The server begins with a copy of what SQLite wrote, where it can read that.
void Twins::begin() {
  const bool copied =
      kServerHasWithoutRowid || std::ranges::none_of(schema_, &Table::without_rowid);
  std::vector<std::string> tables;
  for (const Table& table : schema_) {
    said_.push_back(table.create(false));
    tables.push_back(table.create(!kServerHasWithoutRowid));
    const auto refused = file_.execute({said_.back()})[0];
    if (!refused.empty()) differ(said_.back() + ": " + refused);
  }
  std::vector<std::string> more;
  for (const Table& table : schema_)
    more.insert(more.end(), table.indexes.begin(), table.indexes.end());
  Author author(dice_, copied);
  for (std::size_t i = 0; i < kStatementsMax; ++i) more.push_back(author.statement(schema_));
  if (copied) {
    (void)file_.execute(more);
    said_.insert(said_.end(), more.begin(), more.end());
    std::filesystem::copy_file(folder_.file("file.db"), folder_.file("server.db"));
  }
  server_ = std::make_unique<ServerSide>(folder_.file("server.db"));
  if (copied) return;
  for (const auto& refused : server_->execute(tables)) {
    if (!refused.empty()) differ("tursodb: " + refused);
  }
  execute(more);
}

void Twins::execute(const std::vector<std::string>& statements) {
  const auto file = file_.execute(statements);
  const auto server = server_->execute(statements);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    said_.push_back(statements[i] + (file[i].empty() ? "" : "  -- refused"));
    ++statements_;
    refused_ += file[i].empty() ? 0 : 1;
    if (file[i].empty() == server.at(i).empty()) continue;
    differ("one side refused what the other did: " + statements[i].substr(0, kShownMax) +
           "\n  SQLite: " + file[i] + "\n  tursodb: " + server[i]);
  }
}

SyncReport Twins::pass(Side& side, const std::string& cache) const {
  SyncConfig config;
  config.max_episodes_cache = window_;
  config.batch_size = 3;
  auto syncer = Syncer::open(side.url(), cache, config);
  if (!syncer) differ(side.url() + ": " + text(syncer.error()));
  auto report = syncer->sync();
  if (!report) differ(side.url() + ": " + text(report.error()));
  if (report->validation.failed()) differ(side.url() + ": " + report->validation.problems.front());
  return std::move(*report);
}

void Twins::round() {
  std::vector<std::string> statements;
  Table& grows = schema_[dice_.below(schema_.size())];
  const bool keeps = kServerKeepsSizesOverAlter || !grows.find(Use::vector);
  if (dice_.one_in(8) && keeps) statements.push_back(add_column(dice_, grows));
  const std::size_t count = dice_.below(kStatementsMax);
  Author author(dice_, kServerWritesOddValues);
  for (std::size_t i = 0; i < count; ++i) statements.push_back(author.statement(schema_));
  if (!statements.empty()) execute(statements);
  compare_sources();
  compare();
}

void Twins::compare_sources() {
  const Rows file = everything(file_, schema_);
  const Rows server = everything(*server_, schema_);
  const auto lacks = [](const Rows& of, const Rows& than) {
    Rows more;
    std::ranges::set_difference(of, than, std::back_inserter(more));
    return more.empty() ? std::string(" nothing") : text(more.front());
  };
  if (file == server) return;
  differ("the sources differ:\n  only SQLite has" + lacks(file, server) + "\n  only tursodb has" +
         lacks(server, file));
}

void Twins::capture() {
  captured_ = true;
  std::map<std::string, bool> captured;
  for (Side* const side : {static_cast<Side*>(&file_), static_cast<Side*>(server_.get())}) {
    auto admin = CaptureAdmin::open(side->url());
    if (!admin) differ(text(admin.error()));
    const auto plan = admin->plan({});
    if (!plan && plan.error().code == ErrorCode::unsupported) continue;  // no table can be captured
    if (!plan) differ("capture: " + text(plan.error()));
    const auto status = admin->apply(*plan, {});
    if (!status) differ("capture: " + text(status.error()));
    for (const Table& table : schema_) {
      if (table.without_rowid) continue;
      const auto found = std::ranges::find(status->tables, table.name, &CapturedTable::table);
      const bool healthy = found != status->tables.end() && found->healthy;
      const auto [known, fresh] = captured.emplace(table.name, healthy);
      if (known->second != healthy) differ(table.name + " is captured on one side");
    }
  }
  said_.emplace_back("-- capture install");
}

void Twins::compare() {
  const SyncReport file = pass(file_, file_cache_);
  const SyncReport server = pass(*server_, server_cache_);
  ++modes_[file.mode];
  mode_ = file.mode;
  if (same_capture() && file.mode != server.mode) {
    differ("modes: " + file.mode + " (" + file.reason + ") and " + server.mode + " (" +
           server.reason + ")");
  }
  compare_listings(expected(file_, schema_, window_), expected(*server_, schema_, window_));
  compare_presence();
  for (const std::string& cache : {file_cache_, server_cache_}) {
    const auto checked = check(cache, true);
    if (!checked) differ("check: " + text(checked.error()));
    if (!checked->problems.empty()) differ("check: " + checked->problems.front());
  }
}

bool Twins::same_capture() const {
  return !captured_ || std::ranges::none_of(schema_, &Table::without_rowid);
}

void Twins::compare_listings(const Contents& file, const Contents& server) {
  const Reader file_reader = opened(file_cache_);
  const Reader server_reader = opened(server_cache_);
  const auto file_snapshot = file_reader.snapshot();
  const auto server_snapshot = server_reader.snapshot();
  if (!file_snapshot || !server_snapshot) differ("no snapshot");
  expect_same("file: and its SQL", listed(*file_snapshot, schema_, false), file);
  expect_same("the server's cache and its SQL", listed(*server_snapshot, schema_, false), server);
  expect_same("both caches", listed(*file_snapshot, schema_, true),
              listed(*server_snapshot, schema_, true));
  for (const auto& [table, items] : file) rows_ += items.size();
}

void Twins::compare_presence() const {
  const Reader file = opened(file_cache_);
  const Reader server = opened(server_cache_);
  for (const Table& table : schema_) {
    for (const std::string& key : possible_keys(table)) {
      const auto a = file.get(table.name, key);
      const auto b = server.get(table.name, key);
      if (!a || !b) differ("get " + table.name + " " + key);
      // A scan of a file is one snapshot, and so proves more than one over HTTP whose list of the
      // window came in several replies (docs/sync.md); the log proves the same on both sides.
      const bool strict = same_capture() && (mode_ == "delta" || mode_ == "reconcile");
      const bool same =
          a->presence() == b->presence() ||
          (!strict && !*a && !*b && (!same_capture() || b->presence() == Presence::unknown));
      if (same) continue;
      differ("get " + table.name + " '" + key + "' is " + std::string(to_string(a->presence())) +
             " and " + std::string(to_string(b->presence())) + "; whole windows: " +
             std::to_string(static_cast<int>(inspect(file_cache_).window_complete)) + " and " +
             std::to_string(static_cast<int>(inspect(server_cache_).window_complete)));
    }
  }
}

std::string Twins::history() const {
  std::string out = "the newest " + std::to_string(window_) + " episodes\n";
  const std::size_t begin = said_.size() > kSaidMax ? said_.size() - kSaidMax : 0;
  for (std::size_t i = 0; i < said_.size(); ++i) {
    if (i >= schema_.size() && i < begin) continue;
    out += "  " + said_[i].substr(0, kShownMax) + "\n";
  }
  return out;
}

}  // namespace tidemark::differential
