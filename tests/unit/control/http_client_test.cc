#include "control/http_client.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <functional>
#include <semaphore>
#include <utility>

#include "tests/unit/control/alerts/real_loop.h"

namespace {

// The resolver that does not answer: who asks it for this name waits until the test lets go.
constexpr const char* silent_name = "silent.resolver.test";
std::counting_semaphore<100> silence{0};

}  // namespace

// Stands before the one of the C library, for libcurl too, in all tests of this program.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's begin with underscores
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto theirs = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  // Without asking anybody: what a resolver says of it, and when, is not what is tested.
  if (name != nullptr && ::strcmp(name, "no-such-name.invalid") == 0) return EAI_NONAME;
  if (name == nullptr || ::strcmp(name, silent_name) != 0) return theirs(name, service, hints, found);
  // Not for ever: who waits for us is to be found out, not to be joined.
  static_cast<void>(silence.try_acquire_for(std::chrono::seconds{5}));
  return EAI_AGAIN;
}

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// Somebody who asks, and what he does when he has been told.
struct Asker {
  HttpCall call{on_over};
  int told = 0;
  std::function<void()> then;

  static void on_over(HttpCall& call) {
    Asker& asker = owner_of(call, &Asker::call);
    ++asker.told;
    if (asker.then) asker.then();
  }
  std::string failure() const { return call.outcome() ? "" : call.outcome().error(); }
  HttpAnswer answer() const { return call.outcome() ? *call.outcome() : HttpAnswer{}; }
};

class HttpClientTest : public RealLoopTest {
 protected:
  void SetUp() override {
    HttpClient::prepare_process();
    RealLoopTest::SetUp();
    client = std::make_unique<HttpClient>(*ring, wheel, clock);
  }
  void TearDown() override {
    client->stop();
    EXPECT_TRUE(turn_until([&] { return client->stopped(); }));
    client.reset();
    RealLoopTest::TearDown();
    // Nothing here ever waits: neither for a resolver nor for a server. (Sanitizers and busy machines take their time.)
    EXPECT_LT(longest_turn, milliseconds{400});
  }

  static HttpRequest get(std::string url, Duration timeout = seconds{10}) {
    HttpRequest request;
    request.url = std::move(url);
    request.timeout = timeout;
    return request;
  }
  // Asks and waits for the end.
  void ask(Asker& who, HttpRequest request) {
    const int before = who.told;
    client->begin(who.call, std::move(request));
    ASSERT_EQ(who.told, before);
    ASSERT_TRUE(turn_until([&] { return who.told > before; }));
    EXPECT_FALSE(who.call.under_way());
  }

  // The resolver says at last that it does not know. Its threads, which nobody hears any more, go with all they had.
  void end_silence() {
    client->stop();
    silence.release(2);
    EXPECT_TRUE(turn_until([&] { return open_descriptors() == descriptors_open(); }));
    while (silence.try_acquire()) {
    }
  }

  std::unique_ptr<HttpClient> client;
  Asker asker;
};

TEST_F(HttpClientTest, Asks) {
  start_server();
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
  ask(asker, get(server->url("/a/../b?c=/../d")));
  ASSERT_EQ(asker.failure(), "");
  EXPECT_EQ(asker.answer().status, 200);
  EXPECT_EQ(asker.answer().body, "hello");
  EXPECT_FALSE(asker.answer().cut);
  ASSERT_EQ(server->requests.size(), 1U);
  EXPECT_THAT(server->requests[0].head, StartsWith("GET /a/../b?c=/../d HTTP/1.1\r\n"));
  EXPECT_THAT(server->requests[0].head, HasSubstr("User-Agent: weir/"));
}

TEST_F(HttpClientTest, SendsABodyWithItsFields) {
  start_server();
  HttpRequest request = get(server->url());
  request.method = "POST";
  request.fields = {"Content-Type: application/json", "X-Mine: yes"};
  request.body = std::string(100'000, 'b') + std::string(1, '\0') + "end";
  const std::string body = request.body;
  ask(asker, std::move(request));
  ASSERT_EQ(asker.failure(), "");
  EXPECT_EQ(asker.answer().status, 204);
  ASSERT_EQ(server->requests.size(), 1U);
  EXPECT_EQ(server->requests[0].body, body);
  EXPECT_THAT(server->requests[0].head, StartsWith("POST /hook HTTP/1.1\r\n"));
  EXPECT_THAT(server->requests[0].head, HasSubstr("X-Mine: yes\r\n"));
  EXPECT_THAT(server->requests[0].head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(server->requests[0].head, Not(HasSubstr("Expect")));
}

TEST_F(HttpClientTest, HasOtherMethods) {
  start_server();
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"};
  HttpRequest head = get(server->url());
  head.method = "HEAD";
  ask(asker, std::move(head));
  EXPECT_EQ(asker.answer().status, 200);
  HttpRequest put = get(server->url());
  server->answers = {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"};
  put.method = "PUT";
  put.body = "x";
  ask(asker, std::move(put));
  EXPECT_EQ(asker.answer().status, 201);
  EXPECT_THAT(server->requests[0].head, StartsWith("HEAD "));
  EXPECT_THAT(server->requests[1].head, StartsWith("PUT "));
}

TEST_F(HttpClientTest, EachCallHasAConnectionOfItsOwn) {
  start_server();
  for (int i = 0; i < 5; ++i) {
    ask(asker, get(server->url()));
    ASSERT_EQ(asker.failure(), "");
  }
  EXPECT_EQ(server->connections, 5U);
}

TEST_F(HttpClientTest, ManyAtOnce) {
  start_server();
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 50; ++i) {
    askers.push_back(std::make_unique<Asker>());
    client->begin(askers.back()->call, get(server->url("/" + std::to_string(i))));
  }
  for (const auto& each : askers) {
    ASSERT_TRUE(turn_until([&] { return each->told == 1; }));
    EXPECT_EQ(each->failure(), "");
  }
  EXPECT_EQ(server->requests.size(), 50U);
}

TEST_F(HttpClientTest, DoesNotGoWhereARedirectSends) {
  start_server();
  server->answers = {"HTTP/1.1 302 Found\r\nLocation: " + server->url("/other") + "\r\nContent-Length: 0\r\n\r\n"};
  ask(asker, get(server->url()));
  EXPECT_EQ(asker.answer().status, 302);
  EXPECT_EQ(server->requests.size(), 1U);
}

TEST_F(HttpClientTest, KnowsNoProxy) {
  start_server();
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, "http://127.0.0.1:1", 1);
  ask(asker, get(server->url()));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(asker.failure(), "");
}

TEST_F(HttpClientTest, ReadsNoMoreThanItWants) {
  start_server();
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(20'000, 'x')};
  HttpRequest request = get(server->url());
  request.answer_bytes_max = 1000;
  ask(asker, std::move(request));
  ASSERT_EQ(asker.failure(), "");
  EXPECT_EQ(asker.answer().status, 200);
  EXPECT_EQ(asker.answer().body, std::string(1000, 'x'));
  EXPECT_TRUE(asker.answer().cut);
}

TEST_F(HttpClientTest, ExactlyAsMuchAsItWants) {
  start_server();
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')};
  HttpRequest request = get(server->url());
  request.answer_bytes_max = 1000;
  ask(asker, std::move(request));
  EXPECT_EQ(asker.answer().body.size(), 1000U);
  EXPECT_FALSE(asker.answer().cut);
}

TEST_F(HttpClientTest, AHeadHasABound) {
  start_server();
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 2000; ++i) head += "X-Field: " + std::string(100, 'x') + "\r\n";
  server->answers = {head + "Content-Length: 0\r\n\r\n"};
  ask(asker, get(server->url()));
  EXPECT_EQ(asker.failure(), "the head of its answer is too long");
}

// --- what goes wrong ------------------------------------------------------------------------------------------------

TEST_F(HttpClientTest, Refused) {
  start_server();
  server->go_down();
  ask(asker, get(server->url()));
  EXPECT_THAT(asker.failure(), HasSubstr("Failed to connect"));
}

TEST_F(HttpClientTest, BrokenConnections) {
  start_server();
  server->manner = HookServer::Manner::reset;
  ask(asker, get(server->url()));
  EXPECT_THAT(asker.failure(), HasSubstr("reset"));
  server->manner = HookServer::Manner::break_off;
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'x')};
  ask(asker, get(server->url()));
  EXPECT_THAT(asker.failure(), HasSubstr("transfer closed"));
}

TEST_F(HttpClientTest, NotHttp) {
  start_server();
  server->answers = {"220 mail.example ESMTP\r\n"};
  ask(asker, get(server->url()));
  EXPECT_NE(asker.failure(), "");
}

TEST_F(HttpClientTest, UrlsThatAreNone) {
  for (const char* url : {"", "http://", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:99999/"}) {
    ask(asker, get(url));
    EXPECT_NE(asker.failure(), "") << url;
  }
}

TEST_F(HttpClientTest, ANameThatDoesNotResolve) {
  ask(asker, get("http://no-such-name.invalid/"));
  EXPECT_THAT(asker.failure(), HasSubstr("resolve host"));
}

TEST_F(HttpClientTest, ANameThatDoes) {
  start_server();
  ask(asker, get(server->url("/", "localhost")));
  EXPECT_EQ(asker.failure(), "");
}

// --- what takes too long --------------------------------------------------------------------------------------------

// Libcurl itself would wait for the resolver here.
TEST_F(HttpClientTest, AResolverThatIsSilent) {
  ask(asker, get(std::string{"http://"} + silent_name + "/", milliseconds{50}));
  EXPECT_EQ(asker.failure(), "the name is not resolved after 50 ms");
  EXPECT_LT(longest_turn, milliseconds{400});
  end_silence();
}

TEST_F(HttpClientTest, GivenUpWhileTheResolverIsSilent) {
  client->begin(asker.call, get(std::string{"http://"} + silent_name + "/"));
  for (int i = 0; i < 20; ++i) turn();
  const Instant before = clock.now();
  client->cancel(asker.call);
  Asker another;
  client->begin(another.call, get(std::string{"http://"} + silent_name + "/"));
  for (int i = 0; i < 20; ++i) turn();
  client->stop();
  EXPECT_LT(clock.now() - before, milliseconds{400});
  EXPECT_EQ(asker.told + another.told, 0);
  end_silence();
}

TEST_F(HttpClientTest, AServerThatDoesNotAnswer) {
  start_server();
  server->manner = HookServer::Manner::stall;
  ask(asker, get(server->url(), milliseconds{50}));
  EXPECT_EQ(asker.failure(), "no answer after 50 ms");
}

TEST_F(HttpClientTest, AServerThatIsTooSlow) {
  start_server();
  server->manner = HookServer::Manner::drip;
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')};
  ask(asker, get(server->url(), milliseconds{200}));
  EXPECT_EQ(asker.failure(), "the answer has not ended after 200 ms");
}

TEST_F(HttpClientTest, AServerThatIsSlowButInTime) {
  start_server();
  server->manner = HookServer::Manner::drip;
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
  ask(asker, get(server->url()));
  ASSERT_EQ(asker.failure(), "");
  EXPECT_EQ(asker.answer().body, "hello");
}

TEST_F(HttpClientTest, AServerThatDoesNotShakeHands) {
  const ThrowawayCertificate certificate;
  start_server(&certificate);
  server->manner = HookServer::Manner::stall;
  ask(asker, get(server->url(), milliseconds{100}));
  EXPECT_EQ(asker.failure(), "the TLS handshake has not ended after 100 ms");
}

// Whose backlog is full: the kernel answers nobody.
TEST_F(HttpClientTest, AServerThatDoesNotAccept) {
  ListenOptions options;
  options.backlog = 0;
  const auto listener = listen_on("127.0.0.1:0", options);
  ASSERT_TRUE(listener.ok());
  const SocketAddress address = bound_to(*listener);
  std::vector<Fd> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.push_back(stream_for(address));
    static_cast<void>(::connect(crowd.back().get(), address.data(), address.size()));
  }
  ask(asker, get("http://" + address.to_string() + "/", milliseconds{50}));
  EXPECT_EQ(asker.failure(), "no connection after 50 ms");
}

// --- TLS ------------------------------------------------------------------------------------------------------------

TEST_F(HttpClientTest, OverTls) {
  const ThrowawayCertificate certificate;
  start_server(&certificate);
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
  for (const char* host : {"localhost", "127.0.0.1"}) {
    HttpRequest request = get(server->url("/", host));
    request.ca = certificate.path();
    ask(asker, std::move(request));
    ASSERT_EQ(asker.failure(), "") << host;
    EXPECT_EQ(asker.answer().body, "hello");
  }
}

TEST_F(HttpClientTest, ACertificateThatNobodyKnows) {
  const ThrowawayCertificate certificate;
  start_server(&certificate);
  ask(asker, get(server->url()));
  EXPECT_EQ(asker.failure(), "SSL certificate problem: self-signed certificate");
}

TEST_F(HttpClientTest, ACertificateOfAnother) {
  const ThrowawayCertificate certificate;
  const ThrowawayCertificate another;
  start_server(&certificate);
  HttpRequest request = get(server->url());
  request.ca = another.path();
  ask(asker, std::move(request));
  EXPECT_THAT(asker.failure(), HasSubstr("certificate"));
}

TEST_F(HttpClientTest, TlsWhereThereIsNone) {
  start_server();
  server->answers = {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"};
  server->manner = HookServer::Manner::break_off;
  std::string url = server->url();
  url.insert(4, "s");
  ask(asker, get(url, milliseconds{200}));
  EXPECT_NE(asker.failure(), "");
}

// --- who is told, and when ------------------------------------------------------------------------------------------

TEST_F(HttpClientTest, CanceledAtAnyTime) {
  start_server();
  server->manner = HookServer::Manner::drip;
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};
  for (int turns = 0; turns < 40; ++turns) {
    client->begin(asker.call, get(server->url()));
    for (int i = 0; i < turns; ++i) turn();
    client->cancel(asker.call);
    EXPECT_FALSE(asker.call.under_way());
    client->cancel(asker.call);
  }
  EXPECT_EQ(asker.told, 0);
}

TEST_F(HttpClientTest, BegunAnewFromItsHandler) {
  start_server();
  asker.then = [&] {
    if (asker.told < 5) client->begin(asker.call, get(server->url()));
  };
  client->begin(asker.call, get(server->url()));
  EXPECT_TRUE(turn_until([&] { return asker.told == 5; }));
}

TEST_F(HttpClientTest, OthersAreCanceledFromAHandler) {
  start_server();
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 10; ++i) {
    askers.push_back(std::make_unique<Asker>());
    askers.back()->then = [&] {
      for (const auto& each : askers) client->cancel(each->call);
    };
    client->begin(askers.back()->call, get(server->url()));
  }
  const auto told = [&] {
    int sum = 0;
    for (const auto& each : askers) sum += each->told;
    return sum;
  };
  ASSERT_TRUE(turn_until([&] { return told() > 0; }));
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(told(), 1);
}

TEST_F(HttpClientTest, StoppedFromAHandler) {
  start_server();
  Asker other;
  other.then = asker.then = [&] { client->stop(); };
  client->begin(asker.call, get(server->url()));
  client->begin(other.call, get(server->url()));
  ASSERT_TRUE(turn_until([&] { return client->stopped(); }));
  EXPECT_EQ(asker.told + other.told, 1);
}

TEST_F(HttpClientTest, StoppedWithCallsUnderWay) {
  const ThrowawayCertificate certificate;
  start_server(&certificate);
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 20; ++i) {
    askers.push_back(std::make_unique<Asker>());
    HttpRequest request = get(server->url());
    request.ca = certificate.path();
    client->begin(askers.back()->call, std::move(request));
    turn();
  }
  client->stop();
  ASSERT_TRUE(turn_until([&] { return client->stopped(); }));
  server.reset();
}

}  // namespace
}  // namespace weir
