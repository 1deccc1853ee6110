#include "daemon/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using Protocol = asio::local::stream_protocol;

constexpr int kBacklog = 128;

// Whoever may read the cache may connect, which takes the right to write; what one may then ask
// depends on who it is.
mode_t socket_mode(unsigned cache_mode) {
  return static_cast<mode_t>((cache_mode | ((cache_mode & 0444U) >> 1U)) & 0666U);
}

Error oversized() {
  return {ErrorCode::invalid,
          "bad request: more than " + std::to_string(kRequestBytesMax) + " bytes without a newline",
          {},
          {}};
}

std::unexpected<Error> cannot_listen(const std::string& path, const std::string& why) {
  return fail(ErrorCode::invalid, "cannot listen on " + path + ": " + why,
              "name another place: [daemon] socket in tidemark.toml");
}

// The caller holds CACHE.daemon: a socket at a cache's own place is a dead daemon's. At a place
// that was configured another cache's daemon may listen.
Result<void> make_room(const std::string& path, asio::io_context& loop) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return cannot_listen(path, "there is a file that is no socket");
  Session::Socket probe(loop);
  IoError refused;
  probe.connect(Protocol::endpoint(path), refused);
  if (!refused) {
    return fail(ErrorCode::busy, "another process listens on " + path,
                "name another place: [daemon] socket in tidemark.toml");
  }
  ::unlink(path.c_str());
  return {};
}

}  // namespace

Session::Session(Socket socket, Handle handle)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()), handle_(std::move(handle)) {}

void Session::start() {
  limit_time();
  asio::async_read_until(socket_, asio::dynamic_buffer(in_, kRequestBytesMax), '\n',
                         [self = shared_from_this()](const IoError& error, std::size_t bytes) {
                           self->take(error, bytes);
                         });
}

void Session::take(const IoError& error, std::size_t bytes) {
  deadline_.cancel();
  if (!socket_.is_open()) return;
  asked_ = true;
  if (error == asio::error::not_found) return refuse(oversized());
  if (error) return close();
  const auto request = decode_request(std::string_view(in_).substr(0, bytes));
  if (!request) return refuse(request.error());
  const bool anyone = request->command == Command::status || request->command == Command::nudge;
  if (!anyone && !peer_is_owner()) {
    return refuse({ErrorCode::invalid,
                   "only the daemon's user (uid " + std::to_string(::geteuid()) +
                       ") and root may ask it for that",
                   "run the command as that user",
                   {}});
  }
  handle_(*request, shared_from_this());
}

bool Session::peer_is_owner() {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return false;
  }
  return peer.uid == 0 || peer.uid == ::geteuid();
}

void Session::reply(const Reply& reply) {
  const bool last = is_last(reply);
  if (last_ || !socket_.is_open() || (!last && !out_.empty())) return;
  last_ = last;
  pending_ += encode(reply);
  if (out_.empty()) write();
}

void Session::write() {
  out_ = std::exchange(pending_, {});
  limit_time();
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](const IoError& error, std::size_t) {
                      self->deadline_.cancel();
                      self->out_.clear();
                      if (error) return self->close();
                      if (!self->pending_.empty()) return self->write();
                      if (self->last_) self->close();
                    });
}

void Session::limit_time() {
  deadline_.expires_after(kClientDeadline);
  deadline_.async_wait([weak = weak_from_this()](const IoError& cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self) self->close();
  });
}

void Session::close_if_silent() {
  if (!asked_) close();
}

void Session::close() {
  IoError ignored;
  deadline_.cancel();
  socket_.close(ignored);
}

ControlServer::ControlServer(asio::io_context& loop, Session::Handle handle)
    : loop_(loop), acceptor_(loop), pause_(loop), handle_(std::move(handle)) {}

Result<void> ControlServer::listen(const std::string& path, unsigned cache_mode) {
  TIDEMARK_TRY(make_room(path, loop_));
  IoError error;
  acceptor_.open(Protocol(), error);
  if (!error) acceptor_.bind(Protocol::endpoint(path), error);
  if (error) return cannot_listen(path, error.message());
  path_ = path;
  // Nobody can connect before listen().
  if (::chmod(path.c_str(), socket_mode(cache_mode)) != 0) {
    return cannot_listen(path, std::strerror(errno));
  }
  acceptor_.listen(kBacklog, error);
  if (error) return cannot_listen(path, error.message());
  accept_each(acceptor_, pause_, [this](Session::Socket socket) { take(std::move(socket)); });
  return {};
}

void ControlServer::take(Session::Socket socket) {
  sessions_.remove_if([](const auto& session) { return session.expired(); });
  const auto session = std::make_shared<Session>(std::move(socket), handle_);
  if (sessions_.size() >= kConnectionsMax) {
    return session->refuse({ErrorCode::busy,
                            "the daemon has " + std::to_string(kConnectionsMax) + " connections",
                            "try again",
                            {}});
  }
  sessions_.push_back(session);
  session->start();
}

void ControlServer::close() {
  IoError ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
  for (const auto& weak : sessions_) {
    if (const auto session = weak.lock()) session->close_if_silent();
  }
}

}  // namespace tidemark::daemon
