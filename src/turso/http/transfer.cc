#include "turso/http/transfer.h"

#include <fcntl.h>

#include "base/assert.h"
#include "turso/hrana/pipeline.h"
#include "turso/http/tuning.h"

namespace tidemark::turso::http {
namespace {

bool is_tls(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

std::string hint_for(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "check the host in the source URL, and the network";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "check the proxy settings (https_proxy)";
    case CURLE_COULDNT_CONNECT:
      return "check that the server runs, and its port";
    case CURLE_OPERATION_TIMEDOUT:
      return "raise --request-deadline, or check the network";
    default:
      return "check the network; a later pass goes on";
  }
}

std::string tls_hint(const std::string& text, const std::string& ca_file) {
  if (text.find("wrong version number") != std::string::npos) {
    return "the server speaks no TLS at this port: is its URL http://?";
  }
  const std::string check = "check the host and its certificate; ";
  if (ca_file.empty()) return check + "an own CA is given with SSL_CERT_FILE";
  return check + "its CA was looked for in " + ca_file + " (CURL_CA_BUNDLE, else SSL_CERT_FILE)";
}

}  // namespace

Transfer::Transfer(const TransferSetup& setup, std::string request, std::string buffer)
    : request_(std::move(request)),
      host_name_(setup.host_name),
      ca_file_(setup.ca_file),
      reply_bytes_max_(setup.reply_bytes_max),
      easy_(curl_easy_init()),
      reply_(std::move(buffer)) {
  TIDEMARK_ASSERT(easy_ != nullptr);
  headers_ = curl_slist_append(headers_, "Content-Type: application/json");
  headers_ = curl_slist_append(headers_, "Expect:");  // no round trip before a large body
  if (!setup.authorization.empty()) {
    headers_ = curl_slist_append(headers_, setup.authorization.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_URL, setup.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.data());
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.size()));
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  set_transport(setup);
}

void Transfer::set_transport(const TransferSetup& setup) {
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Join an HTTP/2 connection that is being made. Without TLS there is none to wait for, and a
  // server that closes each connection would get one request at a time.
  const bool tls = setup.url.starts_with("https:");
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tidemark");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // a cancel does not wait for the resolver
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReadBufferBytes);
  curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, kIdleSecondsMax);
  curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, &Transfer::on_socket);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(setup.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(setup.timeout.count()));
  // The folder of the system's certificates stays trusted beside this file.
  if (!setup.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, setup.ca_file.c_str());
  if (setup.own_connection) {
    curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  }
  if (setup.no_proxy) curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  if (transfer.reply_.size() + bytes > transfer.reply_bytes_max_) {
    transfer.too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  if (transfer.reply_.empty()) {
    curl_off_t announced = -1;  // without compression
    curl_easy_getinfo(transfer.easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    const auto known = static_cast<std::size_t>(std::max<curl_off_t>(announced, 0));
    transfer.reply_.reserve(std::min(known, transfer.reply_bytes_max_) + hrana::kReplyPadding);
  }
  transfer.reply_.append(data, bytes);
  return bytes;
}

std::size_t Transfer::on_header(char*, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.header_bytes_ += size * count;
  return transfer.header_bytes_ > kHeaderBytesMax ? 0 : size * count;
}

// A program that the caller starts must not inherit the connection.
int Transfer::on_socket(void*, curl_socket_t socket, curlsocktype) {
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

Result<void> Transfer::outcome(CURLcode code) const {
  if (code == CURLE_OK) return {};
  if (too_large_) {
    return fail(ErrorCode::invalid, "the reply is larger than tidemark takes", {},
                "RESPONSE_TOO_LARGE");
  }
  const std::string text = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
  if (is_tls(code)) {
    return fail(ErrorCode::rejected, host_name_ + ": TLS failed: " + text, tls_hint(text, ca_file_),
                text);
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return fail(ErrorCode::invalid, "bad source URL " + host_name_ + ": " + text,
                "use libsql://HOST, https://HOST or file:PATH", text);
  }
  const bool slow = code == CURLE_OPERATION_TIMEDOUT;
  return fail(ErrorCode::unavailable, host_name_ + ": " + text, hint_for(code),
              slow ? "TIMEOUT " + text : text);
}

int Transfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::string Transfer::location() const {
  const char* url = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &url);
  return url != nullptr ? url : "";
}

std::uint64_t Transfer::bytes_received() const {
  curl_off_t body = 0;
  long headers = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &body);
  curl_easy_getinfo(easy_, CURLINFO_HEADER_SIZE, &headers);
  return static_cast<std::uint64_t>(body) + static_cast<std::uint64_t>(headers);
}

std::uint64_t Transfer::bytes_sent() const {
  long headers = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &headers);
  return request_.size() + static_cast<std::uint64_t>(headers);
}

}  // namespace tidemark::turso::http
