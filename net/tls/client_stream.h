// ClientStream: the client's end of one TLS connection, without the connection: what came from the server goes in at
// one side and comes out as plain bytes, and the other way round.
//
//                  write(plain) --> [             ] --> take_outgoing(): to the server
//     plain, from receive() <------ [ ClientStream ] <-- receive(wire): from the server
//
//     shaking_hands --> open --the server said goodbye--> ended
//          `--------------`------ anything wrong --------> failed
//
// No I/O, no thread, no clock. It is driven by whoever has the socket: after each call that may have something to say,
// take_outgoing() says what is to be sent, also when the stream has failed (the alert that tells the server why).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls/client_context.h"

struct ssl_st;
struct bio_st;

namespace weir::tls {

class ClientStream {
 public:
  enum class State : uint8_t { shaking_hands, open, ended, failed };

  // `server_name` is a host name, which the server is told (SNI), or an IP address, which it is not (RFC 6066
  // section 3). If the context verifies, the certificate must be for it; without a name that fails.
  ClientStream(const ClientContext& context, std::string_view server_name);
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;
  ~ClientStream();

  // Makes the first message for the server. Once, before everything else.
  void begin();

  // Bytes from the server, in pieces of any size. Plain ones that come of them are appended to `plain`.
  void receive(std::string_view wire, std::string& plain);
  // The connection has ended, with or without a goodbye. Ended in the middle of the handshake, it has failed.
  void receive_end();

  // Plain bytes for the server. While shaking hands they are kept, and sent when it is done.
  void write(std::string_view plain);
  // Says goodbye: nothing will be written any more.
  void close();

  // What is to be sent, which is appended to `wire`. True if there was anything.
  bool take_outgoing(std::string& wire);

  State state() const noexcept { return state_; }
  // When failed, for people: "the certificate is not trusted: self-signed certificate", "the certificate is not for
  // `a.example`", "the server refused: handshake failure", "the server does not speak TLS".
  const std::string& problem() const noexcept { return problem_; }
  // Once open: what was agreed on of the protocols that were offered; "" if nothing was.
  std::string_view protocol() const noexcept;

 private:
  void become(State next);
  // False if it failed.
  bool set_name();
  void shake_hands();
  void read(std::string& plain);
  // After OpenSSL did not do what it was told: because there is not enough to read yet, or for good.
  void fail_unless_waiting(int result);
  void fail_because(std::string problem);

  ssl_st* const ssl_;  // owns both of the following
  bio_st* const incoming_;
  bio_st* const outgoing_;
  std::string server_name_;
  const bool verifies_;
  bool closed_ = false;  // nothing may be written any more
  State state_ = State::shaking_hands;
  std::string kept_;  // plain bytes that wait for the end of the handshake
  std::string problem_;
};

}  // namespace weir::tls
