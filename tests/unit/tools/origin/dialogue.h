// Plays the connection's part (tools/origin/connection.h) for a conversation without sockets or time: what the client
// says goes in, what it would receive comes out, and the clock moves only when told.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/origin/conversation.h"
#include "tools/origin/http_conversation.h"
#include "tools/origin/http_site.h"
#include "tools/origin/raw_conversation.h"

namespace weir::origin {

class Dialogue {
 public:
  explicit Dialogue(const OriginOptions& options = {}, std::string proxied = {})
      : settings_(checked(options)), site_(settings_, board_, board_.of_loop(0), settings_.seed) {
    site_.tick(now_, 784111777);  // RFC 9110's example: Sun, 06 Nov 1994 08:49:37 GMT
    if (settings_.raw == RawMode::none) {
      conversation_ = std::make_unique<HttpConversation>(site_, std::move(proxied));
    } else {
      conversation_ = make_raw_conversation(settings_, proxied);
    }
  }

  // Everything it sends until it waits for something. An endless one is stopped after `steps_max`.
  std::string say(std::string_view in, int steps_max = 1000) {
    unread_.append(in);
    std::string sent;
    for (int step = 0; step < steps_max; ++step) {
      sent += drained();
      const Wishes& wishes = conversation_->wishes();
      if (wishes.ending != Ending::none) break;
      if (wishes.produce) {
        conversation_->on_room(out_);
      } else if (wishes.read && !unread_.empty()) {
        const std::size_t taken = conversation_->on_input(unread_, out_);
        unread_.erase(0, taken);
        if (taken == 0 && out_.empty()) break;
      } else {
        break;
      }
    }
    return sent + drained();
  }

  // Time passes; every wake on the way is kept, at its time.
  std::string pass(Duration duration) {
    const Instant until = now_ + duration;
    std::string sent;
    for (;;) {
      const auto wake = conversation_->wishes().wake;
      if (!wake || *wake > until) break;
      now_ = *wake;
      site_.tick(now_, 784111777);
      conversation_->forget_wake();
      conversation_->on_time(out_);
      sent += say("");
    }
    now_ = until;
    site_.tick(now_, 784111777);
    return sent;
  }

  std::string end_input() {
    conversation_->on_end_of_input(out_);
    return say("");
  }

  const Wishes& wishes() const { return conversation_->wishes(); }
  Conversation& conversation() { return *conversation_; }
  const std::string& unread() const { return unread_; }
  std::uint64_t requests() const { return board_.sum(&Stats::requests); }

 private:
  static Settings checked(const OriginOptions& options) {
    std::string complaint;
    const auto settings = check(options, complaint);
    if (!settings) throw std::invalid_argument(complaint);
    return *settings;
  }

  std::string drained() {
    std::string sent = out_.text();
    out_.drop(sent.size());
    return sent;
  }

  Settings settings_;
  Scoreboard board_{1};
  HttpSite site_;
  Instant now_{std::chrono::seconds{100}};
  std::unique_ptr<Conversation> conversation_;
  std::string unread_;
  Output out_;
};

// What follows the first empty line.
inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string{} : answer.substr(end + 4);
}

inline std::string request(std::string_view method, std::string_view target, std::string_view more = {}) {
  return std::string{method} + " " + std::string{target} + " HTTP/1.1\r\nHost: a\r\n" + std::string{more} + "\r\n";
}

inline std::string get(std::string_view target) {
  return request("GET", target);
}

}  // namespace weir::origin
