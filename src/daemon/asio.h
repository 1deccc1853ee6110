// Boost.Asio, for the .cc files that need it; its own functions are compiled once, in asio.cc.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "daemon/tuning.h"

namespace tidemark::daemon {

namespace asio = boost::asio;
using IoError = boost::system::error_code;

// Gives each connection to `take` until the acceptor is closed. All three must outlive the loop.
template <typename Acceptor, typename Take>
void accept_each(Acceptor& acceptor, asio::steady_timer& pause, Take take) {
  acceptor.async_accept([&acceptor, &pause, take](const IoError& error, auto socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      take(std::move(socket));
      return accept_each(acceptor, pause, take);
    }
    pause.expires_after(kAcceptPause);  // out of descriptors, most likely
    pause.async_wait([&acceptor, &pause, take](const IoError& cancelled) {
      if (!cancelled) accept_each(acceptor, pause, take);
    });
  });
}

}  // namespace tidemark::daemon
