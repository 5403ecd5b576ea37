#include "core/balance/plugin_library.h"

#include <dlfcn.h>
#include <sys/stat.h>
// tidy-allow: pure, geteuid() tells to whom a file may belong
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace weir {
namespace {

constexpr const char* entry_symbol = "weir_balancer_entry";
constexpr uint32_t known_wants = WEIR_WANTS_KEY | WEIR_WANTS_ZONE;
// The length that version 1 began with. Stays as it is when fields are added.
constexpr uint32_t struct_size_min = offsetof(weir_balancer, pick) + sizeof(weir_balancer::pick);

std::string octal(unsigned mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

// A reason not to load it, else "". What is loaded may do all that weir may do, so nobody else may have a say in it.
std::string look_at_file(const std::string& path, PluginFile& file) {
  if (!path.starts_with('/')) return "the path has to begin with '/', to mean the same wherever weir is started";
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return "there is no such file";
    return "the file cannot be looked at: " + std::generic_category().message(errno);
  }
  if (!S_ISREG(found.st_mode)) return "this is not a file";
  if (found.st_uid != 0 && found.st_uid != geteuid()) {
    return "the file belongs to user " + std::to_string(found.st_uid) +
           "; what runs inside of weir has to belong to root or to the user of weir: chown it";
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "others than its owner may write the file (mode " + octal(found.st_mode & 07777U) + "): chmod go-w it";
  }
  file = {.device = found.st_dev,
          .inode = found.st_ino,
          .size = static_cast<uint64_t>(found.st_size),
          .modified_ns = int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec};
  return "";
}

// What dlopen() is told instead of the path. It looks at names first: if an old file of that path is still in use, it
// would hand that out again, and never see that there is a new one. So then it is given a name that no one has used
// yet: the folder once more and more, "/usr/lib/weir//./my.so". As the digits of a counter, so that it stays short.
std::string loader_name(const std::string& path) {
  void* old = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (old == nullptr) return path;
  dlclose(old);
  static uint64_t names_used = 0;
  std::string digits;
  for (uint64_t rest = ++names_used; rest > 0; rest /= 2) digits += rest % 2 == 1 ? "./" : "/";
  const size_t folder = path.rfind('/') + 1;
  return path.substr(0, folder) + digits + path.substr(folder);
}

std::string loader_error(const std::string& name) {
  const char* text = dlerror();
  std::string reason = text == nullptr ? "no reason given" : text;
  if (reason.starts_with(name + ": ")) reason.erase(0, name.size() + 2);
  return reason;
}

// All that are loaded. The dynamic loader is one for the whole process, and so is this. Control thread only.
std::vector<std::pair<PluginFile, std::weak_ptr<const PluginLibrary>>>& loaded_libraries() {
  static std::vector<std::pair<PluginFile, std::weak_ptr<const PluginLibrary>>> libraries;
  std::erase_if(libraries, [](const auto& each) { return each.second.expired(); });
  return libraries;
}

bool is_printable_name(const char* name) {
  const size_t length = strnlen(name, WEIR_BALANCER_NAME_MAX + 1);
  return length > 0 && length <= WEIR_BALANCER_NAME_MAX &&
         std::all_of(name, name + length, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string missing(const char* function) {
  return std::string{"struct weir_balancer has no function `"} + function + "`: set it";
}

// A reason why such a table cannot be worked with, else "".
std::string look_at_table(const weir_balancer& table) {
  if (table.name == nullptr || !is_printable_name(table.name)) {
    return "its `name` has to be 1 to " + std::to_string(WEIR_BALANCER_NAME_MAX) + " printable characters of ASCII";
  }
  if ((table.wants & ~known_wants) != 0) {
    return "its `wants` is " + std::to_string(table.wants) +
           ", and something in it is unknown to this weir: it needs a newer weir, or only WEIR_WANTS_KEY and "
           "WEIR_WANTS_ZONE";
  }
  if (table.state_size > WEIR_STATE_SIZE_MAX) {
    return "its `state_size` is " + std::to_string(table.state_size) + " bytes, more than " +
           std::to_string(WEIR_STATE_SIZE_MAX) + ": what does not change belongs into what create() returns";
  }
  if (table.create == nullptr) return missing("create");
  if (table.destroy == nullptr) return missing("destroy");
  if (table.pick == nullptr) return missing("pick");
  if (table.state_size > 0 && table.state_init == nullptr) return missing("state_init");
  return "";
}

std::string refusal(const std::string& path, const std::string& reason) {
  return "plug-in '" + path + "': " + reason;
}

}  // namespace

PluginLibrary::PluginLibrary(void* handle, std::string path, const PluginFile& file)
    : handle_(handle), path_(std::move(path)), file_(file) {
  static uint64_t ids_used = 0;
  id_ = ++ids_used;
}

PluginLibrary::~PluginLibrary() {
  dlclose(handle_);
}

std::string PluginLibrary::adopt() {
  void* symbol = dlsym(handle_, entry_symbol);
  if (symbol == nullptr) {
    return std::string{"it does not export "} + entry_symbol + "(), so it is no balancing plug-in: see weir_balancer.h";
  }
  const weir_balancer* entry = reinterpret_cast<decltype(&weir_balancer_entry)>(symbol)();
  if (entry == nullptr) return std::string{entry_symbol} + "() returned NULL";
  if (entry->abi_version != WEIR_BALANCER_ABI) {
    return "it speaks version " + std::to_string(entry->abi_version) + " of the interface, this weir speaks version " +
           std::to_string(WEIR_BALANCER_ABI) + ": compile it with the weir_balancer.h of this weir";
  }
  if (entry->struct_size < struct_size_min) {
    return "its `struct_size` is " + std::to_string(entry->struct_size) + ", too small for version " +
           std::to_string(WEIR_BALANCER_ABI) + ", which has " + std::to_string(struct_size_min) +
           " bytes or more: set it to sizeof(struct weir_balancer)";
  }
  // What is longer knows more than we do, what is shorter less.
  std::memcpy(&table_, entry, std::min<size_t>(entry->struct_size, sizeof table_));
  std::string reason = look_at_table(table_);
  if (reason.empty()) name_ = table_.name;
  return reason;
}

Result<std::shared_ptr<const PluginLibrary>, std::string> PluginLibrary::load(const std::string& path) {
  PluginFile file;
  if (const std::string reason = look_at_file(path, file); !reason.empty()) return refusal(path, reason);

  auto& libraries = loaded_libraries();
  for (const auto& [known, weak] : libraries) {
    if (known == file) return weak.lock();
    // The loader would see the same inode, and give us the old one, whose code may just have been written over.
    if (known.device == file.device && known.inode == file.inode) {
      return refusal(path,
                     "the file was changed in place while it is in use, which may crash weir at any time: never write "
                     "into it, put the new one beside it and rename it to this name (mv, install)");
    }
  }

  const std::string name = loader_name(path);
  // All symbols now: one that is missing must not show at the first pick. Local: nobody else finds its symbols.
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return refusal(path, "it cannot be loaded: " + loader_error(name));
  const std::shared_ptr<PluginLibrary> library(new PluginLibrary(handle, path, file));
  if (const std::string reason = library->adopt(); !reason.empty()) return refusal(path, reason);
  libraries.emplace_back(file, library);
  return std::shared_ptr<const PluginLibrary>(library);
}

}  // namespace weir
