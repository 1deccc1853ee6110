// make_seeds FOLDER: the corpus that the fuzzers start from, written by the real encoders into
// FOLDER/TARGET/seed-NAME.
#include <filesystem>
#include <fstream>
#include <limits>

#include "cache/meta.h"
#include "cache/order_key.h"
#include "cache/row_format.h"
#include "cli/config_text.h"
#include "cli/settings.h"
#include "daemon/wire.h"
#include "tests/fuzz/fuzz.h"

namespace tidemark {
namespace {

using namespace std::string_view_literals;

class Corpus {
 public:
  Corpus(const std::filesystem::path& folder, const std::string& target)
      : folder_(folder / target) {
    std::filesystem::create_directories(folder_);
  }
  // `mode`: the byte that chooses what the target does; none where it does one thing.
  void add(const std::string& name, std::optional<int> mode, std::string_view bytes) const {
    std::ofstream file(folder_ / ("seed-" + name), std::ios::binary);
    if (mode) file.put(static_cast<char>(*mode));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::filesystem::path folder_;
};

void rows(const Corpus& corpus) {
  const float floats[] = {1.5F, -2.0F, 0.25F};
  const std::string_view vector(reinterpret_cast<const char*>(floats), sizeof floats);
  const ValueView cells[] = {ValueView::text("em-1"),
                             ValueView::int64(std::numeric_limits<std::int64_t>::min()),
                             ValueView::real(std::numeric_limits<double>::quiet_NaN()),
                             ValueView::blob("\0\xFF"sv),
                             ValueView::vector(vector),
                             ValueView::repeated(),
                             ValueView::null(),
                             ValueView::text("episode")};
  const std::string row = cache::encode_row("embeddings", "k1", 7, cells);
  corpus.add("row", 0, row);
  corpus.add("row-to-hash", 1, row);
  corpus.add("no-columns", 0, cache::encode_row("embeddings", "k1", 7, {}));
  corpus.add("cells", 2,
             "\1\0\0\0\1\0\0\0\0\0\0\0\x80\3\4text\4\2\0\xFF\5\x08"
             "12345678\6\0"sv);
}

void meta(const Corpus& corpus) {
  cache::State state;
  state.commit_id = 9;
  state.checked_at_us = 1'760'000'000'000'000;
  state.catalog_version = 3;
  state.consistent = true;
  corpus.add("state", 0, cache::encode_state(state));
  state.hashed = false;
  corpus.add("state-unhashed", 0, cache::encode_state(state));
  model::Collection embeddings;
  embeddings.name = "embeddings_384";
  embeddings.kind = model::Kind::embeddings;
  embeddings.columns = {{"embedding_id", "TEXT"}, {"pattern_id", "TEXT"}, {"v", "F32_BLOB(384)"}};
  embeddings.parent_column = 1;
  embeddings.parent_kind = model::Kind::patterns;
  embeddings.vector_column = 2;
  embeddings.index_columns = {0, 1};
  cache::CatalogRecord record;
  record.catalog.collections = {embeddings};
  record.catalog.notes = {"no table heuristics"};
  record.catalog.fingerprint = "0123456789abcdef";
  record.schemas[embeddings.schema_id()] = {"embedding_id", "pattern_id", "v"};
  corpus.add("catalog", 1, cache::encode_catalog(record));
  cache::Identity identity;
  identity.generation = "00112233445566778899aabbccddeeff";
  identity.source = "libsql://memories.example.turso.io";
  corpus.add("identity", 2, cache::encode_identity(identity));
  corpus.add("identity-sealed", 3,
             cache::seal_record("identity", cache::encode_identity(identity)));
  identity.format_version = cache::kFormatVersion + 1;
  corpus.add("identity-newer", 2, cache::encode_identity(identity));
}

void order_keys(const Corpus& corpus) {
  const Value values[] = {Value{},
                          Value(std::numeric_limits<std::int64_t>::max()),
                          Value((std::int64_t{1} << 53) + 1),
                          Value(-0.5),
                          Value(std::string("nul\0inside"sv)),
                          Value(Blob{"\xFF"})};
  int number = 0;
  for (const Value& order : values) {
    const std::string name = "place-" + std::to_string(number++);
    corpus.add(name, 0, cache::encode_place({order, Value(std::string("ep-1"))}));
  }
  corpus.add("integers", 1, "\1\1\0\0\0\0\0\x20\0\1\2\0\0\0\0\0\x20\0"sv);
  corpus.add("texts", 1, "\3\4a\0b\0\3\3a\0b"sv);
  corpus.add("integer-and-real", 1, "\1\1\0\0\0\0\0\x20\0\2\0\0\0\0\0\0\x40\x43"sv);
}

void config(const Corpus& corpus) {
  cli::Settings settings;
  settings.cache = "/folder/cache.redb";  // by default it depends on who runs this
  corpus.add("defaults", std::nullopt, cli::to_toml(settings));
  settings.source = "libsql://memories.example.turso.io";
  settings.token_file = "/folder/token";
  settings.cache = "/folder/cache \"1\".redb";
  settings.cache_mode = 0640;
  settings.page_cache = std::size_t{32} << 20U;
  settings.max_episodes_cache = 500;
  settings.sync_patterns = false;
  settings.interval = std::chrono::milliseconds(1'500);
  settings.daemon_listen = "127.0.0.1:9000";
  corpus.add("settings", std::nullopt, cli::to_toml(settings));
  corpus.add("bad", std::nullopt, "[sync]\nbatchsize = 1\nmax_episodes_cache = -1\n[other]\n");
}

void urls(const Corpus& corpus) {
  int number = 0;
  for (const auto text :
       {"file:memories.db", "file:///a/../b.db", "libsql://Memories.example.turso.io/",
        "https://h:8080/path?tls=1", "http://127.0.0.1:8080", "libsql://u:p@h", "ws://h",
        "https://h/?authToken=abc", "libsql:", "h?authToken=abc", "LIBSQL://h#part"}) {
    corpus.add("url-" + std::to_string(number++), std::nullopt, text);
  }
}

void float_arrays(const Corpus& corpus) {
  int number = 0;
  for (const auto text : {"[]", "[0.1, -2, 3e-7]", "[1e39]", "[1,]", "[1] x", "[\"1\"]", "{}",
                          "[12345678901234567890, -0.0, 0.000000059604644775390625]", "[[1]]"}) {
    corpus.add("array-" + std::to_string(number++), std::nullopt, text);
  }
}

// Replies as servers send them; the mode is the number of statements.
void replies(const Corpus& corpus) {
  const std::string none = R"({"cols":[],"rows":[],"affected_row_count":0})";
  const std::string rows =
      R"({"cols":[{"name":"a"},{"name":"b","decltype":"TEXT"}],"rows":[)"
      R"([{"type":"integer","value":"-9223372036854775808"},{"type":"text","value":"\u00e9\n"}],)"
      R"([{"type":"float","value":1.5e-7},{"type":"blob","base64":"AP8"}],)"
      R"([{"type":"null"},{"type":"float","value":null}]],"rows_read":3})";
  const std::string ends = R"(],"step_errors":[null,null,null,null,null]}}},)"
                           R"({"type":"ok","response":{"type":"close"}}]})";
  const std::string starts =
      R"({"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"batch",)"
      R"("result":)"
      R"({"step_results":[)";
  const std::string begun =
      starts + none + R"(,{"cols":[{"name":"'7'"}],"rows":[[{"type":"text","value":"7"}]]},)";
  corpus.add("rows", 1, begun + rows + "," + none + ",null" + ends);
  corpus.add("two", 2, begun + rows + "," + rows + "," + none + ",null" + ends);
  corpus.add("step-error", 1,
             R"({"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":)"
             R"([null,null],"step_errors":[null,{"message":"no such table: t","code":"SQL_ERROR"}])"
             R"(}}}]})");
  corpus.add("too-large", 1,
             R"({"results":[{"type":"error","error":{"message":"Response is too large",)"
             R"("code":"RESPONSE_TOO_LARGE"}}]})");
  corpus.add("refused", 1, R"({"error":"the token has expired"})");
}

// The path, the question and the header of a request.
void requests(const Corpus& corpus) {
  int number = 0;
  for (const auto text :
       {"/metrics", "/readyz\nmax_age=60s", "/v1/status\n\nBearer 0123456789abcdef",
        "/v1/reports\nlimit=20\nBearer 0123456789abcdef", "/v1/events\n\nBearer 0123456789abcdee",
        "/v1/items/episodes/a%2Fb%25\n\nBearer 0123456789abcdef", "/v1/items/%zz/\n\nBasic x"}) {
    corpus.add("request-" + std::to_string(number++), 0, text);
  }
  corpus.add("key", 1, "a/b \"%\xC3\xA9\0"sv);
  corpus.add("host", 2, "[::1]:9464");
  corpus.add("name", 2, "localhost.evil.example:80");
}

void wire(const Corpus& corpus) {
  using namespace daemon;
  int number = 0;
  for (const Command command :
       {Command::perform, Command::status, Command::nudge, Command::reload, Command::stop}) {
    Request request;
    request.command = command;
    corpus.add("request-" + std::to_string(number++), 0, encode(request));
  }
  SyncReport report;
  report.mode = "delta";
  report.collections["episodes"] = {};
  report.skipped.push_back({"episodes", "k", "why"});
  report.notes = {"a note"};
  const std::vector<Reply> replies = {Progress{"fetch", "episodes", 3, 7}, Done(report), Status{},
                                      Acknowledged{},
                                      Error{ErrorCode::busy, "busy", "wait", "pid 1"}};
  number = 0;
  for (const Reply& reply : replies) {
    corpus.add("reply-" + std::to_string(number++), 1, encode(reply));
  }
}

// As a public client writes it. The first byte says how many bytes arrive at once.
void mcp(const Corpus& corpus) {
  const std::string begin =
      R"({"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
      R"("clientInfo":{"name":"mcp","version":"0.1.0"}},"jsonrpc":"2.0","id":0})"
      "\n"
      R"({"method":"notifications/initialized","jsonrpc":"2.0"})"
      "\n";
  corpus.add("initialize", 255, begin);
  corpus.add("call", 7,
             begin + R"({"method":"tools/call","params":{"name":"get","arguments":{"key":"e1"},)"
                     R"("_meta":{"progressToken":1}},"jsonrpc":"2.0","id":1})"
                     "\n");
  corpus.add("list", 255,
             begin + R"({"method":"tools/list","jsonrpc":"2.0","id":2})"
                     "\n"
                     R"({"method":"notifications/cancelled","params":{"requestId":2},)"
                     R"("jsonrpc":"2.0"})"
                     "\n");
  corpus.add("batch", 255,
             R"([{"method":"ping","jsonrpc":"2.0","id":"a"},{"jsonrpc":"2.0","id":3,"result":{}}])"
             "\n");
}

void tokens(const Corpus& corpus) {
  corpus.add("plain", {}, "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl");
  corpus.add("newline", {}, "0123456789abcdef0123456789abcdef\n");
  corpus.add("two-words", {}, "Bearer 0123456789abcdef0123456789");
  corpus.add("empty", {}, "");
}

}  // namespace
}  // namespace tidemark

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder(arguments[1]);
  using tidemark::Corpus;
  tidemark::rows(Corpus(folder, "row"));
  tidemark::meta(Corpus(folder, "meta"));
  tidemark::order_keys(Corpus(folder, "order_key"));
  tidemark::config(Corpus(folder, "config"));
  tidemark::urls(Corpus(folder, "url"));
  tidemark::float_arrays(Corpus(folder, "float_array"));
  tidemark::replies(Corpus(folder, "hrana"));
  tidemark::requests(Corpus(folder, "http"));
  tidemark::wire(Corpus(folder, "wire"));
  tidemark::mcp(Corpus(folder, "mcp"));
  tidemark::tokens(Corpus(folder, "token"));
  return 0;
}
