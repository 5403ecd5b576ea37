#include "health/http_probe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/health/checking.h"
#include "tests/unit/net/tls/played_server.h"

namespace weir {
namespace {

const std::string head = "HTTP/1.1 200 OK\r\n";
const std::string ok = head + "Content-Length: 2\r\n\r\nok";

class HttpProbeTest : public CheckingTest {
 protected:
  ProbeId add_http(HttpTarget target) {
    target.timeout = timeout;
    return add<HttpProbe>(std::move(target));
  }
  ProbeId add_http(const PlayedAgent& agent, std::string body = {}) {
    HttpTarget target;
    target.address = agent.address;
    target.method = body.empty() ? "HEAD" : "GET";
    target.host = "a.example";
    target.expected.body = std::move(body);
    return add_http(std::move(target));
  }
  // The request that came, all of it.
  std::string request_to(PlayedAgent& agent) {
    std::string request;
    EXPECT_TRUE(turn_until([&] {
      request += receive_now(agent.caller);
      return request.ends_with("\r\n\r\n");
    }));
    return request;
  }
};

TEST_F(HttpProbeTest, AsksAndJudgesRoundAfterRound) {
  PlayedAgent agent;
  const ProbeId id = add_http(agent);
  const std::pair<std::string, std::string> rounds[] = {
      {head + "\r\n", ""}, {"HTTP/1.1 503 No\r\n\r\n", "status 503, expected 200-399"}, {"HTTP/1.0 301 \r\n\r\n", ""}};
  for (size_t round = 0; round < std::size(rounds); ++round) {
    ASSERT_TRUE(calls(agent));
    EXPECT_EQ(request_to(agent),
              "HEAD /health HTTP/1.1\r\nHost: a.example\r\nUser-Agent: weir-health\r\nConnection: close\r\n\r\n");
    agent.say(rounds[round].first);
    EXPECT_EQ(reason_of(id, round + 1), rounds[round].second);
    EXPECT_TRUE(turn_until([&] { return agent.left(); }));
    agent.hang_up();
  }
}

TEST_F(HttpProbeTest, JudgesWhatIsSaidAndHowItEnds) {
  struct Row {
    std::string answer;
    bool and_closes;
    std::string reason;
  };
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (const Row& row :
       {Row{ok, false, ""}, Row{"HTTP/1.1 103 Hints\r\n\r\n" + chunked + "1\r\no\r\n1\r\nk\r\n", false, ""},
        Row{head + "\r\nso far so ok", false, ""},
        Row{head + "Content-Length: 2\r\n\r\nko", false, "the body does not contain `ok`"},
        Row{head + "\r\nnothing", true, "the body does not contain `ok`"},
        Row{head + "Content-Length: 9\r\n\r\no", true,
            "closed in the middle of the body, which did not contain `ok` so far"},
        Row{"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nok", false, "status 500, expected 200-399"},
        Row{"", true, "closed before it had answered"},
        Row{"HTTP/1.1 200", true, "closed in the middle of the answer's head"},
        Row{"+PONG\r\n", false, "not an answer of HTTP/1: the version is not `HTTP/` DIGIT `.` DIGIT"},
        Row{head + "X: " + std::string(20'000, 'x') + "\r\n\r\n", false,
            "not an answer of HTTP/1: the head is larger than the limit"},
        Row{head + "\r\n" + std::string(70'000, 'h'), false, "the first 64 KiB of the body do not contain `ok`"}}) {
    PlayedAgent agent;
    const ProbeId id = add_http(agent, "ok");
    ASSERT_TRUE(calls(agent));
    request_to(agent);
    agent.say(row.answer);
    if (row.and_closes) agent.hang_up();
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
  }
}

TEST_F(HttpProbeTest, TheWorldMayBeSlowButNotTooSlow) {
  struct Row {
    std::string said;  // byte by byte, and slowly; more than there is time for
    std::string reason;
  };
  for (const Row& row : {Row{"", "connected, but no answer in time"}, Row{head, "connected, but no answer in time"},
                         Row{"HTTP/1.1 200 \r\n\r\nnot o", "status 200, but the body did not contain `ok` in time"}}) {
    PlayedAgent agent;
    const ProbeId id = add_http(agent, "ok");
    ASSERT_TRUE(calls(agent));
    const Instant began = clock.time;
    for (const char byte : row.said) {
      pass(step);
      agent.say({&byte, 1});
      turn();
    }
    EXPECT_TRUE(reports[id].empty());
    pass(began + timeout - clock.time);
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
  }
}

TEST_F(HttpProbeTest, DoesNotWaitForABodyThatItDoesNotNeed) {
  PlayedAgent agent;
  HttpTarget target;
  target.address = agent.address;
  target.method = "GET";
  const ProbeId id = add_http(std::move(target));
  ASSERT_TRUE(calls(agent));
  agent.say(head + "Content-Length: 1000000\r\n\r\nbeginning");
  EXPECT_EQ(reason_of(id), "");
  EXPECT_TRUE(turn_until([&] { return agent.left(); }));
}

TEST_F(HttpProbeTest, DoesNotHearForEver) {
  PlayedAgent agent;
  const ProbeId id = add_http(agent, "ok");
  ASSERT_TRUE(calls(agent));
  agent.say(head + "Transfer-Encoding: chunked\r\n\r\n");
  // Hardly any body, but an endless lot of framing.
  std::string chunk = "1;" + std::string(1'000, 'x') + "\r\nh\r\n";
  EXPECT_TRUE(turn_until([&] {
    static_cast<void>(send_now(agent.caller, chunk));
    return !reports[id].empty();
  }));
  EXPECT_EQ(reason_of(id), "the answer is too long");
}

TEST_F(HttpProbeTest, FailsWhereThereIsNoConnection) {
  HttpTarget target;
  { target.address = PlayedAgent{}.address; }
  const ProbeId id = add_http(std::move(target));
  ASSERT_TRUE(pass_until(2 * interval, [&] { return !reports[id].empty(); }));
  EXPECT_EQ(reports[id][0].reason, "no connection: origin: connection refused (ECONNREFUSED)");
}

// --- over TLS -------------------------------------------------------------------------------------------------------

class HttpsProbeTest : public HttpProbeTest {
 protected:
  ProbeId add_https(const PlayedAgent& agent, std::string name = "a.example", bool verify = true) {
    auto context = tls::ClientContext::make(
        {.verify = verify, .ca_file = Certificates::get().authority(), .protocols = {"http/1.1"}});
    EXPECT_TRUE(context.ok());
    HttpTarget target;
    target.address = agent.address;
    target.method = "GET";
    target.tls = *context;
    target.server_name = std::move(name);
    target.expected.body = "ok";
    return add_http(std::move(target));
  }
  // Carries bytes between the agent's connection and the server until then.
  template <class Done>
  bool serve_until(PlayedAgent& agent, PlayedTlsServer& server, Done&& done) {
    return turn_until([&] {
      if (agent.caller.valid()) {
        const std::string up = receive_now(agent.caller);
        if (!up.empty()) server.receive(up);
        const std::string down = server.take_outgoing();
        if (!down.empty()) static_cast<void>(send_now(agent.caller, down));
      }
      return done();
    });
  }
  bool serve_request(PlayedAgent& agent, PlayedTlsServer& server) {
    return calls(agent) && serve_until(agent, server, [&] { return server.heard().ends_with("\r\n\r\n"); });
  }
};

TEST_F(HttpsProbeTest, AsksAndJudgesInAnyVersion) {
  PlayedAgent agent;
  const ProbeId id = add_https(agent);
  size_t round = 0;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string& said : {std::string{"ok"}, std::string{"no"}}) {
      PlayedTlsServer server{{.version_min = version, .version_max = version}};
      ASSERT_TRUE(serve_request(agent, server));
      EXPECT_EQ(server.name_asked_for(), "a.example");
      server.say(head + "Content-Length: 2\r\n\r\n" + said);
      ++round;
      ASSERT_TRUE(serve_until(agent, server, [&] { return reports[id].size() == round; }));
      EXPECT_EQ(reason_of(id, round), said == "ok" ? "" : "the body does not contain `ok`");
      EXPECT_TRUE(serve_until(agent, server, [&] { return server.heard_goodbye(); }));
      EXPECT_TRUE(turn_until([&] { return agent.left(); }));
      agent.hang_up();
    }
  }
}

TEST_F(HttpsProbeTest, HearsAGoodbyeAndAnEndWithoutOne) {
  for (const bool goodbye : {true, false}) {
    PlayedAgent agent;
    PlayedTlsServer server;
    const ProbeId id = add_https(agent);
    ASSERT_TRUE(serve_request(agent, server));
    server.say(head + "\r\nwell");
    if (goodbye) server.say_goodbye();
    ASSERT_TRUE(send_now(agent.caller, server.take_outgoing()));
    if (!goodbye) agent.hang_up();
    EXPECT_EQ(reason_of(id), "the body does not contain `ok`");
    prober->remove(id);
  }
}

TEST_F(HttpsProbeTest, IsParticularAboutWhomItTalksTo) {
  const Certificates& files = Certificates::get();
  struct Row {
    std::string name;
    ServerManners manners;
    std::string reason;
  };
  for (const Row& row : {Row{"b.example", {}, "no TLS: the certificate is not for `b.example`"},
                         Row{"127.0.0.2", {}, "no TLS: the certificate is not for `127.0.0.2`"},
                         Row{"", {}, "no TLS: there is no name that the certificate could be for"},
                         Row{"a.example",
                             {.certificate = files.expired()},
                             "no TLS: the certificate is not trusted: certificate has expired"},
                         Row{"a.example", {.protocol = "h2"}, "no TLS: the server refused: no application protocol"},
                         Row{"a.example",
                             {.version_max = TLS1_2_VERSION, .wants_certificate = true},
                             "no TLS: the server refused: handshake failure"}}) {
    PlayedAgent agent;
    PlayedTlsServer server{row.manners};
    const ProbeId id = add_https(agent, row.name);
    ASSERT_TRUE(calls(agent));
    ASSERT_TRUE(serve_until(agent, server, [&] { return !reports[id].empty(); }));
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
  }
  // In 1.3 it is refused after our first words.
  PlayedAgent agent;
  PlayedTlsServer server{{.version_min = TLS1_3_VERSION, .wants_certificate = true}};
  const ProbeId id = add_https(agent);
  ASSERT_TRUE(calls(agent));
  ASSERT_TRUE(serve_until(agent, server, [&] { return !reports[id].empty(); }));
  EXPECT_EQ(reason_of(id), "the connection broke: the server refused: certificate required");

  PlayedTlsServer stranger{{.certificate = files.stranger(), .key = files.stranger_key()}};
  const ProbeId careless = add_https(agent, "", false);
  prober->remove(id);
  ASSERT_TRUE(serve_request(agent, stranger));
  stranger.say(ok);
  ASSERT_TRUE(serve_until(agent, stranger, [&] { return !reports[careless].empty(); }));
  EXPECT_EQ(reason_of(careless), "") << "who does not verify takes everybody";
}

TEST_F(HttpsProbeTest, SaysWhyThereIsNoTls) {
  struct Row {
    std::string said;
    bool and_closes;
    bool and_time_passes;
    std::string reason;
  };
  for (const Row& row : {Row{"HTTP/1.1 400 Bad Request\r\n\r\n", false, false,
                             "no TLS: the server does not speak TLS (wrong version number)"},
                         Row{"", true, false, "no TLS: closed in the middle of the handshake"},
                         Row{"", false, true, "no TLS: origin: no answer in time (ETIMEDOUT)"}}) {
    PlayedAgent agent;
    const ProbeId id = add_https(agent);
    ASSERT_TRUE(calls(agent));
    ASSERT_TRUE(turn_until([&] { return becomes(agent.caller.get(), POLLIN, 0); }));
    receive_now(agent.caller);
    agent.say(row.said);
    if (row.and_closes) agent.hang_up();
    if (row.and_time_passes) pass(timeout);
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
  }
}

// `openssl s_server` in a process of its own: a server that nobody wrote for these tests.
class RealTlsServer {
 public:
  RealTlsServer() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    said_.reset(ends[0]);
    const Fd its_end{ends[1]};
    const Certificates& files = Certificates::get();
    const std::string certificate = files.server();
    const std::string key = files.key();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(its_end.get(), STDOUT_FILENO);
      ::execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate.c_str(), "-key",
               key.c_str(), nullptr);
      ::_exit(127);
    }
  }
  RealTlsServer(const RealTlsServer&) = delete;
  RealTlsServer& operator=(const RealTlsServer&) = delete;
  ~RealTlsServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // It says "ACCEPT 127.0.0.1:12345" when it is ready.
  SocketAddress address() {
    constexpr std::string_view word = "\nACCEPT ";
    std::string text = "\n";
    for (;;) {
      const size_t at = text.find(word);
      const size_t end = at == std::string::npos ? at : text.find('\n', at + 1);
      if (end != std::string::npos) return address_of(text.substr(at + word.size(), end - at - word.size()));
      std::array<char, 256> bytes;
      const ssize_t size = becomes(said_.get(), POLLIN) ? ::read(said_.get(), bytes.data(), bytes.size()) : 0;
      if (size <= 0) {
        ADD_FAILURE() << "it does not begin, but says" << text;
        return {};
      }
      text.append(bytes.data(), static_cast<size_t>(size));
    }
  }

 private:
  Fd said_;
  pid_t pid_ = -1;
};

TEST_F(HttpsProbeTest, TalksToARealServer) {
  RealTlsServer server;
  const SocketAddress address = server.address();
  auto context = tls::ClientContext::make({.ca_file = Certificates::get().authority()});
  ASSERT_TRUE(context.ok());
  for (const auto& [body, reason] :
       {std::pair{"Ciphers supported", ""}, std::pair{"no such text", "the body does not contain `no such text`"}}) {
    HttpTarget target;
    target.address = address;
    target.method = "GET";
    target.path = "/";
    target.tls = *context;
    target.server_name = "127.0.0.1";
    target.expected.body = body;
    const ProbeId id = add_http(std::move(target));
    ASSERT_TRUE(pass_until_asking());
    EXPECT_EQ(reason_of(id), reason);
    prober->remove(id);
  }
}

TEST_F(HttpsProbeTest, RemovedAtAnyTurnLeavesNothing) {
  PlayedAgent agent;
  for (int turns = 0; turns < 12; ++turns) {
    const ProbeId id = add_https(agent);
    PlayedTlsServer server;
    ASSERT_TRUE(pass_until_asking());
    int done = 0;
    bool answered = false;
    ASSERT_TRUE(serve_until(agent, server, [&] {
      static_cast<void>(agent.called());
      if (!answered && server.heard().ends_with("\r\n\r\n")) {
        server.say(ok);
        answered = true;
      }
      return done++ == turns;
    }));
    prober->remove(id);
    const size_t heard = reports[id].size();
    ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
    EXPECT_EQ(reports[id].size(), heard);
    while (agent.called()) {
    }
    agent.hang_up();
  }
}

}  // namespace
}  // namespace weir
