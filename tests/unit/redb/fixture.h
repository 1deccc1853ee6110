// One redb file, its writer and its readers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "redb/database.h"
#include "tests/support/temp_folder.h"

namespace tidemark::redb {

inline constexpr TableName kData{"data", KeyType::text};
inline constexpr TableName kIndex{"index", KeyType::bytes};

class Redb : public ::testing::Test {
 protected:
  Result<Database> writer(std::uint64_t fail_after = 0) {
    OpenOptions options;
    options.mode = OpenOptions::Mode::open_or_create;
    options.fail_after_operations = fail_after;
    return Database::open(path_, options);
  }
  Result<Database> reader() { return Database::open(path_, {}); }
  static Result<void> put(Database& db, std::string_view key, std::string_view value) {
    TIDEMARK_ASSIGN(txn, db.begin_write());
    const Change change{key, value};
    TIDEMARK_TRY(txn.apply(kData, {&change, 1}));
    return std::move(txn).commit();
  }
  static std::string value_of(const Database& db, std::string_view key) {
    auto txn = db.begin_read();
    if (!txn) return txn.error().message;
    auto found = txn->get(kData, key);
    if (!found) return found.error().message;
    return *found ? std::string((*found)->bytes()) : "(none)";
  }

  support::TempFolder folder_;
  std::string path_ = folder_.file("test.redb");
};

}  // namespace tidemark::redb
