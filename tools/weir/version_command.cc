#include "tools/weir/version_command.h"

#include <nlohmann/json.hpp>

#include <iomanip>
#include <iostream>
#include <memory>

#include "core/base/version.h"
#include "net/io/features.h"

// By tools/CMakeLists.txt: how the build was configured. `WEIR_GIT_DESCRIBE` is "" outside of a git work tree.
#if !defined(WEIR_GIT_DESCRIBE) || !defined(WEIR_BUILD_TYPE) || !defined(WEIR_SANITIZERS)
#error "the build does not say what it is"
#endif

namespace weir {
namespace {

struct Build {
  std::string type;
  std::string compiler;
  std::string sanitizers;
  std::string source;  // a tag or commit
};

Build this_build() {
#if defined(__clang__)
  const std::string compiler = "Clang " __clang_version__;
#else
  const std::string compiler = "GCC " __VERSION__;
#endif
  return {WEIR_BUILD_TYPE, compiler, WEIR_SANITIZERS, WEIR_GIT_DESCRIBE};
}

void print_text(const Build& build, const Features& features) {
  const auto line = [](const char* key, const std::string& value) {
    if (!value.empty()) std::cout << "  " << std::left << std::setw(12) << key << value << "\n";
  };
  std::cout << version_line() << "\n";
  line("source", build.source);
  line("build", build.type);
  line("sanitizers", build.sanitizers);
  line("compiler", build.compiler);
  line("kernel", features.kernel);
  line("io_uring", features.usable() ? "has what weir needs" : "not usable");
  size_t width = 0;
  for (const Feature& feature : features.list) width = std::max(width, feature.name.size());
  for (const Feature& feature : features.list) {
    std::cout << "    "
              << (feature.present    ? "yes"
                  : feature.required ? "NO "
                                     : "no ")
              << "  " << std::left << std::setw(static_cast<int>(width)) << feature.name << "  "
              << (feature.required ? "needed  " : "optional") << "  " << feature.note << "\n";
  }
  if (!features.usable()) std::cout << "\nweir cannot run here: " << features.refusal << "\n";
}

void print_json(const Build& build, const Features& features) {
  nlohmann::ordered_json json;
  json["name"] = "weir";
  json["version"] = version;
  json["source"] = build.source;
  json["build"] = build.type;
  json["sanitizers"] = build.sanitizers;
  json["compiler"] = build.compiler;
  json["kernel"] = features.kernel;
  json["usable"] = features.usable();
  json["refusal"] = features.refusal;
  json["features"] = nlohmann::ordered_json::array();
  for (const Feature& feature : features.list) {
    nlohmann::ordered_json row;
    row["name"] = feature.name;
    row["required"] = feature.required;
    row["present"] = feature.present;
    row["note"] = feature.note;
    json["features"].push_back(row);
  }
  std::cout << json.dump(2) << "\n";
}

}  // namespace

std::string version_line() {
  return "weir " + std::string{version};
}

void add_version_command(CLI::App& app, ExitCode& exit_code) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Show the build, the kernel, and what its io_uring can do");
  command->add_flag("--json", *as_json, "For programs");
  command->footer("Exit code 4: weir cannot run on this machine; the reason is printed.");
  command->callback([as_json, &exit_code] {
    const Features features = probe_features();
    if (*as_json) {
      print_json(this_build(), features);
    } else {
      print_text(this_build(), features);
    }
    exit_code = features.usable() ? ExitCode::ok : ExitCode::kernel;
  });
}

}  // namespace weir
