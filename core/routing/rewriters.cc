// The three ways to change a path: another prefix, another path, an expression with groups.
#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/routing/expression.h"
#include "core/routing/router.h"

namespace weir::routing {
namespace {

// Room of a given size that keeps what fits and counts everything.
class Output {
 public:
  Output(char* begin, size_t room) noexcept : begin_(begin), room_(room) {}

  Output& add(std::string_view text) noexcept {
    if (size_ < room_ && !text.empty()) std::memcpy(begin_ + size_, text.data(), std::min(text.size(), room_ - size_));
    size_ += text.size();
    return *this;
  }
  size_t size() const noexcept { return size_; }

 private:
  char* begin_;
  size_t room_;
  size_t size_ = 0;
};

std::string with_leading_slash(std::string path) {
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  return path;
}

class PrefixRewriter final : public PathRewriter {
 public:
  PrefixRewriter(std::string from, std::string to) : from_(std::move(from)), whole_(with_leading_slash(std::move(to))) {
    // /v1 and /v1/ are the same prefix of all that is below; the slash between belongs to the rest.
    if (from_.ends_with('/')) from_.pop_back();
    base_ = whole_.substr(0, whole_.find_last_not_of('/') + 1);
  }

  size_t rewrite(std::string_view path, char* out, size_t out_size) const noexcept override {
    Output output(out, out_size);
    if (!path.starts_with(from_)) return output.add(path).size();
    std::string_view rest = path.substr(from_.size());
    if (rest.empty()) return output.add(whole_).size();
    if (rest[0] != '/') return output.add(path).size();
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    return output.add(base_).add("/").add(rest).size();
  }

 private:
  std::string from_;   // without a slash at its end
  std::string whole_;  // of a path that is just the prefix
  std::string base_;   // the same without slashes at its end
};

class PathSetter final : public PathRewriter {
 public:
  explicit PathSetter(std::string to) : to_(with_leading_slash(std::move(to))) {}

  size_t rewrite(std::string_view, char* out, size_t out_size) const noexcept override {
    return Output(out, out_size).add(to_).size();
  }

 private:
  std::string to_;
};

class RegexRewriter final : public PathRewriter {
 public:
  RegexRewriter(const std::string& pattern, const std::string& to) : expression_(pattern) {
    std::string wrong;
    WEIR_ASSERT(expression_.compiled().CheckRewriteString(re2::StringPiece(to), &wrong));
    pieces_.emplace_back();
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i] == '\\' && i + 1 < to.size() && to[i + 1] >= '0' && to[i + 1] <= '9') {
        pieces_.push_back({.group = static_cast<size_t>(to[++i] - '0'), .text = {}});
        groups_ = std::max(groups_, pieces_.back().group + 1);
        continue;
      }
      if (to[i] == '\\') ++i;  // the first of two
      pieces_.back().text.push_back(to[i]);
    }
  }

  size_t rewrite(std::string_view path, char* out, size_t out_size) const noexcept override {
    std::array<re2::StringPiece, groups_max> groups;
    Output output(out, out_size);
    if (!expression_.compiled().Match(re2::StringPiece(path.data(), path.size()), 0, path.size(), re2::RE2::UNANCHORED,
                                      groups.data(), static_cast<int>(groups_))) {
      return output.add(path).size();
    }
    const auto text_of = [&](size_t group) { return std::string_view{groups[group].data(), groups[group].size()}; };
    const size_t begin = static_cast<size_t>(groups[0].data() - path.data());
    const std::string_view before = path.substr(0, begin);
    const std::string_view after = path.substr(begin + groups[0].size());

    // Whatever the result begins with, it begins with a slash. An empty one is just that.
    bool begun = false;
    const auto add = [&](std::string_view text) {
      if (text.empty()) return;
      if (!begun && text[0] != '/') output.add("/");
      begun = true;
      output.add(text);
    };
    add(before);
    for (const Piece& piece : pieces_) {
      if (piece.group != no_group) add(text_of(piece.group));
      add(piece.text);
    }
    add(after);
    return begun ? output.size() : output.add("/").size();
  }

 private:
  static constexpr size_t groups_max = 10;  // \0 to \9
  static constexpr size_t no_group = groups_max;

  // A group, then text.
  struct Piece {
    size_t group = no_group;
    std::string text;
  };

  Expression expression_;
  std::vector<Piece> pieces_;
  size_t groups_ = 1;  // so many are asked for; the match itself is the first
};

// What RFC 3986 has no place for in a path, and what would end it.
std::string check_path_bytes(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x21 || byte >= 0x7f) return "a path has only visible ASCII characters: write others as %HH";
    if (c == '?') return "'?' would end the path: the query is kept as it was sent";
    if (c == '#') return "'#' would end the path: write it as %23";
  }
  return {};
}

}  // namespace

std::unique_ptr<const PathRewriter> make_prefix_rewriter(std::string from, std::string to) {
  return std::make_unique<PrefixRewriter>(std::move(from), std::move(to));
}

std::unique_ptr<const PathRewriter> make_path_setter(std::string to) {
  return std::make_unique<PathSetter>(std::move(to));
}

std::unique_ptr<const PathRewriter> make_regex_rewriter(const std::string& pattern, const std::string& to) {
  return std::make_unique<RegexRewriter>(pattern, to);
}

std::string check_path(const std::string& to) {
  if (!to.starts_with('/')) return "a path begins with '/'";
  return check_path_bytes(to);
}

std::string check_rewrite(const std::string& pattern, const std::string& to) {
  if (std::string wrong = check_regex(pattern); !wrong.empty()) return wrong;
  if (std::string wrong = check_path_bytes(to); !wrong.empty()) return wrong;
  std::string wrong;
  return Expression(pattern).compiled().CheckRewriteString(re2::StringPiece(to), &wrong) ? std::string{} : wrong;
}

}  // namespace weir::routing
