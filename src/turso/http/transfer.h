// One HTTP POST on libcurl: its options, its bounds and what came of it.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "tidemark/error.h"

namespace tidemark::turso::http {

struct TransferSetup {
  std::string url;
  std::string host_name;      // for messages: "libsql://host"
  std::string authorization;  // a whole header line, or empty
  std::string ca_file;        // trusted beside the system's; may be empty
  bool no_proxy = false;
  bool own_connection = false;  // neither takes over a connection nor leaves one
  std::size_t reply_bytes_max = 0;
  std::chrono::milliseconds connect_timeout{0};
  std::chrono::milliseconds timeout{0};
};

// Not movable: libcurl keeps its address. One thread. Must leave its multi handle before it dies.
class Transfer {
 public:
  // `buffer`: memory for the reply's body.
  Transfer(const TransferSetup& setup, std::string request, std::string buffer = {});
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  [[nodiscard]] CURL* handle() const { return easy_; }
  // After libcurl ended it: nothing, when an HTTP answer came, whatever its status. Errors:
  // unavailable, rejected (TLS), invalid (URL, or a reply over a limit).
  [[nodiscard]] Result<void> outcome(CURLcode code) const;
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string location() const;
  [[nodiscard]] std::string take_body() { return std::move(reply_); }
  [[nodiscard]] std::uint64_t bytes_received() const;
  [[nodiscard]] std::uint64_t bytes_sent() const;

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static int on_socket(void* self, curl_socket_t socket, curlsocktype purpose);
  void set_transport(const TransferSetup& setup);

  const std::string request_;
  const std::string host_name_;
  const std::string ca_file_;
  const std::size_t reply_bytes_max_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string reply_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace tidemark::turso::http
