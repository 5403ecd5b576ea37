// Certificates to throw away, made by the openssl command when a test first asks for them: an authority, a server's
// that it signed, the same but expired, and one of a stranger.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "tests/unit/net/io/loopback.h"

namespace weir {

class Certificates {
 public:
  // The server's are for `a.example`, one label before `wild.example`, 127.0.0.1 and ::1.
  static const Certificates& get() {
    static const Certificates made;
    return made;
  }

  std::string authority() const { return folder_ / "ca.pem"; }
  std::string server() const { return folder_ / "server.pem"; }
  std::string expired() const { return folder_ / "expired.pem"; }
  std::string key() const { return folder_ / "server.key"; }  // of both of them
  std::string stranger() const { return folder_ / "stranger.pem"; }
  std::string stranger_key() const { return folder_ / "stranger.key"; }

 private:
  Certificates() {
    std::ofstream{folder_ / "cnf"} << "[req]\ndistinguished_name = none\n[none]\n"
                                      "[ca]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n"
                                      "[server]\nbasicConstraints = critical,CA:FALSE\n"
                                      "subjectAltName = DNS:a.example,DNS:*.wild.example,IP:127.0.0.1,IP:::1\n";
    const std::string fresh_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    openssl("req -config cnf -x509 -days 2 -extensions ca -subj /CN=authority -keyout ca.key -out ca.pem " + fresh_key);
    openssl("req -config cnf -subj /CN=server -keyout server.key -out server.csr " + fresh_key);
    const std::string sign =
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile cnf "
        "-extensions server ";
    openssl(sign + "-days 2 -out server.pem");
    openssl(sign + "-days -1 -out expired.pem");
    openssl(
        "req -config cnf -x509 -days 2 -extensions server -subj /CN=stranger -keyout stranger.key "
        "-out stranger.pem " +
        fresh_key);
  }

  void openssl(const std::string& arguments) const {
    const std::string command = "cd " + (folder_ / ".") + " && openssl " + arguments + " 2>>log";
    EXPECT_EQ(::system(command.c_str()), 0) << arguments;  // NOLINT(cert-env33-c)
  }

  const Folder folder_;
};

}  // namespace weir
