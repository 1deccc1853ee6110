#include "tests/support/test_certificates.h"

#include <fstream>
#include <stdexcept>
#include <vector>

#include "tests/support/child_process.h"

namespace tidemark::support {
namespace {

void openssl(std::vector<std::string> arguments) {
  const std::string what = arguments.front();
  arguments.insert(arguments.begin(), "openssl");
  ChildProcess child(arguments, ChildProcess::Output::none);
  if (child.wait() != 0) throw std::runtime_error("openssl " + what + " failed");
}

}  // namespace

TestCertificates::TestCertificates() {
  make_authority("ca");
  make_authority("other-ca");
  make_server("good", "ca", "IP:127.0.0.1", "2");
  make_server("wrong-host", "ca", "DNS:other.test", "2");
  make_server("expired", "ca", "IP:127.0.0.1", "-1");  // its last day is over
  make_server("untrusted", "other-ca", "IP:127.0.0.1", "2");
}

void TestCertificates::make_authority(const std::string& name) const {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-subj", "/CN=tidemark test " + name, "-days", "2", "-keyout",
           folder_.file(name + ".key"), "-out", folder_.file(name + ".pem")});
}

void TestCertificates::make_server(const std::string& name, const std::string& authority,
                                   const std::string& host, const std::string& days) const {
  const std::string request = folder_.file(name + ".csr");
  const std::string extension = folder_.file(name + ".ext");
  std::ofstream(extension) << "subjectAltName=" << host << "\n";
  const Certificate made = named(name);
  openssl({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
           "/CN=tidemark test server", "-keyout", made.key, "-out", request});
  openssl({"x509", "-req", "-in", request, "-CA", folder_.file(authority + ".pem"), "-CAkey",
           folder_.file(authority + ".key"), "-CAcreateserial", "-days", days, "-extfile",
           extension, "-out", made.cert});
}

}  // namespace tidemark::support
