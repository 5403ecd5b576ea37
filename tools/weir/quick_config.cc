#include "tools/weir/quick_config.h"

#include <algorithm>
#include <string_view>

#include "core/balance/pickers.h"
#include "core/config/parse.h"
#include "core/config/suggest.h"
#include "core/config/values.h"

namespace weir {
namespace {

constexpr std::string_view upstream_name = "origins";
constexpr uint64_t weight_max = 65535;

// Collects mistakes in the words of the command line.
class Reader {
 public:
  void complain(std::string_view flag, const std::string& message, const std::string& fix) {
    report_ += "weir run: " + std::string{flag} + ": " + message + "\n";
    if (!fix.empty()) report_ += "  help: " + fix + "\n";
  }

  // The value of a reading, or its complaint.
  template <class T>
  T read(std::string_view flag, const config::Reading<T>& reading) {
    if (reading) return *reading;
    complain(flag, reading.error().message, reading.error().fix);
    return {};
  }

  // "10.0.0.1:80,weight=2,name=a"
  config::EndpointConfig endpoint(std::string_view text) {
    config::EndpointConfig endpoint;
    size_t comma = std::min(text.find(','), text.size());
    endpoint.address = read("--to", config::read_address(text.substr(0, comma)));
    while (comma < text.size()) {
      text.remove_prefix(comma + 1);
      comma = std::min(text.find(','), text.size());
      option(endpoint, text.substr(0, comma));
    }
    return endpoint;
  }

  const std::string& report() const noexcept { return report_; }

 private:
  void option(config::EndpointConfig& endpoint, std::string_view text) {
    static constexpr std::array<std::string_view, 2> keys{"weight", "name"};
    const size_t equals = std::min(text.find('='), text.size());
    const std::string_view key = text.substr(0, equals);
    const std::string_view value = equals < text.size() ? text.substr(equals + 1) : std::string_view{};
    if (key == "weight") {
      const uint64_t weight = read("--to", config::read_count(value));
      if (weight > weight_max) complain("--to", "weight " + std::string{value} + " is too large", "0 to 65535");
      endpoint.weight = static_cast<uint32_t>(std::min(weight, weight_max));
    } else if (key == "name" && !value.empty()) {
      endpoint.name = value;
    } else {
      complain("--to", "unknown option `" + std::string{text} + "`", config::did_you_mean(key, keys));
    }
  }

  std::string report_;
};

config::Mode read_mode(Reader& reader, const std::string& text) {
  if (text.empty()) return config::Mode::tcp;
  std::vector<std::string_view> names;
  for (const auto& choice : config::mode_choices) {
    names.push_back(choice.name);
    if (choice.name != text) continue;
    return choice.value;
  }
  reader.complain("--mode", "unknown mode `" + text + "`", config::did_you_mean(text, names));
  return config::Mode::tcp;
}

}  // namespace

void add_quick_options(CLI::App& command, QuickOptions& options) {
  const std::string group = "Without a file";
  command
      .add_option("--listen", options.listen,
                  "Address to accept clients on: 0.0.0.0:8080,\n[::]:8080, :8080, unix:/path")
      ->type_name("ADDRESS")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
  command.add_option("--to", options.to, "An origin; repeat it for more")
      ->type_name("ADDRESS[,weight=N][,name=X]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
  command.add_option("--mode", options.mode, "tcp (the default) or http")->type_name("MODE")->group(group);
  std::string names;
  for (const std::string_view name : picker_names()) names += (names.empty() ? "" : ",\n") + std::string{name};
  command.add_option("--balance", options.balance, names)->type_name("NAME")->group(group);
  command.add_option("--stats", options.stats, "Open the stats socket at this path")->type_name("PATH")->group(group);
  command.add_option("--workers", options.workers, "Worker threads (default: one per CPU)")
      ->type_name("N")
      ->group(group);
  command.add_option("--cpus", options.cpus, "CPUs to pin workers to: 0-3,6")->type_name("LIST")->group(group);
}

Result<config::Config, std::string> quick_config(const QuickOptions& options) {
  Reader reader;
  config::Config config;
  if (options.listen.empty()) reader.complain("--listen", "is missing", "say where clients come in: --listen :8080");
  if (options.to.empty()) reader.complain("--to", "is missing", "say where the origins are: --to 127.0.0.1:9001");

  config::UpstreamConfig upstream;
  upstream.name = upstream_name;
  if (!options.balance.empty()) upstream.balance = options.balance;
  if (!is_picker(upstream.balance)) {
    reader.complain("--balance", "unknown algorithm `" + upstream.balance + "`",
                    config::did_you_mean(upstream.balance, picker_names()));
  }
  for (const std::string& to : options.to) upstream.endpoints.push_back(reader.endpoint(to));
  config.upstreams.push_back(std::move(upstream));

  const config::Mode mode = read_mode(reader, options.mode);
  for (const std::string& address : options.listen) {
    config::ListenerConfig listener;
    listener.address = reader.read("--listen", config::read_address(address));
    listener.mode = mode;
    listener.upstream = upstream_name;
    config.listeners.push_back(std::move(listener));
  }
  config.workers = options.workers;
  if (!options.cpus.empty()) config.cpus = reader.read("--cpus", config::read_cpus(options.cpus));
  config.admin.stats.path = options.stats;
  if (!reader.report().empty()) return reader.report();

  config::ParseResult checked = config::check_config(std::move(config), "command line");
  if (!checked.ok()) return checked.render();
  return std::move(*checked.config);
}

}  // namespace weir
