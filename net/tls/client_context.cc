#include "net/tls/client_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include <cstdint>
#include <utility>

#include "core/base/assert.h"
#include "net/tls/problem.h"

namespace weir::tls {
namespace {

constexpr size_t protocol_name_max = 255;  // RFC 7301 section 3.1

// As they go over the wire: each with its length before it. "" if that cannot be.
std::string wire_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& name : protocols) {
    if (name.empty() || name.size() > protocol_name_max) return {};
    list += static_cast<char>(name.size());
    list += name;
  }
  return list;
}

std::string cannot_read(const std::string& file) {
  // Errors lie in the order in which they happened, and each says less than the one before it ("PEM lib", "system
  // lib").
  const unsigned long code = ERR_peek_error();
  const std::string why = ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code)) : reason_of(code);
  return "cannot read trusted certificates from `" + file + "`: " + why;
}

}  // namespace

Result<std::shared_ptr<const ClientContext>, std::string> ClientContext::make(const ClientOptions& options) {
  ERR_clear_error();
  ssl_ctx_st* const context = SSL_CTX_new(TLS_client_method());
  WEIR_ASSERT(context != nullptr);
  // Owns it from here on.
  std::shared_ptr<const ClientContext> made{new ClientContext(context, options.verify)};

  WEIR_ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(context), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);

  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) return cannot_read(options.ca_file);
  } else if (options.verify && SSL_CTX_set_default_verify_paths(context) != 1) {
    return std::string{"cannot find the certificates that the system trusts: "} + reason_of(ERR_peek_last_error());
  }
  if (!options.protocols.empty()) {
    const std::string list = wire_list(options.protocols);
    if (list.empty()) return std::string{"the name of a protocol to offer has 1 to 255 bytes"};
    const auto* bytes = reinterpret_cast<const unsigned char*>(list.data());
    // 0 is success here, unlike everywhere else.
    if (SSL_CTX_set_alpn_protos(context, bytes, static_cast<unsigned>(list.size())) != 0) {
      return std::string{"too many protocols to offer"};
    }
  }
  return made;
}

ClientContext::~ClientContext() {
  SSL_CTX_free(context_);
}

}  // namespace weir::tls
