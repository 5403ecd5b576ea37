// HttpClient: asks HTTP servers of the world outside, over http and https, names and all, for whoever lives on the
// control loop: web hooks, say. libcurl speaks; the loop's ring waits for its sockets and the loop's wheel for its
// timers.
//
//     begin --> under way --answered, failed, time is up--> the call's handler
//                  `-----cancel--> (nobody is told)
//
// Nothing here blocks. Names are resolved by the system's resolver in a thread for each that is not in the cache; one
// whose call is over before it has an answer is left to itself, and goes when the resolver gives up. Reading the
// system's certificates, with the first https call of a day, takes some milliseconds.
//
// Always: no redirects are followed, no proxy is used whatever the environment says, certificates are verified, no
// signals, no cookies. Each call has a connection of its own.
//
// Made once there is something to ask, on the control thread; after stop() it comes to rest by itself, and may go once
// stopped(). prepare_process() comes before the first one, and before the second thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/timer_wheel.h"
#include "net/io/ring.h"

namespace weir {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> fields;             // "Content-Type: application/json"
  std::string body;                            // sent if there is one, and always with POST
  Duration timeout = std::chrono::seconds{5};  // for all of it
  size_t answer_bytes_max = 64 * 1024;         // of its body; what follows is not waited for
  std::string ca;                              // path of the certificates to trust; "": those that the system trusts
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  bool cut = false;  // there was more of the body than was wanted
};

// What came of it. The error is a sentence: "Could not resolve host: hooks.example".
using HttpOutcome = Result<HttpAnswer, std::string>;

// One request at a time. A member of who asks; while it is under way it may not go.
class HttpCall {
 public:
  // The call is not under way any more: it may be begun anew, or destroyed. Found by owner_of().
  using Handler = void (*)(HttpCall&);

  explicit HttpCall(Handler handler) noexcept : handler_(handler) {}
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;
  ~HttpCall() { WEIR_ASSERT(!under_way()); }

  bool under_way() const noexcept { return transfer_ != nullptr; }
  // Of the last one, from its handler until begin().
  const HttpOutcome& outcome() const noexcept { return outcome_; }

 private:
  friend class HttpClient;
  struct Transfer;

  Handler handler_;
  Transfer* transfer_ = nullptr;  // set exactly while under way
  HttpOutcome outcome_{std::string{"not asked yet"}};
};

class HttpClient {
 public:
  static constexpr uint32_t idle_connections_max = 8;
  static constexpr size_t head_bytes_max = 64 * 1024;

  // Makes libcurl ready for this process; again is nothing.
  static void prepare_process();

  HttpClient(Ring& ring, TimerWheel& wheel, const Clock& clock);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Never calls the handler before it has returned. Not after stop().
  void begin(HttpCall& call, HttpRequest request);
  // It is not under way any more, and its handler will not be called. If it was not, nothing.
  void cancel(HttpCall& call);

  // Cancels all, and closes what is open. Handlers may call it.
  void stop();
  // Nothing of it is in flight: it may go.
  bool stopped() const noexcept;

 private:
  friend class HttpCall;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
