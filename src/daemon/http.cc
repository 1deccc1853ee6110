#include "daemon/http.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <list>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr int kBacklog = 128;

struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // empty: none
};

HostPort split(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  HostPort parts{text.substr(0, colon), {}};
  if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
  if (bracket != std::string_view::npos && parts.host.ends_with(']')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

// A page of another site, whose name it had point here, says that name.
bool means_this_host(std::string_view host) {
  const HostPort parts = split(host);
  if (beast::iequals(beast::string_view(parts.host.data(), parts.host.size()), "localhost")) {
    return true;
  }
  IoError error;
  asio::ip::make_address(std::string(parts.host), error);
  return !error;
}

std::optional<Tcp::endpoint> endpoint_of(const std::string& address) {
  const HostPort parts = split(address);
  std::uint16_t port = 0;
  const char* const last = parts.port.data() + parts.port.size();
  const auto [end, wrong] = std::from_chars(parts.port.data(), last, port);
  IoError error;
  const std::string host(parts.host == "localhost" ? "127.0.0.1" : parts.host);
  const auto ip = asio::ip::make_address(host, error);
  if (error || wrong != std::errc() || end != last || port == 0) return std::nullopt;
  return Tcp::endpoint(ip, port);
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// A connection. One thread.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Tcp::socket socket, const HttpServer::Answer& answer)
      : stream_(std::move(socket)), answer_(answer) {
    parser_.header_limit(kHttpHeaderBytesMax);
  }
  void start();
  void close();

 private:
  void take(const IoError& error);
  [[nodiscard]] HttpReply reply() const;
  void write(HttpReply reply);
  void drain();

  beast::tcp_stream stream_;
  const HttpServer::Answer& answer_;
  beast::flat_buffer in_{std::size_t{2} * kHttpHeaderBytesMax};
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  std::array<char, 4096> dropped_{};
  std::size_t dropped_bytes_ = 0;
};

void Exchange::start() {
  stream_.expires_after(kClientDeadline);
  http::async_read_header(
      stream_, in_, parser_,
      [self = shared_from_this()](const IoError& error, std::size_t) { self->take(error); });
}

void Exchange::take(const IoError& error) {
  if (!error) return write(reply());
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return write({431, "more than " + std::to_string(kHttpHeaderBytesMax) + " bytes of header\n"});
  }
  const bool spoke = error.category() == make_error_code(http::error::bad_method).category();
  if (!spoke || error == http::error::end_of_stream || error == http::error::partial_message) {
    return close();
  }
  write({400, "not an HTTP request\n"});
}

HttpReply Exchange::reply() const {
  const auto& request = parser_.get();
  if (request.count(http::field::host) != 1 || !means_this_host(view(request[http::field::host]))) {
    return {421, "ask by IP address or as localhost\n"};
  }
  if (request.method() != http::verb::get) return {405, "only GET\n"};
  const std::string_view target = view(request.target());
  const std::size_t mark = target.find('?');
  HttpRequest out;
  out.path = target.substr(0, mark);
  if (mark != std::string_view::npos) out.query = target.substr(mark + 1);
  out.authorization = view(request[http::field::authorization]);
  return answer_(out);
}

void Exchange::write(HttpReply reply) {
  response_.version(11);
  response_.result(reply.status);
  response_.set(http::field::content_type, reply.type);
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (reply.status == 401) response_.set(http::field::www_authenticate, "Bearer");
  if (reply.status == 405) response_.set(http::field::allow, "GET");
  response_.keep_alive(false);
  response_.body() = std::move(reply.body);
  response_.prepare_payload();
  stream_.expires_after(kClientDeadline);
  http::async_write(stream_, response_,
                    [self = shared_from_this()](const IoError& error, std::size_t) {
                      if (error) return self->close();
                      IoError ignored;
                      self->stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
                      self->drain();
                    });
}

// Closing with bytes unread would take the reply from the client.
void Exchange::drain() {
  stream_.async_read_some(asio::buffer(dropped_),
                          [self = shared_from_this()](const IoError& error, std::size_t bytes) {
                            self->dropped_bytes_ += bytes;
                            if (error || self->dropped_bytes_ > kHttpDroppedBytesMax) {
                              return self->close();
                            }
                            self->drain();
                          });
}

void Exchange::close() { stream_.close(); }

std::unexpected<Error> cannot_listen(const std::string& address, const IoError& error) {
  return fail(error == asio::error::address_in_use ? ErrorCode::busy : ErrorCode::invalid,
              "cannot listen on " + address + ": " + error.message(),
              "name another place: [daemon] listen in tidemark.toml");
}

}  // namespace

struct HttpServer::Listening {
  Listening(asio::io_context& loop, Answer answer_)
      : acceptor(loop), pause(loop), answer(std::move(answer_)) {}
  void take(Tcp::socket socket);

  Tcp::acceptor acceptor;
  asio::steady_timer pause;
  Answer answer;
  std::list<std::weak_ptr<Exchange>> exchanges;
};

// One too many is let go without a word: a word, too, would have to be waited for.
void HttpServer::Listening::take(Tcp::socket socket) {
  exchanges.remove_if([](const auto& exchange) { return exchange.expired(); });
  if (exchanges.size() >= kHttpConnectionsMax) return;
  const auto exchange = std::make_shared<Exchange>(std::move(socket), answer);
  exchanges.push_back(exchange);
  exchange->start();
}

HttpServer::HttpServer(asio::io_context& loop, Answer answer)
    : listening_(std::make_unique<Listening>(loop, std::move(answer))) {}

HttpServer::~HttpServer() = default;

Result<bool> HttpServer::listen(const std::string& address) {
  const auto endpoint = endpoint_of(address);
  if (!endpoint) {
    return fail(ErrorCode::invalid, "cannot listen on " + address + ": not an address and a port",
                "[daemon] listen in tidemark.toml is like \"127.0.0.1:9464\"");
  }
  auto& acceptor = listening_->acceptor;
  IoError error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) return cannot_listen(address, error);
  accept_each(acceptor, listening_->pause,
              [this](Tcp::socket socket) { listening_->take(std::move(socket)); });
  return endpoint->address().is_loopback();
}

void HttpServer::close() {
  IoError ignored;
  listening_->acceptor.close(ignored);
  listening_->pause.cancel();
  for (const auto& weak : listening_->exchanges) {
    if (const auto exchange = weak.lock()) exchange->close();
  }
}

}  // namespace tidemark::daemon
