// One schema in a SQLite file and in the real server, a cache of each, and all that must be equal.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/fault/differential/truth.h"
#include "tests/support/temp_folder.h"
#include "tidemark/capture.h"
#include "tidemark/syncer.h"

namespace tidemark::differential {

// One thread. Throws what makes the two differ, as a sentence.
class Twins {
 public:
  explicit Twins(std::uint64_t seed);

  // Some statements, a pass on each side, and the comparison.
  void round();
  // From here on both caches may follow a log.
  void capture();

  [[nodiscard]] const std::map<std::string, int>& modes() const { return modes_; }
  [[nodiscard]] std::size_t statements() const { return statements_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  // The schema and the last statements.
  [[nodiscard]] std::string history() const;

 private:
  void begin();
  void execute(const std::vector<std::string>& statements);
  void compare_sources();
  SyncReport pass(Side& side, const std::string& cache) const;
  void compare();
  void compare_listings(const Contents& file, const Contents& server);
  void compare_presence() const;
  // Both caches follow a log, or neither does.
  [[nodiscard]] bool same_capture() const;

  Dice dice_;
  Schema schema_;
  std::size_t window_;
  support::TempFolder folder_;
  FileSide file_;
  std::unique_ptr<ServerSide> server_;  // after the file that it serves is there
  std::string file_cache_ = folder_.file("file.redb");
  std::string server_cache_ = folder_.file("server.redb");
  bool captured_ = false;
  std::string mode_;  // of the last pass over the file
  std::vector<std::string> said_;
  std::map<std::string, int> modes_;
  std::size_t statements_ = 0;
  std::size_t refused_ = 0;
  std::size_t rows_ = 0;
};

}  // namespace tidemark::differential
