#include "tools/weir/origin_command.h"

#include <memory>

#include "tools/origin/origin.h"

namespace weir {
namespace {

constexpr const char* description = "A fast HTTP/1.1 origin to stand behind weir in demos, tests and benches";

constexpr const char* footer = R"(What a request gets is chosen by its path:
  /                          200 "hello from NAME"
  /bytes/N[?chunked=1]       N bytes, also as 64KiB or 1MiB; each 16-byte line
                             says its own offset, modulo 1000000
  /delay/MS[/...]            what the rest of the path asks for, MS
                             milliseconds later
  /fail[/...]?mode=M         M = reset | close | garbage | half;
                             &rate=0.3: only so often, else the rest
  /status/CODE               that status, 200 to 599
  /echo[/...]                method, headers and body come back as text
  /dribble?bytes=N&every=MS  one byte each MS milliseconds
  /endless                   a body without end
  /health                    200, or what --health-status says
  /count /conns /stats       requests, connections, all counters (JSON)

Raw modes, bytes without HTTP:
  echo      send back what comes; after the client's FIN the rest, then close
  discard   take everything, answer nothing
  endless   send for ever, read nothing
  banner    speak first ("banner NAME"), then echo
  name      send NAME and close
  silent    neither read nor answer
  reset     answer the first byte with an RST

Stops on SIGINT or SIGTERM; answers in progress get a second to end.
)";

}  // namespace

void add_origin_command(CLI::App& app, ExitCode& exit_code) {
  // Parsing fills it after this function has returned; the callback keeps it alive.
  const auto options = std::make_shared<OriginOptions>();
  CLI::App* command = app.add_subcommand("origin", description);
  command->footer(footer);

  command
      ->add_option("-l,--listen", options->listen,
                   "Where to listen: HOST:PORT, [V6]:PORT, :PORT or unix:/PATH; port 0 takes a free one; may be given "
                   "several times")
      ->type_name("ADDRESS")
      ->default_str(options->listen.front());
  command->add_option("-n,--name", options->name, "Its name, said in X-Origin and greetings")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Loops, sharing ports by SO_REUSEPORT")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--answer", options->answer,
                   "What / and unlisted paths answer, as a path of the table below (default: hello, and 404)")
      ->type_name("PATH");
  command->add_option("--delay", options->delay, "Wait before every answer: 50 (ms), 50ms, 2s")->type_name("TIME");
  command->add_option("--fail", options->fail, "Fail every request: reset, close, garbage or half")->type_name("MODE");
  command->add_option("--fail-rate", options->fail_rate, "How many requests --fail hits, 0 to 1")
      ->type_name("RATE")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Of the dice behind every rate")->type_name("N")->capture_default_str();
  command->add_option("--health-status", options->health_status, "What /health answers")
      ->type_name("CODE")
      ->capture_default_str();
  command->add_option("--raw", options->raw, "No HTTP, but one of the raw modes below")->type_name("MODE");
  command->add_flag("--proxy-protocol", options->proxy_protocol,
                    "Each connection starts with a PROXY header, v1 or v2; it is told in X-Proxy and banners");
  command->add_flag("--stats-on-exit", options->stats_on_exit, "Print the counters as JSON when stopping");

  command->callback([options, &exit_code] { exit_code = static_cast<ExitCode>(run_origin(*options)); });
}

}  // namespace weir
