// A TLS server that the test plays, without a socket: what the client sends goes in, what it is to get comes out.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/unit/net/tls/certificates.h"

namespace weir {

struct ServerManners {
  std::string certificate = Certificates::get().server();
  std::string key = Certificates::get().key();
  int version_min = TLS1_2_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string protocol{};          // ALPN: the one it picks
  bool wants_certificate = false;  // of the client, who has none
};

class PlayedTlsServer {
 public:
  explicit PlayedTlsServer(ServerManners manners = {}) : manners_(std::move(manners)) {
    context_ = SSL_CTX_new(TLS_server_method());
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, manners_.certificate.c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, manners_.key.c_str(), SSL_FILETYPE_PEM), 1);
    // Level 0: the old versions, too, which clients are to refuse.
    EXPECT_EQ(SSL_CTX_set_cipher_list(context_, "ALL:@SECLEVEL=0"), 1);
    EXPECT_EQ(SSL_CTX_set_min_proto_version(context_, manners_.version_min), 1);
    EXPECT_EQ(SSL_CTX_set_max_proto_version(context_, manners_.version_max), 1);
    if (manners_.wants_certificate) {
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (!manners_.protocol.empty()) SSL_CTX_set_alpn_select_cb(context_, pick, this);
    ssl_ = SSL_new(context_);
    incoming_ = BIO_new(BIO_s_mem());
    outgoing_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_, incoming_, outgoing_);
    SSL_set_accept_state(ssl_);
  }
  PlayedTlsServer(const PlayedTlsServer&) = delete;
  PlayedTlsServer& operator=(const PlayedTlsServer&) = delete;
  ~PlayedTlsServer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  // From the client; what it said in plain is in heard().
  void receive(std::string_view wire) {
    ERR_clear_error();
    BIO_write(incoming_, wire.data(), static_cast<int>(wire.size()));
    if (!open() && SSL_do_handshake(ssl_) != 1) return;
    std::array<char, 16 * 1024> bytes;
    for (int size = 0; (size = SSL_read(ssl_, bytes.data(), bytes.size())) > 0;) {
      heard_.append(bytes.data(), static_cast<size_t>(size));
    }
  }
  // For the client.
  std::string take_outgoing() {
    std::string wire(BIO_ctrl_pending(outgoing_), '\0');
    const int size = static_cast<int>(wire.size());
    if (size > 0) {
      EXPECT_EQ(BIO_read(outgoing_, wire.data(), size), size);
    }
    return wire;
  }

  bool open() const { return SSL_is_init_finished(ssl_) == 1; }
  void say(std::string_view plain) {
    EXPECT_EQ(SSL_write(ssl_, plain.data(), static_cast<int>(plain.size())), static_cast<int>(plain.size()));
  }
  void say_goodbye() { SSL_shutdown(ssl_); }
  bool heard_goodbye() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  const std::string& heard() const { return heard_; }
  std::string name_asked_for() const {
    const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }

 private:
  static int pick(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                  unsigned offered_size, void* self) {
    const std::string& wanted = static_cast<PlayedTlsServer*>(self)->manners_.protocol;
    for (unsigned at = 0; at < offered_size; at += 1 + offered[at]) {
      if (std::string_view{reinterpret_cast<const char*>(offered + at + 1), offered[at]} != wanted) continue;
      *out = offered + at + 1;
      *size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  const ServerManners manners_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  BIO* incoming_ = nullptr;
  BIO* outgoing_ = nullptr;
  std::string heard_;
};

}  // namespace weir
