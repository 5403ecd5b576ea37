#include "net/tls/problem.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <string_view>

namespace weir::tls {
namespace {

// OpenSSL's names of alerts say which version and which side ("sslv3 alert handshake failure", in all versions);
// what matters comes behind the word.
std::string alert_of(unsigned long code) {
  const std::string reason = reason_of(code);
  constexpr std::string_view word = "alert ";
  const size_t at = reason.find(word);
  return at == std::string::npos ? reason : reason.substr(at + word.size());
}

}  // namespace

std::string reason_of(unsigned long code) {
  if (const char* const text = ERR_reason_error_string(code); text != nullptr) return text;
  return code == 0 ? "no reason given" : "error " + std::to_string(code);
}

std::string problem_of(unsigned long code, long verified, const std::string& server_name) {
  switch (verified) {
    case X509_V_OK: break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "the certificate is not for `" + server_name + "`";
    default: return std::string{"the certificate is not trusted: "} + X509_verify_cert_error_string(verified);
  }
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return reason_of(code);
  const int reason = ERR_GET_REASON(code);
  if (reason >= SSL_AD_REASON_OFFSET) return "the server refused: " + alert_of(code);
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG: return "the server does not speak TLS (" + reason_of(code) + ")";
    default: return reason_of(code);
  }
}

}  // namespace weir::tls
