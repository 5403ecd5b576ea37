#include "tools/origin/target.h"

#include "tools/origin/text.h"

namespace weir::origin {
namespace {

struct Target {
  std::string_view path;
  std::string_view query;
};

// Origin-form, absolute-form and the asterisk, RFC 9112 section 3.2.
Target split(std::string_view target) noexcept {
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  if (target == "*") target = "/";
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {target, {}};
  return {target.substr(0, question), target.substr(question + 1)};
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view key) noexcept {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) != key) continue;
    return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
  }
  return std::nullopt;
}

// Takes `/word` from the front of the path, if that is its first segment.
bool take_word(std::string_view& path, std::string_view word) noexcept {
  if (!path.starts_with('/') || !path.substr(1).starts_with(word)) return false;
  const std::string_view rest = path.substr(1 + word.size());
  if (!rest.empty() && !rest.starts_with('/')) return false;
  path = rest;
  return true;
}

// Takes the first segment, whatever it is.
std::string_view take_segment(std::string_view& path) noexcept {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

void complain(Answer& answer, int status, std::string_view sentence) {
  answer.subject = Subject::complaint;
  answer.status = status;
  answer.complaint.assign(sentence).append("\n");
}

void read_status(std::string_view path, Answer& answer) {
  const auto code = parse_number(take_segment(path));
  // A 1xx is never a final answer, RFC 9110 section 15.2.
  if (!code || *code < 200 || *code > 599) return complain(answer, 400, "/status/CODE: CODE is 200 to 599");
  answer.subject = Subject::status;
  answer.status = static_cast<int>(*code);
}

void read_bytes(std::string_view path, Answer& answer) {
  const auto bytes = parse_size(take_segment(path));
  if (!bytes) return complain(answer, 400, "/bytes/N: N is a size, as in 100, 64KiB or 1MiB");
  answer.subject = Subject::pattern;
  answer.bytes = *bytes;
}

void read_dribble(std::string_view query, Answer& answer) {
  const auto bytes = parse_size(query_value(query, "bytes").value_or("10"));
  const auto every = parse_duration(query_value(query, "every").value_or("100"));
  if (!bytes || !every || every->count() == 0) {
    return complain(answer, 400, "/dribble?bytes=N&every=MS: N is a size, MS at least 1 millisecond");
  }
  answer.subject = Subject::dribble;
  answer.bytes = *bytes;
  answer.every = *every;
}

// The front of the path that only changes how the rest is answered.
void read_manners(std::string_view& path, std::string_view query, Answer& answer) {
  for (;;) {
    if (take_word(path, "delay")) {
      const auto delay = parse_duration(take_segment(path));
      if (!delay) return complain(answer, 400, "/delay/MS: MS is a duration, as in 50, 50ms or 2s");
      answer.delay += *delay;
    } else if (take_word(path, "fail")) {
      const auto mode = parse_fail_mode(query_value(query, "mode").value_or(""));
      const auto rate = parse_rate(query_value(query, "rate").value_or("1"));
      if (!mode) return complain(answer, 400, "/fail?mode=M: M is reset, close, garbage or half");
      if (!rate) return complain(answer, 400, "/fail?rate=R: R is 0 to 1, as in 0.3");
      answer.fail = *mode;
      answer.fail_rate = *rate;
    } else {
      return;
    }
  }
}

void read_fallback(bool is_root, const std::optional<Answer>& fallback, Answer& answer) {
  if (fallback) {
    const Duration delay = answer.delay;
    const FailMode fail = answer.fail;
    const double fail_rate = answer.fail_rate;
    answer = *fallback;
    answer.delay += delay;
    if (fail != FailMode::none) {
      answer.fail = fail;
      answer.fail_rate = fail_rate;
    }
  } else if (!is_root) {
    complain(answer, 404,
             "not here; try / /bytes/N /delay/MS /fail /status/CODE /echo /dribble /endless /health /stats");
  }
}

void read_subject(std::string_view path, std::string_view query, const std::optional<Answer>& fallback,
                  Answer& answer) {
  if (path.empty() || path == "/") return read_fallback(true, fallback, answer);
  const auto exactly = [&path](std::string_view word) {
    std::string_view rest = path;
    return take_word(rest, word) && rest.empty();
  };
  if (take_word(path, "bytes")) return read_bytes(path, answer);
  if (take_word(path, "status")) return read_status(path, answer);
  if (take_word(path, "echo")) return void(answer.subject = Subject::echo);
  if (exactly("dribble")) return read_dribble(query, answer);
  if (exactly("endless")) return void(answer.subject = Subject::endless);
  if (exactly("health")) return void(answer.subject = Subject::health);
  if (exactly("count")) return void(answer.subject = Subject::count);
  if (exactly("conns")) return void(answer.subject = Subject::conns);
  if (exactly("stats")) return void(answer.subject = Subject::stats);
  read_fallback(false, fallback, answer);
}

}  // namespace

Answer read_target(std::string_view target, const std::optional<Answer>& fallback) {
  auto [path, query] = split(target);
  Answer answer;
  read_manners(path, query, answer);
  if (answer.subject != Subject::complaint) read_subject(path, query, fallback, answer);
  if (const auto chunked = query_value(query, "chunked")) answer.chunked = *chunked != "0";
  return answer;
}

std::optional<FailMode> parse_fail_mode(std::string_view word) noexcept {
  if (word == "reset") return FailMode::reset;
  if (word == "close") return FailMode::close;
  if (word == "garbage") return FailMode::garbage;
  if (word == "half") return FailMode::half;
  return std::nullopt;
}

}  // namespace weir::origin
