// ClientContext: what all TLS connections to one kind of server have in common: whom to trust, whether to verify at
// all, and which protocols to offer. TLS 1.2 and newer.
//
// Immutable; made where files may be read (trusted certificates are read once), shared by any number of ClientStreams
// of one thread or several. The streams keep it alive by themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

struct ssl_ctx_st;

namespace weir::tls {

struct ClientOptions {
  bool verify = true;                    // the certificate: by whom it was signed, for how long, and for which name
  std::string ca_file{};                 // PEM, one certificate or more; empty: those that the system trusts
  std::vector<std::string> protocols{};  // ALPN, the preferred one first: "http/1.1"; empty: nothing is offered
};

class ClientContext {
 public:
  // Or a sentence: "cannot read trusted certificates from `/x.pem`: no such file".
  static Result<std::shared_ptr<const ClientContext>, std::string> make(const ClientOptions& options);
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;
  ~ClientContext();

  bool verifies() const noexcept { return verifies_; }

 private:
  friend class ClientStream;
  ClientContext(ssl_ctx_st* context, bool verifies) noexcept : context_(context), verifies_(verifies) {}

  ssl_ctx_st* const context_;
  const bool verifies_;
};

}  // namespace weir::tls
