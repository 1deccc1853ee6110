// Certificates made with the `openssl` command for one test: an authority of its own, and server
// certificates that a client must accept or refuse.
#pragma once

#include <string>

#include "tests/support/temp_folder.h"

namespace tidemark::support {

struct Certificate {
  std::string cert;
  std::string key;
};

// Throws when `openssl` fails.
class TestCertificates {
 public:
  TestCertificates();

  [[nodiscard]] std::string ca_file() const { return folder_.file("ca.pem"); }
  [[nodiscard]] Certificate good() const { return named("good"); }              // 127.0.0.1
  [[nodiscard]] Certificate wrong_host() const { return named("wrong-host"); }  // other.test
  [[nodiscard]] Certificate expired() const { return named("expired"); }
  // Signed by an authority that ca_file() does not name.
  [[nodiscard]] Certificate untrusted() const { return named("untrusted"); }

 private:
  [[nodiscard]] Certificate named(const std::string& name) const {
    return {folder_.file(name + ".pem"), folder_.file(name + ".key")};
  }
  void make_authority(const std::string& name) const;
  void make_server(const std::string& name, const std::string& authority, const std::string& host,
                   const std::string& days) const;

  TempFolder folder_;
};

}  // namespace tidemark::support
