// weir_floor: the bare relay that the HTTP rows of the macro bench measure weir against; relay.h says what it is.
//
//   weir_floor LISTEN_PORT ORIGIN_ADDRESS...      on 127.0.0.1; an address is IPV4:PORT
//
// It runs until it is ended. Exit codes: 1 it cannot go on, and said why; 2 usage.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/floor/relay.h"
#include "core/base/fd.h"

namespace weir::floor {
namespace {

bool parse_port(std::string_view text, uint16_t& port) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && rest == end && port > 0;
}

bool parse_address(std::string_view text, sockaddr_in& address) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || !parse_port(text.substr(colon + 1), port)) return false;
  address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return ::inet_pton(AF_INET, std::string{text.substr(0, colon)}.c_str(), &address.sin_addr) == 1;
}

Fd listen_on(uint16_t port) {
  Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) fail("socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it.
  if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("TCP_NODELAY", errno);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind", errno);
  if (::listen(fd.get(), Relay::clients_max) != 0) fail("listen", errno);
  return fd;
}

int main_of(std::span<char*> arguments) {
  uint16_t port = 0;
  if (arguments.size() < 3 || !parse_port(arguments[1], port)) {
    std::cerr << "usage: weir_floor LISTEN_PORT ORIGIN_ADDRESS...\n";
    return 2;
  }
  std::vector<sockaddr_in> origins;
  for (const char* text : arguments.subspan(2)) {
    if (!parse_address(text, origins.emplace_back())) {
      std::cerr << "weir_floor: not an address like 127.0.0.1:8080: " << text << "\n";
      return 2;
    }
  }
  Relay relay{listen_on(port), origins};
  relay.run();
}

}  // namespace
}  // namespace weir::floor

int main(int argc, char** argv) {
  return weir::floor::main_of({argv, static_cast<size_t>(argc)});
}
