// A connection to the HTTP server: its request, and the reply or a stream.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/http.h"

namespace tidemark::daemon {

// One thread, the loop's. Lives while something is read or written, or somebody holds it.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  // `answer` must outlive it.
  Exchange(asio::ip::tcp::socket socket, const HttpServer::Answer& answer);
  void start();
  // Once; the connection is closed when it was taken, or not taken within kClientDeadline.
  void reply(HttpReply reply);
  // Instead of reply(): what send() gives, until either side closes.
  void stream(std::string_view type);
  // Lets the client go when it does not take this within kClientDeadline, or when more than
  // kStreamBytesMax would wait.
  void send(std::string_view text);
  // It has taken all that was sent.
  [[nodiscard]] bool idle() const { return out_.empty(); }
  [[nodiscard]] bool is_open() { return stream_.socket().is_open(); }
  void close();

 private:
  void take(const IoError& error);
  void answer();
  void write();
  void drain();

  boost::beast::tcp_stream stream_;
  const HttpServer::Answer& answer_;
  boost::beast::flat_buffer in_;
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  std::string out_;      // of a stream: being written
  std::string pending_;  // of a stream: to be written next
  std::array<char, 4096> dropped_{};
  std::size_t dropped_bytes_ = 0;
};

}  // namespace tidemark::daemon
