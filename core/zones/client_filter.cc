#include "core/zones/client_filter.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <tuple>

#include "core/zones/cidr_table.h"

namespace weir::zones {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view blanks = " \t\r\v\f";

enum Decision : uint32_t { refused, admitted };

class CidrFilter final : public ClientFilter {
 public:
  CidrFilter(const std::vector<CidrTable::Entry>& entries, bool admits_others)
      : table_(entries), admits_others_(admits_others) {}

  bool admits(const PeerAddress& client) const noexcept override {
    if (client.family == PeerAddress::Family::local) return true;
    const uint32_t decision = table_.find(client);
    return decision == CidrTable::none ? admits_others_ : decision == admitted;
  }

 private:
  CidrTable table_;
  bool admits_others_;
};

// A block with where it was written, for the sentence about two that contradict each other.
struct Written {
  Cidr block;
  Decision decision;
  const std::string* file = nullptr;  // null: in the configuration
  size_t line = 0;

  std::string place() const {
    const std::string list = decision == admitted ? "allow" : "deny";
    return file == nullptr ? "`" + list + "`" : "`" + list + "_file` (" + *file + ":" + std::to_string(line) + ")";
  }
};

// What an operator, or a broken download, wrote: printable, and no longer than a message should be.
std::string quoted(std::string_view text) {
  constexpr size_t shown_max = 60;
  std::string shown = "'";
  for (const char c : text.substr(0, shown_max)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (text.size() > shown_max ? "...'" : "'");
}

std::string what_is_wrong(std::string_view text) {
  const size_t gap = text.find_first_of(" \t,;");
  if (gap != std::string_view::npos && Cidr::parse(text.substr(0, gap))) {
    return quoted(text) + " is more than one block; write each in a line of its own, and remarks behind a #";
  }
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos && Cidr::parse(text.substr(0, slash))) {
    const bool is_v6 = text.find(':') < slash;
    return quoted(text.substr(slash + 1)) + " is not a prefix length; it is a whole number from 0 to " +
           (is_v6 ? "128" : "32");
  }
  return quoted(text) + " is not a block of addresses; write 10.0.0.0/8, 2001:db8::/32 or one address";
}

using Mistake = std::optional<std::string>;

// Puts the bytes of the file into `text`. What open(2) makes of a folder or a pipe would help nobody.
Mistake read_text(const std::string& path, std::string& text) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const int error = errno;
    return "'" + path + "' cannot be opened: " + std::strerror(error) +
           (error == ENOENT ? "; give the path of a file that exists" : "");
  }
  if (!S_ISREG(status.st_mode)) return "'" + path + "' is not a file; give the path of one, with a block in each line";
  std::ifstream file(path, std::ios::binary);
  if (!file) return "'" + path + "' cannot be opened: " + std::strerror(errno);
  // One byte more than is allowed, or than there were: whatever is written meanwhile, the bound holds.
  text.assign(std::min(static_cast<size_t>(status.st_size), client_file_bytes_max) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return "'" + path + "' cannot be read";
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > client_file_bytes_max) {
    return "'" + path + "' has more than " + std::to_string(client_file_bytes_max >> 20) +
           " MiB; join blocks that lie side by side, or split the clients over more listeners";
  }
  return std::nullopt;
}

// Adds the blocks of a file. The mistake, if there is one; only the first, as its like are usually on every line.
Mistake read_blocks(const std::string& path, Decision decision, std::vector<Written>& blocks) {
  std::string bytes;
  if (Mistake mistake = read_text(path, bytes)) return mistake;
  std::string_view rest = bytes;
  if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
  for (size_t line = 1; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    text = text.substr(0, text.find('#'));
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    text = text.substr(0, text.find_last_not_of(blanks) + 1);
    if (text.empty()) continue;
    const auto block = Cidr::parse(text);
    if (!block) return path + ":" + std::to_string(line) + ": " + what_is_wrong(text);
    blocks.push_back({*block, decision, &path, line});
  }
  return std::nullopt;
}

// Two of the same block in different lists. In one list it may stand as often as it likes.
Mistake contradiction_in(std::vector<Written>& blocks) {
  const auto key = [](const Written& written) { return std::tie(written.block.bytes, written.block.bits); };
  std::stable_sort(blocks.begin(), blocks.end(), [&](const Written& a, const Written& b) { return key(a) < key(b); });
  for (size_t i = 1; i < blocks.size(); ++i) {
    const Written& one = blocks[i - 1];
    const Written& other = blocks[i];
    if (one.block != other.block || one.decision == other.decision) continue;
    return one.block.to_string() + " is in " + one.place() + " and in " + other.place() + "; keep it in one of them";
  }
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const ClientFilter>, std::string> make_client_filter(const ClientFilterSource& source) {
  std::vector<Written> blocks;
  for (const Cidr& block : source.allow) blocks.push_back({block, admitted});
  if (!source.allow_file.empty()) {
    if (Mistake mistake = read_blocks(source.allow_file, admitted, blocks)) return *mistake;
    if (blocks.empty()) {
      return "'" + source.allow_file + "' has no block of addresses, so nobody could come in; write one, or leave " +
             "`allow_file` out to let everybody in who is not denied";
    }
  }
  const bool admits_others = blocks.empty();
  for (const Cidr& block : source.deny) blocks.push_back({block, refused});
  if (!source.deny_file.empty()) {
    if (Mistake mistake = read_blocks(source.deny_file, refused, blocks)) return *mistake;
  }
  if (Mistake mistake = contradiction_in(blocks)) return *mistake;
  std::vector<CidrTable::Entry> entries;
  entries.reserve(blocks.size());
  for (const Written& written : blocks) entries.push_back({written.block, written.decision});
  return std::shared_ptr<const ClientFilter>(std::make_shared<CidrFilter>(entries, admits_others));
}

}  // namespace weir::zones
