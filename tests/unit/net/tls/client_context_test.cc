#include "net/tls/client_context.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/unit/net/tls/certificates.h"

namespace weir {
namespace {

TEST(TlsClientContextTest, TrustsTheSystemUnlessToldOtherwise) {
  const auto made = tls::ClientContext::make({});
  ASSERT_TRUE(made.ok()) << made.error();
  EXPECT_TRUE((*made)->verifies());
  const auto careless = tls::ClientContext::make({.verify = false});
  ASSERT_TRUE(careless.ok());
  EXPECT_FALSE((*careless)->verifies());
}

TEST(TlsClientContextTest, ReadsTrustedCertificatesOrSaysWhyNot) {
  const Folder folder;
  std::ofstream{folder / "empty.pem"} << "";
  std::ofstream{folder / "garbage.pem"} << "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
  std::ofstream{folder / "text.pem"} << "hello\n";

  struct Row {
    std::string file;
    std::string why;  // "": it is well
  };
  for (const Row& row :
       {Row{Certificates::get().authority(), ""}, Row{folder / "none.pem", "No such file or directory"},
        Row{folder / "empty.pem", "no certificate or crl found"},
        Row{folder / "text.pem", "no certificate or crl found"}, Row{folder / "garbage.pem", "bad base64 decode"}}) {
    const auto made = tls::ClientContext::make({.ca_file = row.file});
    ASSERT_EQ(made.ok(), row.why.empty()) << row.file;
    if (made.ok()) continue;
    EXPECT_EQ(made.error(), "cannot read trusted certificates from `" + row.file + "`: " + row.why);
  }
}

TEST(TlsClientContextTest, OffersProtocolsWhoseNamesHaveALengthThatFits) {
  EXPECT_TRUE(tls::ClientContext::make({.protocols = {"h2", "http/1.1"}}).ok());
  EXPECT_TRUE(tls::ClientContext::make({.protocols = {std::string(255, 'p')}}).ok());
  EXPECT_FALSE(tls::ClientContext::make({.protocols = {std::string(256, 'p')}}).ok());
  EXPECT_FALSE(tls::ClientContext::make({.protocols = {"h2", ""}}).ok());
}

}  // namespace
}  // namespace weir
