// Kinds: what a scalar in the configuration may be. A kind reads the text into its value, writes a value as text, and
// tells people and editors what it accepts. describe.h gives every field one.
//
// A kind has three functions:
//     std::optional<Mistake> read(std::string_view text, T& out) const;    (`out` is untouched if there is a Mistake)
//     std::string show(const T& value) const;                              (what `read` would take; "" for none)
//     ValueType type() const;
// Values, made where they are used. Any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/choices.h"
#include "core/config/suggest.h"
#include "core/config/values.h"

namespace weir::config {

// What a kind accepts, for people (`summary`) and for a JSON Schema (the rest; a value fits if it fits any one of
// them).
struct ValueType {
  struct Range {
    uint64_t min;
    uint64_t max;
  };
  struct Decimals {
    double min;
    double max;
  };

  std::string summary;             // "duration, 1ms to 1h"
  std::vector<std::string> words;  // spelled exactly so
  std::string pattern;             // ECMA-262, for the whole of a string; "": none
  std::optional<Range> integers;
  std::optional<Decimals> decimals = {};
  std::vector<uint64_t> numbers = {};  // exactly these
  bool boolean = false;                // true and false
  bool text = false;                   // any scalar at all, even one that YAML takes for a number or a boolean
};

// Decimal numbers that fit in T.
template <std::unsigned_integral T>
struct Count {
  T min;
  T max;

  std::optional<Mistake> read(std::string_view text, T& out) const {
    const auto number = read_count(text);
    if (!number) return number.error();
    if (*number < min || *number > max) {
      return Mistake{quoted(text) + " is out of range",
                     "write a number from " + std::to_string(min) + " to " + std::to_string(max)};
    }
    out = static_cast<T>(*number);
    return std::nullopt;
  }
  std::string show(T value) const { return std::to_string(value); }
  ValueType type() const {
    return {"number, " + std::to_string(min) + " to " + std::to_string(max), {}, "", ValueType::Range{min, max}};
  }
};

// Bytes.
struct Size {
  uint64_t min;
  uint64_t max;

  std::optional<Mistake> read(std::string_view text, uint64_t& out) const;
  std::string show(uint64_t value) const { return size_to_text(value); }
  ValueType type() const;
};

enum class Zero : uint8_t { refused, allowed };

// Durations in a range; with Zero::allowed also 0, below it.
struct Time {
  Duration min;
  Duration max;
  Zero zero = Zero::refused;

  std::optional<Mistake> read(std::string_view text, Duration& out) const;
  std::string show(Duration value) const { return to_text(value); }
  ValueType type() const;
};

// One word of a table of choices.h.
template <class E>
struct OneOf {
  std::optional<Mistake> read(std::string_view text, E& out) const {
    for (const Choice<E>& choice : choices_of(E{})) {
      if (choice.name != text) continue;
      out = choice.value;
      return std::nullopt;
    }
    const std::vector<std::string> known = words();
    const std::vector<std::string_view> views{known.begin(), known.end()};
    return Mistake{quoted(text) + " is not known here", did_you_mean(text, views)};
  }
  std::string show(E value) const { return std::string{name_of(value)}; }
  ValueType type() const;

 private:
  static std::vector<std::string> words() {
    std::vector<std::string> result;
    for (const Choice<E>& choice : choices_of(E{})) result.emplace_back(choice.name);
    return result;
  }
};

// YAML's own two.
struct Boolean {
  std::optional<Mistake> read(std::string_view text, bool& out) const;
  std::string show(bool value) const { return value ? "true" : "false"; }
  ValueType type() const;
};

// One word of a list that is known only at run time, such as the balancing algorithms.
struct OneOfNames {
  std::span<const std::string_view> names;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// What listeners, upstreams and endpoints may be called: it appears in statistics, metrics and commands.
struct Name {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The path of a UNIX socket that weir makes; "" for none.
struct SocketPath {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The path of a file that weir reads; `what` is what messages call it.
struct FilePath {
  std::string_view what;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The port of a TCP service; 0 for none.
struct Port {
  std::optional<Mistake> read(std::string_view text, uint16_t& out) const {
    return Count<uint16_t>{1, 65535}.read(text, out);
  }
  std::string show(uint16_t value) const { return value == 0 ? "" : std::to_string(value); }
  ValueType type() const { return Count<uint16_t>{1, 65535}.type(); }
};

// A factor with up to three decimals, or `off`, which is 0.
struct Factor {
  double min;
  double max;

  std::optional<Mistake> read(std::string_view text, double& out) const;
  std::string show(double value) const;
  ValueType type() const;
};

// The permissions of a file.
struct FileMode {
  std::optional<Mistake> read(std::string_view text, uint32_t& out) const;
  std::string show(uint32_t value) const { return file_mode_to_text(value); }
  ValueType type() const;
};

struct CpuList {
  std::optional<Mistake> read(std::string_view text, std::vector<uint32_t>& out) const;
  std::string show(const std::vector<uint32_t>& value) const { return cpus_to_text(value); }
  ValueType type() const;
};

// Where a listener accepts: port 0 lets the kernel choose, and the host may be left out.
struct ListenAddress {
  std::optional<Mistake> read(std::string_view text, SocketAddress& out) const;
  std::string show(const SocketAddress& value) const { return value.size() == 0 ? "" : value.to_string(); }
  ValueType type() const;
};

// Where an endpoint is connected to.
struct EndpointAddress {
  std::optional<Mistake> read(std::string_view text, SocketAddress& out) const;
  std::string show(const SocketAddress& value) const { return value.size() == 0 ? "" : value.to_string(); }
  ValueType type() const;
};

// One more member of a set of trusted peers: a block of addresses, `all`, or `unix`. `read` adds it to the set.
struct TrustedPeer {
  std::optional<Mistake> read(std::string_view text, CidrSet& out) const;
  std::string show(const CidrSet& value) const;
  ValueType type() const;
};

// One more item of a list of another kind; the same item twice is a mistake.
template <class Kind>
struct Each {
  Kind kind;

  template <class T>
  std::optional<Mistake> read(std::string_view text, std::vector<T>& out) const {
    T value{};
    if (auto mistake = kind.read(text, value)) return mistake;
    const auto same = [this](const T& a, const T& b) {
      if constexpr (requires { kind.same(a, b); }) return kind.same(a, b);
      return a == b;
    };
    for (const T& other : out) {
      if (same(other, value)) return Mistake{quoted(text) + " stands here twice", "name it once"};
    }
    out.push_back(std::move(value));
    return std::nullopt;
  }
  template <class T>
  std::string show(const std::vector<T>& values) const {
    std::string text;
    for (const T& value : values) text += (text.empty() ? "" : ", ") + kind.show(value);
    return text;
  }
  ValueType type() const { return kind.type(); }
};
template <class Kind>
Each(Kind) -> Each<Kind>;

// As another kind, or the word `auto`: then there is no value, and weir finds one.
template <class Kind>
struct OrAuto {
  Kind kind;

  template <class T>
  std::optional<Mistake> read(std::string_view text, std::optional<T>& out) const {
    if (text == "auto") {
      out.reset();
      return std::nullopt;
    }
    T value{};
    auto mistake = kind.read(text, value);
    if (mistake) {
      mistake->fix += mistake->fix.empty() ? "write `auto`" : ", or `auto`";
    } else {
      out = value;
    }
    return mistake;
  }
  template <class T>
  std::string show(const std::optional<T>& value) const {
    return value ? kind.show(*value) : "auto";
  }
  ValueType type() const {
    ValueType type = kind.type();
    type.summary = "`auto` or " + type.summary;
    type.words.insert(type.words.begin(), "auto");
    return type;
  }
};
template <class Kind>
OrAuto(Kind) -> OrAuto<Kind>;

// As another kind; where the key is left out there is no value, and something else counts, which the note says.
template <class Kind>
struct Inherited {
  Kind kind;

  template <class T>
  std::optional<Mistake> read(std::string_view text, std::optional<T>& out) const {
    T value{};
    auto mistake = kind.read(text, value);
    if (!mistake) out = value;
    return mistake;
  }
  template <class T>
  std::string show(const std::optional<T>& value) const {
    return value ? kind.show(*value) : "";
  }
  ValueType type() const { return kind.type(); }
};
template <class Kind>
Inherited(Kind) -> Inherited<Kind>;

// "one of `a`, `b`", and the words themselves.
ValueType words_type(std::vector<std::string> words);

template <class E>
ValueType OneOf<E>::type() const {
  return words_type(words());
}

}  // namespace weir::config
