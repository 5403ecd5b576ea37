// Which files are loaded as plug-ins, which are refused and how, and how one file takes the place of another.
#include "core/balance/plugin_library.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>

#include "tests/unit/core/balance/plugin_fixture.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using PluginLibraryTest = PluginTest;

// --- what is not loaded ---------------------------------------------------------------------------------------------

TEST_F(PluginLibraryTest, RefusesWhatIsNoBalancer) {
  struct Row {
    const char* module;
    const char* reason;
  };
  for (const auto& [module, reason] : std::initializer_list<Row>{
           {"no_entry", "it does not export weir_balancer_entry(), so it is no balancing plug-in: see weir_balancer.h"},
           {"null_entry", "weir_balancer_entry() returned NULL"},
           {"other_version",
            "it speaks version 99 of the interface, this weir speaks version 1: compile it with the weir_balancer.h of "
            "this weir"},
           {"short_struct",
            "too small for version 1, which has 56 bytes or more: set it to sizeof(struct weir_balancer)"},
           {"null_name", "its `name` has to be 1 to 63 printable characters of ASCII"},
           {"empty_name", "its `name` has to be 1 to 63 printable characters of ASCII"},
           {"unprintable_name", "its `name` has to be 1 to 63 printable characters of ASCII"},
           {"long_name", "its `name` has to be 1 to 63 printable characters of ASCII"},
           {"unknown_wants",
            "its `wants` is 9, and something in it is unknown to this weir: it needs a newer weir, or only "
            "WEIR_WANTS_KEY and WEIR_WANTS_ZONE"},
           {"huge_state",
            "its `state_size` is 65537 bytes, more than 65536: what does not change belongs into what create() "
            "returns"},
           {"no_create", "struct weir_balancer has no function `create`: set it"},
           {"no_destroy", "struct weir_balancer has no function `destroy`: set it"},
           {"no_pick", "struct weir_balancer has no function `pick`: set it"},
           {"no_state_init", "struct weir_balancer has no function `state_init`: set it"},
       }) {
    const std::string path = install_module(module);
    EXPECT_THAT(refusal_of(path), AllOf(StartsWith("plug-in '" + path + "': "), EndsWith(reason))) << module;
    EXPECT_FALSE(is_resident(path)) << module << " was refused, but is still loaded";
  }
}

TEST_F(PluginLibraryTest, RefusesWhatTheLoaderRefuses) {
  EXPECT_THAT(refusal_of(install_module("unresolved")),
              AllOf(HasSubstr("it cannot be loaded: "), HasSubstr("function_that_is_nowhere")));
  std::ofstream(path_of("text.so")) << "int main() {}\n";
  fs::permissions(path_of("text.so"), fs::perms{0644});
  EXPECT_EQ(refusal_of(path_of("text.so")),
            "plug-in '" + path_of("text.so") + "': it cannot be loaded: file too short");
}

TEST_F(PluginLibraryTest, RefusesPathsWithoutAFile) {
  EXPECT_EQ(refusal_of("plugin.so"),
            "plug-in 'plugin.so': the path has to begin with '/', to mean the same wherever weir is started");
  EXPECT_THAT(refusal_of(""), HasSubstr("the path has to begin with '/'"));
  EXPECT_EQ(refusal_of(path_of("nothing.so")), "plug-in '" + path_of("nothing.so") + "': there is no such file");
  EXPECT_THAT(refusal_of(path_of(".")), EndsWith("this is not a file"));
  const std::string path = install_module("plain");
  EXPECT_THAT(refusal_of(path + "/plain.so"), EndsWith("the file cannot be looked at: Not a directory"));
}

TEST_F(PluginLibraryTest, RefusesAFileThatOthersMayWrite) {
  const std::string path = install_module("plain");
  for (const unsigned mode : {0775U, 0757U, 0722U}) {
    fs::permissions(path, fs::perms{mode});
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%04o", mode);
    EXPECT_THAT(refusal_of(path), EndsWith("others than its owner may write the file (mode " +
                                           std::string{text.data()} + "): chmod go-w it"));
  }
  fs::permissions(path, fs::perms{0700});
  EXPECT_NE(load(path), nullptr);
}

TEST_F(PluginLibraryTest, RefusesAFileOfSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string path = install_module("plain");
  ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
  EXPECT_THAT(refusal_of(path), EndsWith("the file belongs to user 65534; what runs inside of weir has to belong to "
                                         "root or to the user of weir: chown it"));
}

TEST_F(PluginLibraryTest, RefusesAFileThatItMayNotRead) {
  const std::string path = install_module("plain");
  fs::permissions(path, fs::perms{0});
  // In a process of its own, which is not root: root reads everything.
  EXPECT_EXIT(
      {
        if (geteuid() == 0 && seteuid(65534) != 0) _exit(1);
        std::fputs(refusal_of(path).c_str(), stderr);
        _exit(0);
      },
      testing::ExitedWithCode(0), "it cannot be loaded: .*Permission denied");
}

TEST_F(PluginLibraryTest, LoadsWhatIsRight) {
  for (const char* module : {"plain", "stateless", "largest_state", "longer_struct"}) {
    const auto library = load(install_module(module));
    ASSERT_NE(library, nullptr);
    const SomeEndpoints endpoints{1, 1, 1};
    Picking picking("plugin", endpoints, 1, options_of(library));
    EXPECT_EQ(picking.pick(), 0U) << module;
    EXPECT_EQ(picking.pick(endpoints.tried({0, 1})), 2U) << module;
    EXPECT_EQ(picking.pick(endpoints.tried({0, 1, 2})), no_endpoint) << module;
    EXPECT_EQ(library->misbehaved(), 0U);
  }
  EXPECT_EQ(load(install_module("longer_struct"))->name(), "longer_struct");
}

// --- one after the other --------------------------------------------------------------------------------------------

TEST_F(PluginLibraryTest, TheSameFileIsLoadedOnce) {
  const std::string path = install_module("plain");
  const auto library = load(path);
  EXPECT_EQ(load(path), library);
  fs::create_symlink(path, path_of("link.so"));
  EXPECT_EQ(load(path_of("link.so")), library);
}

TEST_F(PluginLibraryTest, IsUnloadedWithTheLastPicker) {
  const std::string path = install_module("plain");
  const SomeEndpoints endpoints{1};
  auto one = make_plugin(endpoints.members(), options_of(load(path)));
  auto two = make_plugin(endpoints.members(), options_of(load(path)));
  const auto state = two->make_state(1, nullptr);
  EXPECT_TRUE(is_resident(path));
  one.reset();
  EXPECT_TRUE(is_resident(path));
  two.reset();
  EXPECT_FALSE(is_resident(path)) << "a worker's state keeps nothing loaded";
}

// While the old one is in use, as always in a reload: the dynamic loader alone would give out the old one again.
TEST_F(PluginLibraryTest, AReplacedFileIsLoadedAnew) {
  const SomeEndpoints endpoints{1, 1, 1};
  const std::string path = install_module("plain");
  auto library = load(path);
  auto picking = std::make_unique<Picking>("plugin", endpoints, 1, options_of(library));
  for (int replacement = 0; replacement < 20; ++replacement) {
    const bool is_last = replacement % 2 == 0;
    install_module(is_last ? "last" : "plain");
    const auto fresh = load(path);
    ASSERT_NE(fresh, library);
    ASSERT_EQ(fresh->name(), is_last ? "last" : "plain");
    EXPECT_NE(fresh->id(), library->id());
    auto next = std::make_unique<Picking>("plugin", endpoints, 1, options_of(fresh));
    EXPECT_EQ(next->pick(), is_last ? 2U : 0U);
    EXPECT_EQ(picking->pick(), is_last ? 0U : 2U) << "what is in use stays as it was";
    picking = std::move(next);
    library = fresh;
  }
  picking.reset();
  library.reset();
  EXPECT_FALSE(is_resident(path));
  EXPECT_EQ(load(path)->name(), "plain");
}

TEST_F(PluginLibraryTest, RefusesAFileThatWasWrittenOverWhileInUse) {
  const std::string path = install_module("plain");
  auto library = load(path);
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_THAT(refusal_of(path), HasSubstr("the file was changed in place while it is in use, which may crash weir"));
  // As told: a new file.
  install_module("last");
  EXPECT_EQ(load(path)->name(), "last");
  library.reset();
}

}  // namespace
}  // namespace weir
