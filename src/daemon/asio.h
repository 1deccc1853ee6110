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

namespace tidemark::daemon {

namespace asio = boost::asio;
using IoError = boost::system::error_code;

}  // namespace tidemark::daemon
