#include "net/proxy/body.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "net/http1/head_writer.h"

namespace weir {

void BodySource::begin(http::Framing framing, uint64_t length, uint32_t trailer_bytes_max) noexcept {
  *this = BodySource{};
  framing_ = framing;
  left_ = length;
  trailer_bytes_max_ = trailer_bytes_max;
  const bool empty = framing == http::Framing::none || (framing == http::Framing::length && length == 0);
  phase_ = empty ? Phase::over : Phase::data;
}

BodySource::Step BodySource::refuse(http::Refusal refusal) noexcept {
  refusal_ = refusal;
  return Step::refused;
}

void BodySource::skip(uint64_t bytes) noexcept {
  WEIR_ASSERT(framing_ == http::Framing::length && bytes <= left_);
  left_ -= bytes;
  payload_ += bytes;
  if (left_ == 0) phase_ = Phase::over;
}

BodySource::Step BodySource::next(Buffers& buffers, BufferQueue& in, bool ended, BufferPiece& piece,
                                  http::Fields& trailers) noexcept {
  if (phase_ == Phase::broken) return Step::no_buffers;
  if (framing_ != http::Framing::chunked) trailers.clear();  // of somebody else: the Fields are shared
  if (phase_ == Phase::over) return Step::end;
  if (framing_ == http::Framing::chunked) return next_chunked(buffers, in, ended, piece, trailers);
  if (in.empty()) {
    if (!ended) return Step::need_more;
    if (framing_ == http::Framing::length) return Step::cut;
    phase_ = Phase::over;
    return Step::end;
  }
  const uint32_t there = in.front_size(buffers);
  const uint32_t size =
      framing_ == http::Framing::length ? static_cast<uint32_t>(std::min<uint64_t>(there, left_)) : there;
  const Step step = take(buffers, in, size, piece);
  if (step != Step::piece || framing_ != http::Framing::length) return step;
  left_ -= size;
  if (left_ == 0) phase_ = Phase::over;
  return step;
}

// The first `size` bytes of the front buffer, as a piece of their own.
BodySource::Step BodySource::take(Buffers& buffers, BufferQueue& in, uint32_t size, BufferPiece& piece) noexcept {
  const uint32_t there = in.front_size(buffers);
  if (size == there) {
    piece = in.pop_front(buffers);
  } else {
    const BufferId id = buffers.take();
    if (id == no_buffer) return Step::no_buffers;
    std::memcpy(buffers.data(id), in.front(buffers), size);
    in.consume(buffers, size);
    piece = {id, 0, static_cast<uint16_t>(size)};
  }
  payload_ += size;
  return Step::piece;
}

BodySource::Step BodySource::next_chunked(Buffers& buffers, BufferQueue& in, bool ended, BufferPiece& piece,
                                          http::Fields& trailers) noexcept {
  using Status = http1::ChunkedDecoder::Step::Status;
  while (phase_ == Phase::data) {
    if (in.empty()) return ended ? Step::cut : Step::need_more;
    // A buffer that is taken out for good; what follows the last chunk goes into another one.
    const uint32_t there = in.front_size(buffers);
    std::byte* bytes = in.front(buffers);
    const auto step = decoder_.decode({bytes, there});
    if (step.status == Status::refused) return refuse(step.refusal);
    if (step.status == Status::need_more) {
      BufferPiece whole = in.pop_front(buffers);
      if (step.payload == 0) {
        buffers.give_back(whole.id);
        continue;
      }
      whole.size = static_cast<uint16_t>(step.payload);
      piece = whole;
      payload_ += step.payload;
      return Step::piece;
    }
    phase_ = Phase::trailers;
    if (step.payload == 0) {
      in.consume(buffers, step.consumed);
      break;
    }
    const BufferId id = buffers.take();
    if (id == no_buffer) {
      // `in` has been decoded in place: what lies there now is no framing any more, and must not be read as such.
      phase_ = Phase::broken;
      return Step::no_buffers;
    }
    std::memcpy(buffers.data(id), bytes, step.payload);
    in.consume(buffers, step.consumed);
    piece = {id, 0, static_cast<uint16_t>(step.payload)};
    payload_ += step.payload;
    return Step::piece;
  }
  return read_trailers(buffers, in, ended, trailers);
}

BodySource::Step BodySource::read_trailers(Buffers& buffers, BufferQueue& in, bool ended,
                                           http::Fields& trailers) noexcept {
  if (in.empty()) return ended ? Step::cut : Step::need_more;
  in.gather(buffers);
  const std::string_view bytes{reinterpret_cast<const char*>(in.front(buffers)), in.front_size(buffers)};
  http1::HeadLimits limits;
  limits.head_bytes_max = trailer_bytes_max_ + 2;  // the empty line is none of them
  if (http1::may_be_complete(bytes, trailers_seen_, limits)) {
    const auto parsed = http1::parse_trailers(bytes, limits, trailers);
    if (parsed.status == http1::HeadParse::Status::refused) return refuse(parsed.refusal);
    if (parsed.status == http1::HeadParse::Status::done) {
      trailers_size_ = parsed.size;
      phase_ = Phase::over;
      return Step::end;
    }
  }
  trailers_seen_ = static_cast<uint32_t>(bytes.size());
  return ended ? Step::cut : Step::need_more;
}

void BodySource::trailers_taken(Buffers& buffers, BufferQueue& in) noexcept {
  in.consume(buffers, trailers_size_);
  trailers_size_ = 0;
}

void BodySink::frame(Buffers& buffers, BufferPiece& piece) const noexcept {
  if (framing_ != http::Framing::chunked) return;
  std::byte* data = buffers.data(piece.id) + piece.offset;
  http1::write_chunk_suffix(data + piece.size);
  const uint32_t prefix = http1::write_chunk_prefix(data, piece.size);
  static_assert(Buffers::headroom >= http1::chunk_prefix_max && Buffers::tailroom >= http1::chunk_suffix);
  piece.offset = static_cast<int16_t>(piece.offset - static_cast<int32_t>(prefix));
  piece.size = static_cast<uint16_t>(piece.size + prefix + http1::chunk_suffix);
}

bool BodySink::end(Buffers& buffers, BufferPiece& piece, const http::Fields* trailers) const noexcept {
  WEIR_ASSERT(framing_ == http::Framing::chunked);
  const BufferId id = buffers.take();
  if (id == no_buffer) return false;
  http1::HeadWriter writer{{buffers.data(id), Buffers::size}};
  writer.text("0\r\n");
  if (trailers != nullptr) {
    for (const http::Field& field : *trailers) writer.field(field.name, field.value);
  }
  writer.end_of_head();
  WEIR_ASSERT(!writer.overflowed());
  piece = {id, 0, static_cast<uint16_t>(writer.size())};
  return true;
}

}  // namespace weir
