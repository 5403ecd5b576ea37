// A folder where a test installs plug-ins, loads them, and asks them. They are the modules of tests/plugins, and the
// example. For the tests of core/balance.
#pragma once

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/balance/plugin_library.h"
#include "tests/plugins/witness.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {

class PluginTest : public testing::Test {
 protected:
  PluginTest() {
    std::string name = testing::TempDir() + "weir_plugin_XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::permissions(folder_, std::filesystem::perms{0755});
  }
  ~PluginTest() override { std::filesystem::remove_all(folder_); }

  std::string path_of(const std::string& name) const { return folder_ / name; }

  // As an operator should do it: under another name first, then renamed.
  std::string install(const std::filesystem::path& module, const std::string& name = "plugin.so") {
    const std::filesystem::path fresh = folder_ / "fresh";
    std::filesystem::copy_file(module, fresh);
    std::filesystem::permissions(fresh, std::filesystem::perms{0755});
    std::filesystem::rename(fresh, folder_ / name);
    return path_of(name);
  }
  // One of tests/plugins.
  std::string install_module(const std::string& module, const std::string& name = "plugin.so") {
    return install(std::filesystem::path{WEIR_TEST_PLUGINS} / (module + ".so"), name);
  }

  std::shared_ptr<const PluginLibrary> load_module(const std::string& module) { return load(install_module(module)); }
  static std::shared_ptr<const PluginLibrary> load(const std::string& path) {
    const auto library = PluginLibrary::load(path);
    EXPECT_TRUE(library.ok()) << library.error();
    return library.ok() ? library.value() : nullptr;
  }
  static std::string refusal_of(const std::string& path) {
    const auto library = PluginLibrary::load(path);
    EXPECT_FALSE(library.ok());
    return library.ok() ? "" : library.error();
  }
  // What make_plugin() throws.
  static std::string refusal_of(const PickerOptions& options, const SomeEndpoints& endpoints) {
    try {
      make_plugin(endpoints.members(), options);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    ADD_FAILURE() << "nothing thrown";
    return "";
  }

  static PickerOptions options_of(std::shared_ptr<const PluginLibrary> library, std::string text = "") {
    PickerOptions options;
    options.plugin = std::move(library);
    options.plugin_options = std::move(text);
    return options;
  }

  static bool is_resident(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
  }
  // What the witness at that path has written down.
  static witness_record& record_of(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    auto* record = static_cast<witness_record*>(dlsym(handle, "witness_record"));
    dlclose(handle);
    return *record;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace weir
