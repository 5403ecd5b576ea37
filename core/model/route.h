// Route: what is done with the requests that match it. Immutable inside a Snapshot; any thread reads it.
//
// Which requests match is the Router's knowledge (router.h); a Route holds what comes after. An exchange that needs
// more of it later than in the turn it was matched in (rules for the answer) shares its ownership.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/model/key_source.h"
#include "core/model/rate_limit.h"
#include "core/model/resilience.h"
#include "core/model/template_text.h"

namespace weir {

// One change of a header section. `set` replaces all of that name, `add` adds one more, `remove` takes all away.
struct FieldRule {
  enum class Kind : uint8_t { set, add, remove };
  Kind kind = Kind::set;
  std::string name;
  TemplateText value;  // not with remove
};

struct SplitTarget {
  UpstreamId upstream{};
  uint32_t weight = 1;
};

struct Redirect {
  uint16_t status = 302;
  TemplateText location;
};

struct FixedAnswer {
  uint16_t status = 200;
  std::string content_type;
  std::string body;
};

// Changes the path of a request before it is sent up. Implemented where regular expressions are known.
class PathRewriter {
 public:
  virtual ~PathRewriter() = default;
  // Writes the new path (without query) to `out` and returns its size; `out_size` + 1 or more if it has no room for it.
  virtual size_t rewrite(std::string_view path, char* out, size_t out_size) const noexcept = 0;
};

struct Route {
  std::string name;

  // Where matching requests go: exactly one of these is set. `split` may have a single target: the upstream.
  std::vector<SplitTarget> split;
  KeySource split_key;
  std::unique_ptr<const Redirect> redirect;
  std::unique_ptr<const FixedAnswer> answer;

  std::unique_ptr<const PathRewriter> path_rewriter;  // may be null
  std::unique_ptr<const TemplateText> host_rewrite;   // may be null: Host is kept
  std::vector<FieldRule> request_rules;
  std::vector<FieldRule> answer_rules;

  bool has_mirror = false;
  UpstreamId mirror{};
  uint32_t mirror_parts = 0;  // of 1,000,000 requests

  std::vector<RateLimit> rate_limits;  // beside those of the listener
  std::optional<Priority> priority;    // none: the listener's

  // 0: the upstream's own.
  uint32_t request_timeout_ms = 0;
};

}  // namespace weir
