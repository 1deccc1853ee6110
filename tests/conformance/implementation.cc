#include "tests/conformance/implementation.h"

#include "tests/support/hrana_peer.h"
#include "tests/support/test_certificates.h"
#include "tests/support/turso_server.h"

namespace tidemark::conformance {
namespace {

class ServedFile final : public Served {
 public:
  explicit ServedFile(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::string url() const override { return "file:" + path_; }
  void write(const std::string& sql) override { support::SqliteSource(path_).run(sql); }

 private:
  const std::string path_;
};

#ifdef TIDEMARK_HTTP_CONFORMANCE
class ServedByTurso final : public Served {
 public:
  explicit ServedByTurso(const std::string& path) : server_(path) {}
  [[nodiscard]] std::string url() const override { return server_.url(); }
  void write(const std::string& sql) override { server_.execute(sql); }

 private:
  support::TursoServer server_;
};

class ServedByPeer final : public Served {
 public:
  ServedByPeer(std::string path, nlohmann::json options)
      : path_(std::move(path)), peer_(path_, std::move(options)) {}
  [[nodiscard]] std::string url() const override { return peer_.url(); }
  void write(const std::string& sql) override { support::SqliteSource(path_).run(sql); }

 private:
  const std::string path_;
  support::HranaPeer peer_;
};

class ServedOverTls final : public Served {
 public:
  explicit ServedOverTls(const std::string& path)
      : path_(path),
        peer_(path, {{"cert", certificates_.good().cert},
                     {"key", certificates_.good().key},
                     {"tokens", {"conformance-token"}}}) {}
  // libsql:// means https.
  [[nodiscard]] std::string url() const override { return "libsql" + peer_.url().substr(5); }
  [[nodiscard]] std::string ca_file() const override { return certificates_.ca_file(); }
  [[nodiscard]] std::string token() const override { return "conformance-token"; }
  void write(const std::string& sql) override { support::SqliteSource(path_).run(sql); }

 private:
  const std::string path_;
  support::TestCertificates certificates_;
  support::HranaPeer peer_;
};

void add_http(std::vector<Implementation>& all) {
  all.push_back(
      {.name = "tursodb",
       .serve = [](const std::string& path) { return std::make_unique<ServedByTurso>(path); },
       .keeps_infinities = false,
       .refuses_extra_args = false,
       .serves_together = false});
  all.push_back({.name = "peer_v2",
                 .serve =
                     [](const std::string& path) {
                       return std::make_unique<ServedByPeer>(
                           path, nlohmann::json{{"v3", false},
                                                {"close", false},
                                                {"get_autocommit", false},
                                                {"padded", false},
                                                {"rows_read", false},
                                                {"batons", false},
                                                {"keep_alive", false}});
                     },
                 .keeps_infinities = false});
  all.push_back({.name = "peer_v3",
                 .serve =
                     [](const std::string& path) {
                       return std::make_unique<ServedByPeer>(
                           path, nlohmann::json{{"v2", false}, {"replication_index", "7"}});
                     },
                 .keeps_infinities = false});
  all.push_back(
      {.name = "peer_tls",
       .serve = [](const std::string& path) { return std::make_unique<ServedOverTls>(path); },
       .keeps_infinities = false});
}
#endif

}  // namespace

std::vector<Implementation> implementations() {
  std::vector<Implementation> all;
  all.push_back({.name = "file", .serve = [](const std::string& path) {
                   return std::make_unique<ServedFile>(path);
                 }});
#ifdef TIDEMARK_HTTP_CONFORMANCE
  add_http(all);
#endif
  return all;
}

}  // namespace tidemark::conformance
