#include "tools/origin/request_body.h"

#include <algorithm>
#include <charconv>

namespace weir::origin {

void RequestBody::begin(bool chunked, std::uint64_t body_bytes) noexcept {
  left_ = body_bytes;
  trailer_bytes_ = 0;
  state_ = chunked ? State::chunk_size : body_bytes == 0 ? State::done : State::counted;
}

RequestBody::Piece RequestBody::take(std::string_view in, std::size_t data_bytes_max) noexcept {
  switch (state_) {
    case State::counted:
    case State::chunk_data: return take_data(in, data_bytes_max);
    case State::chunk_size:
    case State::chunk_end:
    case State::trailer: return take_line(in);
    case State::done:
    case State::bad: return {};
  }
  return {};
}

RequestBody::Piece RequestBody::take_data(std::string_view in, std::size_t data_bytes_max) noexcept {
  const std::size_t size = std::min({in.size(), data_bytes_max, static_cast<std::size_t>(left_)});
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_end;
  return {size, in.substr(0, size)};
}

RequestBody::Piece RequestBody::take_line(std::string_view in) noexcept {
  const std::size_t end = in.substr(0, line_bytes_max).find("\r\n");
  if (end == std::string_view::npos) {
    if (in.size() >= line_bytes_max) state_ = State::bad;
    return {};
  }
  const std::string_view line = in.substr(0, end);
  if (state_ == State::chunk_size) {
    state_ = after_size_line(line);
  } else if (state_ == State::chunk_end) {
    state_ = line.empty() ? State::chunk_size : State::bad;
  } else {
    state_ = after_trailer_line(line);
  }
  return {state_ == State::bad ? 0 : end + 2, {}};
}

RequestBody::State RequestBody::after_size_line(std::string_view line) noexcept {
  const std::string_view digits = line.substr(0, line.find_first_of("; \t"));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return State::bad;
  return left_ == 0 ? State::trailer : State::chunk_data;
}

RequestBody::State RequestBody::after_trailer_line(std::string_view line) noexcept {
  if (line.empty()) return State::done;
  trailer_bytes_ += line.size();
  return trailer_bytes_ <= trailer_bytes_max ? State::trailer : State::bad;
}

}  // namespace weir::origin
