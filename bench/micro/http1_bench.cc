// Heads of HTTP/1 in and out, and bodies in chunks: what each request costs before anything is decided about it.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1/chunked.h"
#include "net/http1/head_parser.h"
#include "net/http1/head_writer.h"

namespace weir::http1 {
namespace {

constexpr std::string_view request_of_curl =
    "GET /index.html HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: curl/8.5.0\r\n"
    "Accept: */*\r\n"
    "\r\n";

constexpr std::string_view request_of_browser =
    "GET /assets/app.js?v=20240601 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Referer: https://www.example.com/start\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "\r\n";

constexpr std::string_view answer_of_origin =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 03 Jun 2024 09:00:00 GMT\r\n"
    "Server: origin\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 5120\r\n"
    "Cache-Control: max-age=600\r\n"
    "ETag: \"5f1c-61a0b0c4d5e80\"\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void parse_one_request(benchmark::State& state, std::string_view bytes) {
  const auto head = std::make_unique<http::RequestHead>();
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes.data());
    const HeadParse parse = parse_request(bytes, {}, *head);
    if (parse.status != HeadParse::Status::done) state.SkipWithError("refused");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
void http1_parse_request_of_curl(benchmark::State& state) {
  parse_one_request(state, request_of_curl);
}
BENCHMARK(http1_parse_request_of_curl);
void http1_parse_request_of_browser(benchmark::State& state) {
  parse_one_request(state, request_of_browser);
}
BENCHMARK(http1_parse_request_of_browser);

void http1_parse_answer(benchmark::State& state) {
  const auto head = std::make_unique<http::AnswerHead>();
  std::string_view bytes = answer_of_origin;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes);
    const HeadParse parse = parse_answer(bytes, {}, http::Method::get, *head);
    if (parse.status != HeadParse::Status::done) state.SkipWithError("refused");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(http1_parse_answer);

// 16 KiB of body in that many chunks. Decoding overwrites the piece, so each turn begins with a copy, which the first
// of these measures alone.
std::string body_in_chunks(int64_t count) {
  constexpr size_t body_bytes = 16 * 1024;
  std::string coded;
  std::vector<std::byte> piece(chunk_prefix_max + body_bytes);
  for (int64_t i = 0; i < count; ++i) {
    const auto size = static_cast<uint32_t>(body_bytes / static_cast<size_t>(count));
    std::byte* const data = piece.data() + chunk_prefix_max;
    const uint32_t prefix = write_chunk_prefix(data, size);
    coded.append(reinterpret_cast<const char*>(data - prefix), prefix).append(size, 'b').append("\r\n");
  }
  return coded.append("0\r\n");
}

void http1_copy_16_kib(benchmark::State& state) {
  const std::string coded = body_in_chunks(1);
  std::vector<std::byte> piece(coded.size());
  for (auto _ : state) {
    std::memcpy(piece.data(), coded.data(), coded.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(http1_copy_16_kib);

void http1_decode_16_kib_in_chunks(benchmark::State& state) {
  const std::string coded = body_in_chunks(state.range(0));
  std::vector<std::byte> piece(coded.size());
  for (auto _ : state) {
    std::memcpy(piece.data(), coded.data(), coded.size());
    ChunkedDecoder decoder;
    const ChunkedDecoder::Step step = decoder.decode(piece);
    if (step.status != ChunkedDecoder::Step::Status::last) state.SkipWithError("refused");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(coded.size()));
}
BENCHMARK(http1_decode_16_kib_in_chunks)->Arg(1)->Arg(100);

// The request of the browser as it goes on to an origin.
void http1_write_head(benchmark::State& state) {
  const auto head = std::make_unique<http::RequestHead>();
  if (parse_request(request_of_browser, {}, *head).status != HeadParse::Status::done) state.SkipWithError("refused");
  std::array<std::byte, 4096> room;
  for (auto _ : state) {
    HeadWriter writer(room);
    writer.request_line(head->method_text, head->target);
    for (const http::Field& field : head->fields) {
      if (!field.hop) writer.field(field.name, field.value);
    }
    writer.field("Content-Length", uint64_t{5120});
    writer.end_of_head();
    benchmark::DoNotOptimize(writer.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(http1_write_head);

}  // namespace
}  // namespace weir::http1
