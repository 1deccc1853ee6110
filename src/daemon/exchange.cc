#include "daemon/exchange.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>
#include <utility>

#include "daemon/host.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

template <typename Body>
void set_header(http::response<Body>& response, unsigned status, std::string_view type) {
  response.version(11);
  response.result(status);
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(false);
}

}  // namespace

Exchange::Exchange(Tcp::socket socket, const HttpServer::Answer& answer)
    : stream_(std::move(socket)), answer_(answer), in_(std::size_t{2} * kHttpHeaderBytesMax) {
  parser_.header_limit(kHttpHeaderBytesMax);
}

void Exchange::start() {
  stream_.expires_after(kClientDeadline);
  http::async_read_header(
      stream_, in_, parser_,
      [self = shared_from_this()](const IoError& error, std::size_t) { self->take(error); });
}

void Exchange::take(const IoError& error) {
  if (!error) return answer();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return reply({431, "more than " + std::to_string(kHttpHeaderBytesMax) + " bytes of header\n"});
  }
  const bool spoke = error.category() == make_error_code(http::error::bad_method).category();
  if (!spoke || error == http::error::end_of_stream || error == http::error::partial_message) {
    return close();
  }
  reply({400, "not an HTTP request\n"});
}

void Exchange::answer() {
  const auto& request = parser_.get();
  if (request.count(http::field::host) != 1 || !means_this_host(view(request[http::field::host]))) {
    return reply({421, "ask by IP address or as localhost\n"});
  }
  if (request.method() != http::verb::get) return reply({405, "only GET\n"});
  const std::string_view target = view(request.target());
  const std::size_t mark = target.find('?');
  HttpRequest asked;
  asked.path = target.substr(0, mark);
  if (mark != std::string_view::npos) asked.query = target.substr(mark + 1);
  asked.authorization = view(request[http::field::authorization]);
  answer_(asked, shared_from_this());
}

void Exchange::reply(HttpReply reply) {
  set_header(response_, reply.status, reply.type);
  if (reply.status == 401) response_.set(http::field::www_authenticate, "Bearer");
  if (reply.status == 405) response_.set(http::field::allow, "GET");
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

// The connection's end is the body's: there is no length to tell.
void Exchange::stream(std::string_view type) {
  http::response<http::empty_body> header;
  set_header(header, 200, type);
  std::ostringstream text;
  text << header;
  IoError ignored;
  stream_.socket().set_option(asio::socket_base::send_buffer_size(kStreamSendBytes), ignored);
  stream_.expires_never();
  drain();  // sees the client go
  send(text.str());
}

void Exchange::send(std::string_view text) {
  if (!is_open()) return;
  if (!pending_.empty() && pending_.size() + text.size() > kStreamBytesMax) return close();
  pending_ += text;
  if (out_.empty()) write();
}

void Exchange::write() {
  out_ = std::exchange(pending_, {});
  stream_.expires_after(kClientDeadline);  // of the write alone: the read is pending
  asio::async_write(stream_, asio::buffer(out_),
                    [self = shared_from_this()](const IoError& error, std::size_t) {
                      self->out_.clear();
                      if (error) return self->close();
                      if (!self->pending_.empty()) self->write();
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

}  // namespace tidemark::daemon
