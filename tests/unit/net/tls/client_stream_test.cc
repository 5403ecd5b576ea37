#include "net/tls/client_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/net/tls/played_server.h"

namespace weir {
namespace {

using State = tls::ClientStream::State;

class TlsClientStreamTest : public testing::Test {
 protected:
  void begin(std::string_view name, ServerManners manners = {}, tls::ClientOptions options = trusting()) {
    auto context = tls::ClientContext::make(options);
    ASSERT_TRUE(context.ok()) << context.error();
    server = std::make_unique<PlayedTlsServer>(std::move(manners));
    stream = std::make_unique<tls::ClientStream>(**context, name);
    plain.clear();
    stream->begin();
    // The context goes: the stream keeps what it needs.
  }
  static tls::ClientOptions trusting() { return {.ca_file = Certificates::get().authority()}; }

  // Carries bytes to and fro until there are none, in pieces of that size.
  void carry(size_t piece_max = 1 << 20) {
    const auto in_pieces = [&](const std::string& wire, const auto& give) {
      for (size_t at = 0; at < wire.size(); at += piece_max) give(std::string_view{wire}.substr(at, piece_max));
    };
    for (;;) {
      std::string up;
      stream->take_outgoing(up);
      in_pieces(up, [&](std::string_view piece) { server->receive(piece); });
      const std::string down = server->take_outgoing();
      in_pieces(down, [&](std::string_view piece) { stream->receive(piece, plain); });
      if (up.empty() && down.empty()) return;
    }
  }

  std::unique_ptr<PlayedTlsServer> server;
  std::unique_ptr<tls::ClientStream> stream;
  std::string plain;
};

TEST_F(TlsClientStreamTest, TalksInAnyVersionAndInPiecesOfAnySize) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{1} << 20}) {
      begin("a.example", {.version_min = version, .version_max = version});
      stream->write("said before ");
      carry(piece);
      ASSERT_EQ(stream->state(), State::open) << stream->problem();
      EXPECT_EQ(server->name_asked_for(), "a.example");
      const std::string much(100'000, 'u');
      stream->write(much);
      server->say("good day");
      server->say(much);
      carry(piece);
      EXPECT_EQ(server->heard(), "said before " + much);
      EXPECT_EQ(plain, "good day" + much);

      server->say_goodbye();
      carry(piece);
      EXPECT_EQ(stream->state(), State::ended);
      EXPECT_FALSE(server->heard_goodbye());
      stream->close();
      carry(piece);
      EXPECT_TRUE(server->heard_goodbye());
    }
  }
}

TEST_F(TlsClientStreamTest, IsParticularAboutWhomItTalksTo) {
  const Certificates& files = Certificates::get();
  const std::string untrusted = "the certificate is not trusted: ";
  struct Row {
    std::string name;
    std::string certificate;
    std::string key;
    std::string problem;  // "": none
  };
  const Row rows[] = {
      {"a.example", files.server(), files.key(), ""},
      {"A.Example.", files.server(), files.key(), ""},
      {"any.wild.example", files.server(), files.key(), ""},
      {"127.0.0.1", files.server(), files.key(), ""},
      {"::1", files.server(), files.key(), ""},
      {"b.example", files.server(), files.key(), "the certificate is not for `b.example`"},
      {"wild.example", files.server(), files.key(), "the certificate is not for `wild.example`"},
      {"two.labels.wild.example", files.server(), files.key(), "the certificate is not for `two.labels.wild.example`"},
      {"127.0.0.2", files.server(), files.key(), "the certificate is not for `127.0.0.2`"},
      {"server", files.server(), files.key(), "the certificate is not for `server`"},  // its CN: that was long ago
      {"a.example", files.expired(), files.key(), untrusted + "certificate has expired"},
      {"a.example", files.stranger(), files.stranger_key(), untrusted + "self-signed certificate"},
  };
  for (const Row& row : rows) {
    begin(row.name, {.certificate = row.certificate, .key = row.key});
    carry();
    EXPECT_EQ(stream->state(), row.problem.empty() ? State::open : State::failed) << row.name;
    EXPECT_EQ(stream->problem(), row.problem) << row.name;
    EXPECT_EQ(server->open(), row.problem.empty()) << "it was told why not";

    // Who does not verify takes everybody.
    begin(row.name, {.certificate = row.certificate, .key = row.key}, {.verify = false});
    carry();
    EXPECT_EQ(stream->state(), State::open) << stream->problem();
  }
}

TEST_F(TlsClientStreamTest, TellsTheServerNamesButNoAddresses) {
  for (const auto& [name, told] : {std::pair{"a.example", "a.example"}, std::pair{"a.example.", "a.example"},
                                   std::pair{"127.0.0.1", ""}, std::pair{"::1", ""}}) {
    begin(name);
    carry();
    EXPECT_EQ(server->name_asked_for(), told);
  }
}

TEST_F(TlsClientStreamTest, NeedsANameToVerify) {
  begin("");
  EXPECT_EQ(stream->state(), State::failed);
  EXPECT_EQ(stream->problem(), "there is no name that the certificate could be for");
  std::string wire;
  EXPECT_FALSE(stream->take_outgoing(wire));

  begin("", {}, {.verify = false});
  carry();
  EXPECT_EQ(stream->state(), State::open);
  EXPECT_EQ(server->name_asked_for(), "");
}

TEST_F(TlsClientStreamTest, RefusesNamesThatNobodyCanHave) {
  for (const std::string& name : {std::string(300, 'n'), std::string{"a.example\0.evil", 14}}) {
    begin(name);
    EXPECT_EQ(stream->state(), State::failed) << name.size();
    EXPECT_NE(stream->problem().find("is no name"), std::string::npos) << stream->problem();
  }
}

TEST_F(TlsClientStreamTest, RefusesOldVersions) {
  begin("a.example", {.version_min = TLS1_VERSION, .version_max = TLS1_1_VERSION});
  carry();
  EXPECT_EQ(stream->state(), State::failed);
  EXPECT_EQ(stream->problem(), "the server refused: protocol version");
}

TEST_F(TlsClientStreamTest, AgreesOnAProtocol) {
  tls::ClientOptions options = trusting();
  begin("a.example", {.protocol = "http/1.1"}, options);
  carry();
  EXPECT_EQ(stream->protocol(), "");
  options.protocols = {"h2", "http/1.1"};
  begin("a.example", {.protocol = "http/1.1"}, options);
  carry();
  EXPECT_EQ(stream->protocol(), "http/1.1");
  begin("a.example", {.protocol = "ftp"}, options);
  carry();
  EXPECT_EQ(stream->state(), State::failed);
  EXPECT_EQ(stream->problem(), "the server refused: no application protocol");
}

TEST_F(TlsClientStreamTest, SaysThatTheServerWantsACertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    begin("a.example", {.version_min = version, .version_max = version, .wants_certificate = true});
    carry();
    EXPECT_EQ(stream->state(), State::failed);
    EXPECT_EQ(stream->problem(), version == TLS1_2_VERSION ? "the server refused: handshake failure"
                                                           : "the server refused: certificate required");
  }
}

TEST_F(TlsClientStreamTest, KnowsWhatIsNoTls) {
  for (const std::string_view said :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n"}) {
    begin("a.example");
    stream->receive(said, plain);
    EXPECT_EQ(stream->state(), State::failed);
    EXPECT_EQ(stream->problem(), "the server does not speak TLS (wrong version number)") << said;
    stream->receive("more", plain);  // not listened to
    stream->receive_end();
    stream->write("nor said");
    EXPECT_EQ(plain, "");
  }
}

TEST_F(TlsClientStreamTest, EndsWithoutAGoodbyeToo) {
  begin("a.example");
  stream->receive_end();
  EXPECT_EQ(stream->state(), State::failed);
  EXPECT_EQ(stream->problem(), "closed in the middle of the handshake");

  begin("a.example");
  carry();
  stream->receive_end();
  EXPECT_EQ(stream->state(), State::ended);
  stream->receive_end();
  EXPECT_EQ(stream->state(), State::ended);
}

TEST_F(TlsClientStreamTest, FailsWhenSomebodyMeddles) {
  begin("a.example");
  carry();
  server->say("the truth");
  std::string wire = server->take_outgoing();
  wire[wire.size() / 2] = static_cast<char>(wire[wire.size() / 2] ^ 1);
  stream->receive(wire, plain);
  EXPECT_EQ(stream->state(), State::failed);
  EXPECT_EQ(stream->problem(), "decryption failed or bad record mac");
  EXPECT_EQ(plain, "");
  std::string alert;
  EXPECT_TRUE(stream->take_outgoing(alert)) << "the server is told";
}

}  // namespace
}  // namespace weir
