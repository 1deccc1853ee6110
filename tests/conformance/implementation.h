// What the suite of turso::Connection runs on: each implementation serves one SQLite file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"
#include "turso/connection.h"

namespace tidemark::conformance {

// A database being served, for one test. The file is complete before it is served.
class Served {
 public:
  virtual ~Served() = default;
  [[nodiscard]] virtual std::string url() const = 0;
  [[nodiscard]] virtual std::string ca_file() const { return {}; }
  [[nodiscard]] virtual std::string token() const { return {}; }
  // One write by another client while the database is served.
  virtual void write(const std::string& sql) = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Served>(const std::string& database)> serve;
  bool keeps_infinities = true;    // with their sign
  bool refuses_extra_args = true;  // tursodb 0.6.0 ignores arguments that no ? names
  bool serves_together = true;     // tursodb answers one request at a time
};

// All that this build has.
std::vector<Implementation> implementations();

}  // namespace tidemark::conformance
