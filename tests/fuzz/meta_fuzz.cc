// The decoders of meta: corrupt or a record, and a record that was taken is written the same again.
#include "cache/meta.h"
#include "tests/fuzz/fuzz.h"

namespace {

using tidemark::fuzz::must;

template <typename Decode, typename Encode>
void decode_twice(std::string_view bytes, Decode decode, Encode encode) {
  const auto record = decode(bytes);
  if (!record) {
    const auto code = record.error().code;
    must(code == tidemark::ErrorCode::corrupt || code == tidemark::ErrorCode::unsupported,
         "what is no record is corrupt or unsupported");
    return;
  }
  const std::string written = encode(*record);
  const auto again = decode(written);
  must(again.has_value(), "what was written can be read");
  must(encode(*again) == written, "what was read is written the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  fuzz::Input input(data, size);
  const auto which = input.number<std::uint8_t>() % 4;
  const std::string bytes(input.rest());
  if (which == 0) {
    decode_twice(bytes, cache::decode_state, cache::encode_state);
    const auto state = cache::decode_state(bytes);
    must(!state || cache::encode_state(*state) == bytes, "a state record has one form");
  } else if (which == 1) {
    decode_twice(bytes, cache::decode_catalog, cache::encode_catalog);
  } else if (which == 2) {
    decode_twice(bytes, cache::decode_identity, cache::encode_identity);
  } else {
    decode_twice(bytes, cache::decode_capture, cache::encode_capture);
    decode_twice(bytes, cache::decode_audit, cache::encode_audit);
    const auto record = cache::unseal_record("identity", bytes);
    must(!record || cache::seal_record("identity", *record) == bytes,
         "a sealed record has one form");
    const auto identity = cache::decode_stored_identity(bytes);
    must(!identity || record || identity->format_version == 1, "only format 1 has no hash");
  }
  return 0;
}
