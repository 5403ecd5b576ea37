#include "net/tls/client_stream.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "net/tls/problem.h"

namespace weir::tls {
namespace {

constexpr size_t record_bytes_max = 16 * 1024;  // of plain bytes (RFC 8446 section 5.1)

bool is_ip_address(const std::string& name) {
  ASN1_OCTET_STRING* const bytes = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(bytes);
  return bytes != nullptr;
}

}  // namespace

ClientStream::ClientStream(const ClientContext& context, std::string_view server_name)
    : ssl_(SSL_new(context.context_)),
      incoming_(BIO_new(BIO_s_mem())),
      outgoing_(BIO_new(BIO_s_mem())),
      server_name_(server_name),
      verifies_(context.verifies()) {
  WEIR_ASSERT(ssl_ != nullptr && incoming_ != nullptr && outgoing_ != nullptr);
  SSL_set_bio(ssl_, incoming_, outgoing_);
  SSL_set_connect_state(ssl_);
  // The dot that says that a name is complete is no part of what certificates and SNI have.
  if (server_name_.ends_with('.')) server_name_.pop_back();
}

ClientStream::~ClientStream() {
  SSL_free(ssl_);
}

void ClientStream::become(State next) {
  const bool legal = next == State::open    ? state_ == State::shaking_hands
                     : next == State::ended ? state_ == State::open
                                            : state_ == State::shaking_hands || state_ == State::open;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void ClientStream::begin() {
  ERR_clear_error();
  if (!set_name()) return;
  shake_hands();
}

bool ClientStream::set_name() {
  if (server_name_.empty()) {
    if (verifies_) fail_because("there is no name that the certificate could be for");
    return !verifies_;
  }
  // A name ends at a zero byte in C, and another one might begin there.
  bool well = server_name_.find('\0') == std::string::npos;
  if (well && is_ip_address(server_name_)) {
    well = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name_.c_str()) == 1;
  } else if (well) {
    well = SSL_set_tlsext_host_name(ssl_, server_name_.c_str()) == 1 && SSL_set1_host(ssl_, server_name_.c_str()) == 1;
  }
  if (!well) fail_because("`" + server_name_ + "` is no name that a server could have");
  return well;
}

void ClientStream::receive(std::string_view wire, std::string& plain) {
  if (state_ == State::ended || state_ == State::failed) return;
  while (!wire.empty()) {
    // Takes all of it, but says how much in an int.
    const int size = static_cast<int>(std::min<size_t>(wire.size(), 1 << 30));
    WEIR_ASSERT(BIO_write(incoming_, wire.data(), size) == size);
    wire.remove_prefix(static_cast<size_t>(size));
  }
  ERR_clear_error();
  if (state_ == State::shaking_hands) shake_hands();
  if (state_ == State::open) read(plain);
}

void ClientStream::receive_end() {
  switch (state_) {
    case State::shaking_hands: return fail_because("closed in the middle of the handshake");
    case State::open: return become(State::ended);
    case State::ended:
    case State::failed: return;
  }
}

void ClientStream::shake_hands() {
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) return fail_unless_waiting(result);
  become(State::open);
  write(std::exchange(kept_, {}));
}

void ClientStream::read(std::string& plain) {
  std::array<char, record_bytes_max> bytes;
  for (;;) {
    const int result = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (result <= 0) {
      if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return become(State::ended);
      return fail_unless_waiting(result);
    }
    plain.append(bytes.data(), static_cast<size_t>(result));
  }
}

void ClientStream::write(std::string_view plain) {
  WEIR_ASSERT(!closed_);
  if (state_ == State::shaking_hands) {
    kept_ += plain;
    return;
  }
  if (state_ == State::failed || plain.empty()) return;
  ERR_clear_error();
  // Memory takes everything, so all is written or the stream is broken.
  size_t written = 0;
  const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
  if (result != 1) {
    // The server has said goodbye and we go on: what cannot be said is not said.
    if (state_ == State::open) fail_unless_waiting(result);
    return;
  }
  WEIR_ASSERT(written == plain.size());
}

void ClientStream::close() {
  closed_ = true;
  if (state_ != State::open && state_ != State::ended) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

bool ClientStream::take_outgoing(std::string& wire) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(outgoing_, &bytes);
  if (size <= 0) return false;
  wire.append(bytes, static_cast<size_t>(size));
  BIO_reset(outgoing_);
  return true;
}

std::string_view ClientStream::protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void ClientStream::fail_unless_waiting(int result) {
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return;
  const long verified = verifies_ && state_ == State::shaking_hands ? SSL_get_verify_result(ssl_) : X509_V_OK;
  fail_because(problem_of(ERR_peek_error(), verified, server_name_));
}

void ClientStream::fail_because(std::string problem) {
  problem_ = std::move(problem);
  become(State::failed);
}

}  // namespace weir::tls
