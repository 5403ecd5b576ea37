// Where an origin listens: reading it from text, opening the socket, saying what was bound.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/base/fd.h"

namespace weir::origin {

struct ListenAddress {
  sockaddr_storage address{};
  socklen_t size = 0;

  int family() const noexcept { return address.ss_family; }
  std::string unix_path() const;  // empty if it is not a UNIX socket
  // 127.0.0.1:80, [::1]:80, unix:/path
  std::string text() const;
};

// Reads 127.0.0.1:80, [::1]:80, :80 (all addresses, IPv6 and IPv4) and unix:/path. Names are not looked up.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

// A non-blocking listening socket on `address`, which becomes what was really bound (a port for port 0). `shares_port`
// lets another socket of this process listen there too. Not valid, with errno set, if it could not be.
// A UNIX socket that a dead process left behind is replaced; one that answers is not.
Fd open_listener(ListenAddress& address, bool shares_port);

}  // namespace weir::origin
