#include "control/probe_maker.h"

#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "health/exec_probe.h"
#include "health/http_probe.h"
#include "health/tcp_probe.h"

namespace weir {
namespace {

bool wants_tls(const config::HealthConfig& config) {
  return config.probe == config::ProbeKind::http && config.http.tls;
}

std::string contents(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

// "example.com" of "example.com:8443", "::1" of "[::1]:8443".
std::string without_port(std::string_view authority) {
  if (authority.starts_with('[')) return std::string{authority.substr(1, authority.find(']') - 1)};
  return std::string{authority.substr(0, authority.find(':'))};
}

TcpTarget tcp_target(const config::HealthConfig& config, const SocketAddress& address) {
  return {.address = address, .say = config.tcp.send, .expect = config.tcp.expect, .timeout = config.timeout};
}

HttpTarget http_target(const config::HealthConfig& config, const SocketAddress& address, ProbeMaker::Trust trust) {
  HttpTarget target;
  target.address = address;
  target.method = config.http.method;
  target.path = config.http.path;
  // Who listens on a UNIX socket has no name but this machine's.
  const std::string own = address.is_unix() ? "localhost" : address.to_string();
  target.host = config.http.host.empty() ? own : config.http.host;
  target.headers = config.http.headers;
  target.expected.statuses.clear();
  for (const config::StatusRange& range : config.http.statuses) {
    target.expected.statuses.push_back({range.first, range.last});
  }
  target.expected.body = config.http.body;
  target.tls = std::move(trust);
  if (target.tls != nullptr) {
    target.server_name = config.http.server_name.empty() ? without_port(target.host) : config.http.server_name;
  }
  target.timeout = config.timeout;
  return target;
}

ProgramTarget exec_target(const config::HealthConfig& config, const SocketAddress& address, const Upstream& upstream,
                          const Endpoint& endpoint) {
  ProgramTarget target;
  target.command = config.exec.command;
  target.environment = {"WEIR_UPSTREAM=" + upstream.name, "WEIR_ENDPOINT=" + endpoint.name,
                        "WEIR_ADDRESS=" + address.to_string()};
  if (address.is_unix()) {
    target.environment.push_back("WEIR_HOST=" + std::string{address.path()});
    target.environment.emplace_back("WEIR_PORT=");
  } else {
    target.environment.push_back("WEIR_HOST=" + address.peer().host());
    target.environment.push_back("WEIR_PORT=" + std::to_string(address.port()));
  }
  target.timeout = config.timeout;
  return target;
}

}  // namespace

std::string ProbeMaker::prepare(const config::Config& config) {
  prepared_ = {};
  for (const config::UpstreamConfig& upstream : config.upstreams) {
    if (!upstream.health || !wants_tls(*upstream.health)) continue;
    const config::HttpProbeConfig& http = upstream.health->http;
    Key key{http.verify, http.ca, http.ca.empty() ? "" : contents(http.ca)};
    Trust trust = prepared_.by_key[key];
    if (const auto before = trusts_.by_key.find(key); trust == nullptr && before != trusts_.by_key.end()) {
      trust = before->second;
    }
    if (trust == nullptr) {
      auto made = tls::ClientContext::make({.verify = http.verify, .ca_file = http.ca, .protocols = {"http/1.1"}});
      if (!made) return "upstream `" + upstream.name + "`, `health`: " + made.error();
      trust = std::move(*made);
    }
    prepared_.by_path[{http.verify, http.ca}] = trust;
    prepared_.by_key[std::move(key)] = std::move(trust);
  }
  return {};
}

ProbeMaker::Trust ProbeMaker::trust_of(const config::HealthConfig& config) const {
  return wants_tls(config) ? trusts_.by_path.at({config.http.verify, config.http.ca}) : nullptr;
}

SocketAddress ProbeMaker::address_of(const config::HealthConfig& config, const Endpoint& endpoint) {
  SocketAddress address = endpoint.address;
  if (config.port != 0 && !address.is_unix()) address.set_port(config.port);
  return address;
}

std::unique_ptr<Probe> ProbeMaker::make(const ProbeContext& context, const config::HealthConfig& config,
                                        const Upstream& upstream, const Endpoint& endpoint, OnCheck on_check) const {
  const SocketAddress address = address_of(config, endpoint);
  switch (config.probe) {
    case config::ProbeKind::tcp:
      return std::make_unique<TcpProbe>(context, tcp_target(config, address), std::move(on_check));
    case config::ProbeKind::http:
      return std::make_unique<HttpProbe>(context, http_target(config, address, trust_of(config)), std::move(on_check));
    case config::ProbeKind::exec:
      return std::make_unique<ExecProbe>(context, exec_target(config, address, upstream, endpoint),
                                         std::move(on_check));
  }
  return nullptr;
}

}  // namespace weir
