#include "daemon/http.h"

#include <charconv>
#include <list>
#include <optional>
#include <utility>

#include "daemon/exchange.h"
#include "daemon/host.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using Tcp = asio::ip::tcp;

constexpr int kBacklog = 128;

std::optional<Tcp::endpoint> endpoint_of(const std::string& address) {
  const HostPort parts = split_host(address);
  std::uint16_t port = 0;
  const char* const last = parts.port.data() + parts.port.size();
  const auto [end, wrong] = std::from_chars(parts.port.data(), last, port);
  IoError error;
  const std::string host(parts.host == "localhost" ? "127.0.0.1" : parts.host);
  const auto ip = asio::ip::make_address(host, error);
  if (error || wrong != std::errc() || end != last || port == 0) return std::nullopt;
  return Tcp::endpoint(ip, port);
}

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
