// Addresses as an operator writes them. The model says whether a text is an address; here is why it is not one.
#include <algorithm>
#include <string>

#include "core/config/values.h"

namespace weir::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view how_addresses_look = "write 10.0.0.1:80, \"[::1]:80\" or unix:/path";
constexpr size_t unix_path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

bool is_one_of(char c, std::string_view set) noexcept {
  return set.find(c) != std::string_view::npos;
}

bool only(std::string_view text, std::string_view set) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return is_one_of(c, set); });
}

bool looks_like_ipv4(std::string_view host) {
  return only(host, "0123456789.");
}
bool looks_like_ipv6(std::string_view host) {
  return only(host, "0123456789abcdefABCDEF:.") && std::count(host.begin(), host.end(), ':') >= 2;
}
bool looks_like_hostname(std::string_view host) {
  return only(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") && !looks_like_ipv4(host);
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && only(text, "0123456789") && std::stoul(std::string{text}) <= 65535;
}

Mistake not_an_ip(std::string_view host) {
  return {quoted(host) + " is not an IP address; name resolution comes with DNS discovery",
          "write the address that the name resolves to"};
}

Mistake why_not_unix(std::string_view path) {
  if (path.empty()) return {"`unix:` needs the path of a socket", "write unix:/run/app.sock"};
  return {"the path of a UNIX socket has at most " + std::to_string(unix_path_bytes_max) + " bytes, this one has " +
              std::to_string(path.size()),
          "use a shorter path"};
}

Mistake why_not_address(std::string_view text) {
  if (text.starts_with(unix_prefix)) return why_not_unix(text.substr(unix_prefix.size()));
  if (const size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    const std::string_view rest = text.substr(scheme + 3);
    return {quoted(text) + " is a URL, not an address",
            "write " + quoted(rest.substr(0, rest.find('/'))) +
                (rest.find(':') == std::string_view::npos ? " with a port" : "")};
  }
  if (text.starts_with('/') || text.starts_with("./")) {
    return {quoted(text) + " is not an address", "for a UNIX socket write " + quoted("unix:" + std::string{text})};
  }
  if (looks_like_ipv6(text)) {
    return {quoted(text) + " is an IPv6 address without brackets", "put the address in brackets: \"[::1]:80\""};
  }
  const size_t colon = text.rfind(':');
  const bool bracketed_alone = text.starts_with('[') && text.ends_with(']');
  if (colon == std::string_view::npos || bracketed_alone) {
    if (bracketed_alone || looks_like_ipv4(text))
      return {quoted(text) + " has no port", "write `" + std::string{text} + ":80`"};
    if (looks_like_hostname(text)) return not_an_ip(text);
    return {quoted(text) + " is not an address", std::string{how_addresses_look}};
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (!is_port(port)) return {quoted(port) + " is not a port", "ports are whole numbers from 0 to 65535"};
  if (looks_like_hostname(host)) return not_an_ip(host);
  if (host == "*") return {"`*` is not an IP address", "write `:" + std::string{port} + "` for every address"};
  return {quoted(host) + " is not an IP address", std::string{how_addresses_look}};
}

}  // namespace

Reading<SocketAddress> read_address(std::string_view text) {
  if (auto address = SocketAddress::parse(text)) return *address;
  return why_not_address(text);
}

Reading<Cidr> read_cidr(std::string_view text) {
  if (auto cidr = Cidr::parse(text)) return *cidr;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos && Cidr::parse(text.substr(0, slash))) {
    const bool ipv6 = text.find(':') != std::string_view::npos;
    return Mistake{quoted(text.substr(slash + 1)) + " is not a prefix length",
                   std::string{"it is a whole number from 0 to "} + (ipv6 ? "128" : "32")};
  }
  return Mistake{quoted(text) + " is not a block of addresses", "write 10.0.0.0/8, ::1/128 or one address"};
}

}  // namespace weir::config
