#include "tools/origin/raw_conversation.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "tools/origin/pattern.h"

namespace weir::origin {
namespace {

// Also the banner: an echo that says something first.
class RawEcho final : public Conversation {
 public:
  explicit RawEcho(std::string first_words) : first_words_(std::move(first_words)) {
    wishes_.produce = !first_words_.empty();
  }

  std::size_t on_input(std::string_view in, Output& out) override {
    const std::string_view piece = in.substr(0, out.room());
    out.append(piece);
    return piece.size();
  }

  void on_end_of_input(Output&) override { wishes_ = Wishes{.read = false, .ending = Ending::close}; }

  void on_room(Output& out) override {
    out.append(first_words_);
    wishes_.produce = false;
  }

 private:
  const std::string first_words_;
};

class RawDiscard final : public Conversation {
 public:
  std::size_t on_input(std::string_view in, Output&) override { return in.size(); }
  void on_end_of_input(Output&) override { wishes_ = Wishes{.read = false, .ending = Ending::close}; }
};

class RawEndless final : public Conversation {
 public:
  RawEndless() { wishes_ = Wishes{.read = false, .produce = true}; }

  std::size_t on_input(std::string_view, Output&) override { return 0; }
  void on_end_of_input(Output&) override {}

  void on_room(Output& out) override {
    const std::string_view piece = pattern_at(offset_, pattern_period);
    out.lend(piece);
    offset_ += piece.size();
  }

 private:
  std::uint64_t offset_ = 0;
};

class RawName final : public Conversation {
 public:
  explicit RawName(std::string line) : line_(std::move(line)) { wishes_ = Wishes{.read = false, .produce = true}; }

  std::size_t on_input(std::string_view, Output&) override { return 0; }
  void on_end_of_input(Output&) override {}

  void on_room(Output& out) override {
    out.append(line_);
    wishes_ = Wishes{.read = false, .ending = Ending::linger};
  }

 private:
  const std::string line_;
};

class RawSilent final : public Conversation {
 public:
  RawSilent() { wishes_.read = false; }
  std::size_t on_input(std::string_view, Output&) override { return 0; }
  void on_end_of_input(Output&) override {}
};

class RawReset final : public Conversation {
 public:
  std::size_t on_input(std::string_view in, Output&) override {
    wishes_ = Wishes{.read = false, .ending = Ending::reset};
    return in.size();
  }
  void on_end_of_input(Output&) override { wishes_ = Wishes{.read = false, .ending = Ending::close}; }
};

}  // namespace

std::unique_ptr<Conversation> make_raw_conversation(const Settings& settings, const std::string& proxied) {
  switch (settings.raw) {
    case RawMode::echo: return std::make_unique<RawEcho>("");
    case RawMode::discard: return std::make_unique<RawDiscard>();
    case RawMode::endless: return std::make_unique<RawEndless>();
    case RawMode::banner:
      return std::make_unique<RawEcho>((proxied.empty() ? "" : "proxy " + proxied + "\n") + "banner " + settings.name +
                                       "\n");
    case RawMode::name: return std::make_unique<RawName>(settings.name + "\n");
    case RawMode::silent: return std::make_unique<RawSilent>();
    case RawMode::reset: return std::make_unique<RawReset>();
    case RawMode::none: break;
  }
  WEIR_ASSERT(settings.raw != RawMode::none);
  return nullptr;
}

}  // namespace weir::origin
