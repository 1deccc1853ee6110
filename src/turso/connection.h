// The seam to a Turso or SQLite database: SQL batches in, rows out. Knows nothing of memories.
// Implementations: file (sqlite3) and http (libcurl + Hrana); one conformance suite runs on both.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "model/row_set.h"
#include "tidemark/error.h"
#include "tidemark/value.h"

namespace tidemark::turso {

// The hint of every failure to find or read a file: source.
inline constexpr std::string_view kFileHint =
    "give an existing SQLite database, e.g. --source file:memories.db";

struct Statement {
  std::string sql;
  std::vector<Value> args;  // bound to ?1, ?2, ... in order
};

// Statements that run in one transaction of their own (BEGIN ... COMMIT, in one request over HTTP)
// and stop at the first error, which undoes them all.
struct Batch {
  std::vector<Statement> statements;
};

struct BatchReply {
  std::vector<model::RowSet> results;      // one for each statement, in order
  std::optional<std::uint64_t> rows_read;  // where the server says
  std::uint64_t body_bytes = 0;            // as received, 0 for file:
};

using Ticket = std::uint64_t;

// A reply as it came, decoded by the call: once, on any thread, also after its connection's end.
using PendingReply = std::move_only_function<Result<BatchReply>()>;

struct Completion {
  Ticket ticket = 0;
  PendingReply reply;
};

// Plain counters since the connection was opened.
struct Usage {
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
};

// How a failed batch is told apart, in Error::code:
//   unavailable  unreachable, timeout, 5xx, quota: may succeed later
//   rejected     401, 403, TLS
//   invalid      an SQL error (source_text has the server's words)
//   unsupported  not a database
//   rejected     also a write without the right to; is_read_only() then
//   unavailable  also a reply that is not Hrana, or not to what was asked (unexpected_reply)
// A reply or value over a limit is `invalid` with is_too_large() true; one that did not come within
// the request's deadline is `unavailable` with is_timeout() true.
[[nodiscard]] bool is_too_large(const Error& error);
[[nodiscard]] bool is_timeout(const Error& error);
// A write was refused: the token, or this user, may only read.
[[nodiscard]] bool is_read_only(const Error& error);
// The source answered `what` with something else: it, or what is between, does not work now.
[[nodiscard]] std::unexpected<Error> unexpected_reply(std::string_view what);

// What was learned of a server, kept by the caller across connections; opaque text, may be empty.
struct ServerTraits {
  std::string text;
};

// One thread uses a connection, but wake() may be called from any.
class Connection {
 public:
  virtual ~Connection() = default;

  // Queues a batch. file: runs it in poll(). At most `capacity()` may be in flight.
  virtual Ticket start(Batch batch) = 0;
  // Waits for the next completion until `deadline` or wake(); nullopt when none came.
  virtual std::optional<Completion> poll(std::chrono::steady_clock::time_point deadline) = 0;
  // Drops all that is in flight; their tickets never complete.
  virtual void cancel_all() = 0;
  // Makes a waiting (or the next) poll return at once. Thread-safe, async-signal-unsafe.
  virtual void wake() = 0;
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // How many batches can usefully run at once: 1 for file:.
  [[nodiscard]] virtual std::size_t capacity() const = 0;

  // file:: holds one read transaction from here to release_snapshot(), so that all batches see one
  // state, and returns true. http: returns false and does nothing.
  virtual Result<bool> hold_snapshot() = 0;
  virtual void release_snapshot() = 0;

  // A printable name without secrets: "libsql://host", "file:/path".
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual Usage usage() const = 0;
  [[nodiscard]] virtual ServerTraits traits() const = 0;
};

struct ConnectOptions {
  // Called for the bearer token at the first request and once again after a 401. May be empty.
  std::function<Result<std::string>()> token;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds request_timeout{30'000};
  std::size_t max_in_flight = 10;
  std::size_t reply_bytes_max = std::size_t{16} << 20U;
  ServerTraits traits;
  bool writable = false;  // file: opens for writing, too; over HTTP the token's rights decide
  std::string ca_file;    // empty: the system's; SSL_CERT_FILE and CURL_CA_BUNDLE are honoured
};

// A URL in its one form: libsql:// stays in `display`; `identity` is what a cache remembers.
struct SourceUrl {
  enum class Transport { file, http } transport = Transport::file;
  std::string path;      // file: absolute path
  std::string http_url;  // http: scheme://host[:port][/path] without trailing slash
  std::string identity;  // file:/abs/path or libsql://host..., no query, no userinfo
};

// Understands file:PATH, libsql://, https://, http:// (http:// without TLS; a token goes over it
// only to loopback). Errors: invalid, with a hint that lists the schemes.
[[nodiscard]] Result<SourceUrl> parse_source_url(std::string_view text);

// Opens lazily over HTTP (no request yet); file: opens read-only unless writable, refuses a missing
// file or one that is no database, and checks at each hold_snapshot() that the path still names
// that inode (reopens when not).
[[nodiscard]] Result<std::unique_ptr<Connection>> connect(const SourceUrl& url,
                                                          ConnectOptions options);

// Runs one batch to its end. Errors: the batch's; `cancelled` when stop is requested;
// `unavailable` at the deadline.
[[nodiscard]] Result<BatchReply> run(Connection& connection, Batch batch,
                                     std::chrono::steady_clock::time_point deadline,
                                     const std::stop_token& stop = {});

// A JSON array of numbers as f32s; nullopt when `text` is anything else.
[[nodiscard]] std::optional<std::vector<float>> parse_float_array(std::string_view text);

}  // namespace tidemark::turso
