// An HTTP server that the test plays, on its own thread and with raw sockets, in the clear or over TLS: it writes down
// what it gets and answers, stalls, or breaks off as told. step() goes on with everything as far as it gets without
// waiting.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/config/resilience_config.h"

namespace weir {

// A certificate for localhost and 127.0.0.1 that nobody has signed but itself, made anew for each test.
class ThrowawayCertificate {
 public:
  ThrowawayCertificate();
  ~ThrowawayCertificate();
  ThrowawayCertificate(const ThrowawayCertificate&) = delete;
  ThrowawayCertificate& operator=(const ThrowawayCertificate&) = delete;

  SSL_CTX* context() const noexcept { return context_; }
  // A file that says: trust it.
  const std::string& path() const noexcept { return path_; }

 private:
  SSL_CTX* context_ = nullptr;
  std::string path_;
};

class HookServer {
 public:
  enum class Manner {
    answer,     // with answer()
    drip,       // the same, byte by byte, one with each step
    stall,      // reads, and says nothing
    reset,      // when the request is there, breaks the connection
    break_off,  // says half of the answer, and closes
  };

  explicit HookServer(const ThrowawayCertificate* certificate = nullptr);
  HookServer(const HookServer&) = delete;
  HookServer& operator=(const HookServer&) = delete;
  ~HookServer() { go_down(); }

  uint16_t port() const noexcept { return port_; }
  std::string url(const std::string& target = "/hook", const std::string& host = "127.0.0.1") const;
  // The same, taken apart.
  config::WebhookUrl webhook(const std::string& target = "/hook") const;

  // Nobody listens at its port, which stays its own: connections are refused.
  void go_down();
  void go_up();
  void step();

  // Answers to the next requests, in order; the last one is given again and again.
  std::deque<std::string> answers{"HTTP/1.1 204 No Content\r\n\r\n"};
  Manner manner = Manner::answer;

  struct Request {
    std::string head;
    std::string body;
  };
  std::vector<Request> requests;
  uint32_t connections = 0;  // that were accepted, ever

 private:
  struct Connection {
    explicit Connection(int descriptor) : fd(descriptor) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { SSL_free(ssl); }

    Fd fd;
    SSL* ssl = nullptr;
    std::string heard;
    std::string to_say;
    bool ends = false;  // when everything is said
  };

  void bind_port();
  // False: it is over.
  bool step(Connection& connection);
  bool receive(Connection& connection);
  void take_requests(Connection& connection);
  bool say(Connection& connection);
  static void reset(Connection& connection);

  const ThrowawayCertificate* const certificate_;
  uint16_t port_ = 0;
  Fd listener_;
  bool listening_ = false;
  std::list<Connection> open_;
};

}  // namespace weir
