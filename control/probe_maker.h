// ProbeMaker: makes of a `health` section and an endpoint the Probe that asks there. What probes over TLS trust is read
// before a configuration is published, so that a file that cannot be read refuses it.
//
// Owned by the HealthWatch, on the control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "core/config/config.h"
#include "core/model/upstream.h"
#include "health/check_report.h"
#include "health/probe.h"
#include "health/probe_context.h"
#include "net/tls/client_context.h"

namespace weir {

class ProbeMaker {
 public:
  using Trust = std::shared_ptr<const tls::ClientContext>;

  // Reads what the probes of `config` need, to be used after the next follow(). Empty, or the sentence that says what
  // is missing.
  std::string prepare(const config::Config& config);
  // What was prepared last is in force.
  void follow() { trusts_ = std::move(prepared_); }

  // What probes with this section trust; null: they need nothing. The same as before as long as the section and the
  // file it names are.
  Trust trust_of(const config::HealthConfig& config) const;

  std::unique_ptr<Probe> make(const ProbeContext& context, const config::HealthConfig& config, const Upstream& upstream,
                              const Endpoint& endpoint, OnCheck on_check) const;

  // Where a probe goes: a UNIX socket has no other port.
  static SocketAddress address_of(const config::HealthConfig& config, const Endpoint& endpoint);

 private:
  struct Key {
    bool verify;
    std::string file;  // path; "": the system's
    std::string text;  // what is in it

    bool operator<(const Key& other) const {
      return std::tie(verify, file, text) < std::tie(other.verify, other.file, other.text);
    }
  };
  struct Trusts {
    std::map<Key, Trust> by_key;
    std::map<std::pair<bool, std::string>, Trust> by_path;
  };

  Trusts trusts_;
  Trusts prepared_;
};

}  // namespace weir
