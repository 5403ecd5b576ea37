#include "tests/unit/control/alerts/hook_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace weir {

// --- the certificate ------------------------------------------------------------------------------------------------

ThrowawayCertificate::ThrowawayCertificate() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* const text = reinterpret_cast<const unsigned char*>("weir's test");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate, key, EVP_sha256());

  context_ = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate(context_, certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key), 1);

  std::string path = testing::TempDir() + "weir_certificate_XXXXXX";
  const int fd = ::mkstemp(path.data());
  EXPECT_GE(fd, 0);
  std::FILE* const file = ::fdopen(fd, "w");
  EXPECT_EQ(PEM_write_X509(file, certificate), 1);
  std::fclose(file);
  path_ = path;
  X509_free(certificate);
  EVP_PKEY_free(key);
}

ThrowawayCertificate::~ThrowawayCertificate() {
  SSL_CTX_free(context_);
  ::unlink(path_.c_str());
}

// --- the server -----------------------------------------------------------------------------------------------------

HookServer::HookServer(const ThrowawayCertificate* certificate) : certificate_(certificate) {
  bind_port();
  go_up();
}

std::string HookServer::url(const std::string& target, const std::string& host) const {
  return (certificate_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port_) + target;
}

config::WebhookUrl HookServer::webhook(const std::string& target) const {
  return {certificate_ != nullptr, "127.0.0.1", port_, target, "127.0.0.1:" + std::to_string(port_)};
}

void HookServer::bind_port() {
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
}

void HookServer::go_up() {
  ASSERT_EQ(::listen(listener_.get(), 64), 0);
  listening_ = true;
}

void HookServer::go_down() {
  for (Connection& connection : open_) reset(connection);
  open_.clear();
  if (!listening_) return;
  listening_ = false;
  listener_.reset();
  bind_port();
}

void HookServer::step() {
  while (listening_) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) break;
    ++connections;
    Connection& connection = open_.emplace_back(fd);
    if (certificate_ == nullptr) continue;
    connection.ssl = SSL_new(certificate_->context());
    SSL_set_fd(connection.ssl, fd);
    SSL_set_accept_state(connection.ssl);
  }
  for (auto each = open_.begin(); each != open_.end();) each = step(*each) ? std::next(each) : open_.erase(each);
}

bool HookServer::step(Connection& connection) {
  if (!receive(connection)) return false;
  const size_t before = requests.size();
  take_requests(connection);
  if (manner == Manner::reset && requests.size() > before) {
    reset(connection);
    return false;
  }
  return say(connection);
}

bool HookServer::receive(Connection& connection) {
  std::array<char, 4096> piece{};
  for (;;) {
    ssize_t size = 0;
    if (connection.ssl != nullptr) {
      if (manner == Manner::stall) return true;  // no handshake either
      ERR_clear_error();
      size = SSL_read(connection.ssl, piece.data(), static_cast<int>(piece.size()));
      if (size <= 0) {
        const int error = SSL_get_error(connection.ssl, static_cast<int>(size));
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
      }
    } else {
      size = ::recv(connection.fd.get(), piece.data(), piece.size(), 0);
      if (size < 0) return errno == EAGAIN;
      if (size == 0) return false;
    }
    connection.heard.append(piece.data(), static_cast<size_t>(size));
  }
}

void HookServer::take_requests(Connection& connection) {
  for (;;) {
    const size_t end = connection.heard.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string head = connection.heard.substr(0, end + 4);
    size_t length = 0;
    constexpr std::string_view field = "Content-Length: ";
    if (const size_t at = head.find(field); at != std::string::npos) {
      std::from_chars(head.data() + at + field.size(), head.data() + head.size(), length);
    }
    if (connection.heard.size() < head.size() + length) return;
    requests.push_back({head, connection.heard.substr(head.size(), length)});
    connection.heard.erase(0, head.size() + length);
    if (manner == Manner::stall || manner == Manner::reset) continue;
    std::string answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    if (manner == Manner::break_off) {
      answer.resize(answer.size() / 2);
      connection.ends = true;
    }
    connection.to_say += answer;
  }
}

bool HookServer::say(Connection& connection) {
  while (!connection.to_say.empty()) {
    const size_t wanted = manner == Manner::drip ? 1 : connection.to_say.size();
    ssize_t said = 0;
    if (connection.ssl != nullptr) {
      said = SSL_write(connection.ssl, connection.to_say.data(), static_cast<int>(wanted));
    } else {
      said = ::send(connection.fd.get(), connection.to_say.data(), wanted, MSG_NOSIGNAL);
      if (said < 0 && errno != EAGAIN) return false;
    }
    if (said <= 0) return true;
    connection.to_say.erase(0, static_cast<size_t>(said));
    if (manner == Manner::drip) return true;
  }
  return !connection.ends;
}

void HookServer::reset(Connection& connection) {
  const linger now{1, 0};
  ::setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace weir
