#include "tools/weir/run_command.h"

#include <CLI/CLI.hpp>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/access_log.h"
#include "control/control_loop.h"
#include "control/http_client.h"
#include "control/machine.h"
#include "core/balance/pickers.h"
#include "core/config/parse.h"
#include "net/io/features.h"
#include "net/proxy/worker.h"
#include "tools/weir/quick_config.h"

namespace weir {
namespace {

struct RunOptions {
  std::string config_path;
  QuickOptions quick;
};

using Reread = ControlLoop::Reread;
using ConfigOrReport = Result<config::Config, std::string>;

ConfigOrReport read_config(const std::string& path) {
  config::ParseResult parsed = config::parse_file(path, config::process_environment(), picker_names());
  if (!parsed.ok()) return parsed.render();
  return std::move(*parsed.config);
}

// Signals that the control thread reads from a descriptor must be blocked in every thread, so before there is a second
// one. SIGPIPE: splice(2) into a socket whose peer has gone raises it; we read the error instead.
void prepare_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Who started us may ignore it, and then nobody could tell how a child of ours has ended.
  ::signal(SIGCHLD, SIG_DFL);
}

WorkerOptions options_of(const config::Config& config, const Layout& layout, const Features& features, unsigned index) {
  WorkerOptions options;
  options.index = index;
  options.receive_limit = features.receive_limit;
  options.cpu = layout.worker_cpus[index];
  // Slots cost only address space; what may be used of them is the Snapshot's word, which a reload may raise.
  options.sessions_max = layout.connections_max;
  options.buffer_bytes_max = config.limits.buffers_per_worker;
  options.pipes_max = layout.pipes_per_worker;
  options.pipe_size = static_cast<uint32_t>(config.limits.pipe_size);
  // Request ids of different processes and workers must differ. Without entropy they still do by time and place.
  if (::getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) {
    options.seed = static_cast<uint64_t>(SystemClock{}.unix_ms()) ^ (static_cast<uint64_t>(::getpid()) << 32) ^ index;
  }
  return options;
}

// The access log, and the rings through which workers reach it.
struct AccessLogParts {
  std::vector<std::unique_ptr<ByteRing>> rings;  // by worker; empty when there is no log
  std::unique_ptr<AccessLog> log;
};

// "" when it is open, or not wanted; or why it could not be opened.
std::string open_access_log(const config::Config& config, unsigned workers, const Clock& clock, AccessLogParts& parts) {
  if (!config.access_log) return {};
  const config::AccessLogConfig& wanted = *config.access_log;
  AccessLogSettings settings;
  settings.to = wanted.to;
  settings.json = wanted.format == config::AccessLogFormat::json;
  settings.mode = wanted.mode;
  settings.queue_bytes = static_cast<uint32_t>(wanted.queue);
  std::vector<ByteRing*> rings;
  for (unsigned i = 0; i < workers; ++i) {
    parts.rings.push_back(std::make_unique<ByteRing>(settings.queue_bytes));
    rings.push_back(parts.rings.back().get());
  }
  auto opened = AccessLog::open(settings, std::move(rings), clock, Log{config.log.level, config.log.format});
  if (!opened) return opened.error();
  parts.log = std::move(*opened);
  return {};
}

// The life of a worker's thread. `started` is told how the start went; after an error the thread is over.
void work(const WorkerOptions& options, ProcessState& process, Published<Snapshot>& published,
          ControlLoop::Letters& letters, const Clock& clock, std::promise<std::string>& started) {
  pthread_setname_np(pthread_self(), ("weir-" + std::to_string(options.index)).c_str());
  {
    Worker worker{options, process, published, letters, clock};
    const auto result = worker.start();
    started.set_value(result ? std::string{} : describe(result.error()));
    if (result) worker.run();
  }
  process.running.fetch_sub(1, std::memory_order_release);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(process.left.get(), &one, sizeof one);
}

ExitCode run(const config::Config& config, const std::string& source, const Reread& reread) {
  const Features features = probe_features();
  if (!features.usable()) {
    std::cerr << "weir: " << features.refusal << "\n";
    return ExitCode::kernel;
  }
  const Machine machine = look_at_machine();
  const Layout layout = lay_out(config, machine);
  if (!layout.problem.empty()) {
    std::cerr << "weir: " << layout.problem << "\n";
    return ExitCode::bad_config;
  }
  prepare_signals();
  HttpClient::prepare_process();

  const SystemClock clock;
  const auto workers = static_cast<unsigned>(layout.worker_cpus.size());
  ProcessState process{workers};
  Published<Snapshot> published{workers};
  std::vector<std::unique_ptr<ControlLoop::Letters>> letters;
  for (unsigned i = 0; i < workers; ++i) {
    letters.push_back(std::make_unique<ControlLoop::Letters>());
    process.workers[i]->cpu = layout.worker_cpus[i];
  }
  AccessLogParts access_log;
  if (const std::string trouble = open_access_log(config, workers, clock, access_log); !trouble.empty()) {
    std::cerr << "weir: " << trouble << "\n";
    return ExitCode::cannot_listen;
  }
  ControlLoop control{config,  machine,   layout,  source, reread,
                      process, published, letters, clock,  access_log.log.get()};
  if (const std::string problem = control.start(); !problem.empty()) {
    std::cerr << "weir: " << problem << "\n";
    return ExitCode::cannot_listen;
  }

  std::vector<std::thread> threads;
  std::string problem;
  for (unsigned i = 0; i < workers && problem.empty(); ++i) {
    std::promise<std::string> started;
    auto answer = started.get_future();
    process.running.fetch_add(1, std::memory_order_relaxed);
    WorkerOptions options = options_of(config, layout, features, i);
    if (access_log.log != nullptr) options.access_log = access_log.rings[i].get();
    threads.emplace_back(work, options, std::ref(process), std::ref(published), std::ref(*letters[i]), std::cref(clock),
                         std::ref(started));
    problem = answer.get();
  }
  if (!problem.empty()) {
    std::cerr << "weir: a worker could not start: " << problem
              << "; if memory is the reason, raise RLIMIT_MEMLOCK or lower `workers`\n";
    for (const auto& box : letters) box->send({ControlMessage::Kind::stop, {}});
  }
  control.run();
  for (std::thread& thread : threads) thread.join();
  if (access_log.log != nullptr) access_log.log->stop();
  return problem.empty() ? ExitCode::ok : ExitCode::kernel;
}

// Where a configuration is looked for when none is named.
std::string default_config_path() {
  for (const char* path : {"weir.yaml", "/etc/weir/weir.yaml"}) {
    if (::access(path, R_OK) == 0) return path;
  }
  return {};
}

ExitCode run_from_options(const RunOptions& options) {
  if (options.quick.given()) {
    if (!options.config_path.empty()) {
      std::cerr << "weir run: either -c FILE or --listen/--to, not both\n";
      return ExitCode::usage;
    }
    auto quick = quick_config(options.quick);
    if (!quick) {
      std::cerr << quick.error();
      return ExitCode::usage;
    }
    return run(*quick, "command line", nullptr);
  }
  const std::string path = options.config_path.empty() ? default_config_path() : options.config_path;
  if (path.empty()) {
    std::cerr << "weir run: no configuration: there is no ./weir.yaml and no /etc/weir/weir.yaml\n"
                 "  name one:       weir run -c FILE\n"
                 "  or do without:  weir run --listen :8080 --to 127.0.0.1:9001\n";
    return ExitCode::usage;
  }
  auto config = read_config(path);
  if (!config) {
    std::cerr << config.error();
    return ExitCode::bad_config;
  }
  return run(*config, path, [path] { return read_config(path); });
}

}  // namespace

void add_run_command(CLI::App& app, ExitCode& exit_code) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Balance, in the foreground, until SIGTERM");
  command->add_option("-c,--config", options->config_path, "Configuration (default: weir.yaml,\n/etc/weir/weir.yaml)")
      ->type_name("FILE");
  add_quick_options(*command, options->quick);
  command->callback([options, &exit_code] { exit_code = run_from_options(*options); });
}

}  // namespace weir
