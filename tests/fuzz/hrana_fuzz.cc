// Replies of a server: any bytes give rows or an error, and rows of the shape that was asked for.
#include "tests/fuzz/fuzz.h"
#include "turso/hrana/pipeline.h"

namespace tidemark {
namespace {

using fuzz::must;

constexpr std::uint64_t kNonce = 7;           // as in the seeds
constexpr std::size_t kBytesPerByteMax = 64;  // a cell is 40 bytes and takes at least 2 in a reply
constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;  // the least that a row set allocates

std::size_t read_cells(const model::RowSet& rows) {
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto cells = rows.row(i);
    must(cells.size() == rows.columns().size(), "every row has every column");
    for (const ValueView& cell : cells) {
      volatile unsigned char seen = 0;
      for (const char c : cell.bytes()) seen = static_cast<unsigned char>(c);
      static_cast<void>(seen);
      text_bytes += cell.bytes().size();
    }
  }
  return text_bytes;
}

}  // namespace
}  // namespace tidemark

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  fuzz::Input input(data, size);
  const std::size_t statements = input.number<std::uint8_t>() % 5;
  const std::string body(input.rest());
  static_cast<void>(turso::hrana::error_text(body));
  const auto reply = turso::hrana::decode_pipeline(body, statements, kNonce);
  if (!reply) {
    must(!reply.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  must(reply->results.size() == statements, "there is a result for each statement");
  std::size_t held = 0;
  for (const model::RowSet& rows : reply->results) {
    must(read_cells(rows) <= body.size(), "texts and blobs come out of the reply");
    held += rows.bytes();
  }
  must(held <= body.size() * kBytesPerByteMax + statements * kBlockBytes,
       "memory is bounded by the reply");
  return 0;
}
