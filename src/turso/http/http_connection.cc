#include "turso/http/http_connection.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <random>

#include "turso/hrana/pipeline.h"
#include "turso/hrana/server.h"
#include "turso/http/reply_buffers.h"
#include "turso/http/transfer.h"
#include "turso/http/tuning.h"

namespace tidemark::turso::http {
namespace {

using Clock = std::chrono::steady_clock;

// The variables of curl's own program; libcurl itself reads none of them.
std::string ca_file_of(const ConnectOptions& options) {
  if (!options.ca_file.empty()) return options.ca_file;
  for (const char* const name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && value[0] != '\0') return value;
  }
  return {};
}

bool is_header_safe(std::string_view token) {
  return std::ranges::all_of(token, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

// Drives transfers; what answers mean is hrana::Server's to say.
class HttpConnection final : public Connection {
 public:
  HttpConnection(const SourceUrl& url, ConnectOptions options)
      : url_(url),
        options_(std::move(options)),
        loopback_(is_loopback(url.http_url)),
        ca_file_(ca_file_of(options_)),
        server_(options_.traits),
        multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      static_cast<long>(options_.max_in_flight));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_in_flight));
  }

  ~HttpConnection() override {
    cancel_all();
    curl_multi_cleanup(multi_);
  }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  Ticket start(Batch batch) override {
    queue_.push_back({++last_ticket_, std::move(batch)});
    pump();
    return last_ticket_;
  }

  std::optional<Completion> poll(Clock::time_point deadline) override {
    while (true) {
      pump();
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      if (!done_.empty()) {
        Completion completion = std::move(done_.front());
        done_.pop_front();
        return completion;
      }
      if (woken_.exchange(false) || Clock::now() >= deadline) return std::nullopt;
      const bool again = !queue_.empty() && active_.size() < sendable();
      if (!again) curl_multi_poll(multi_, nullptr, 0, wait_ms(deadline), nullptr);
    }
  }

  void cancel_all() override {
    for (auto& [handle, job] : active_) curl_multi_remove_handle(multi_, handle);
    active_.clear();
    queue_.clear();
    done_.clear();
  }

  void wake() override {
    woken_ = true;
    curl_multi_wakeup(multi_);
  }

  [[nodiscard]] std::size_t in_flight() const override {
    return queue_.size() + active_.size() + done_.size();
  }
  [[nodiscard]] std::size_t capacity() const override { return options_.max_in_flight; }
  Result<bool> hold_snapshot() override { return false; }
  void release_snapshot() override {}
  [[nodiscard]] std::string name() const override { return url_.display; }
  [[nodiscard]] Usage usage() const override { return usage_; }
  [[nodiscard]] ServerTraits traits() const override { return server_.traits(); }

 private:
  struct Job {
    Ticket ticket = 0;
    Batch batch;
    int sends = 0;
    bool reauthorized = false;
    std::uint64_t nonce = 0;
    std::string token{};  // as sent
    hrana::Variant variant{};
    std::unique_ptr<Transfer> transfer{};
  };

  // Until the server is known, one request at a time finds out what it takes.
  [[nodiscard]] std::size_t sendable() const {
    return server_.known() ? options_.max_in_flight : std::min<std::size_t>(1, capacity());
  }

  static int wait_ms(Clock::time_point deadline) {
    constexpr std::int64_t kLongestMs = 60'000;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestMs));
  }

  void pump() {
    while (!queue_.empty() && active_.size() < sendable()) {
      Job job = std::move(queue_.front());
      queue_.pop_front();
      if (auto sent = send(job); !sent) {
        done_.push_back({job.ticket, [error = std::move(sent).error()]() mutable {
                           return Result<BatchReply>(std::unexpected(std::move(error)));
                         }});
        continue;
      }
      CURL* const handle = job.transfer->handle();
      active_.emplace(handle, std::move(job));
    }
  }

  Result<void> send(Job& job) {
    TIDEMARK_TRY(read_token());
    job.variant = server_.variant();
    job.nonce = nonces_();
    job.token = *token_;
    ++job.sends;
    TransferSetup setup;
    setup.url = url_.http_url + hrana::Server::path(job.variant);
    setup.host_name = url_.display;
    if (!token_->empty()) setup.authorization = "Authorization: Bearer " + *token_;
    setup.ca_file = ca_file_;
    setup.no_proxy = loopback_;
    setup.own_connection = *misplaced_;
    setup.reply_bytes_max = options_.reply_bytes_max;
    setup.connect_timeout = std::min(options_.connect_timeout, options_.request_timeout);
    setup.timeout = options_.request_timeout;
    job.transfer = std::make_unique<Transfer>(
        setup, hrana::encode_pipeline(job.batch, job.variant.close, job.nonce), buffers_->take());
    if (curl_multi_add_handle(multi_, job.transfer->handle()) != CURLM_OK) {
      return fail(ErrorCode::internal, "libcurl takes no request");
    }
    ++usage_.requests;
    return {};
  }

  Result<void> read_token() {
    if (token_) return {};
    std::string token;
    if (options_.token) {
      TIDEMARK_ASSIGN(read, options_.token());
      token = std::move(read);
    }
    if (!is_header_safe(token)) {
      return fail(ErrorCode::invalid, "the token holds spaces or control characters",
                  "check TURSO_AUTH_TOKEN or the token file");
    }
    if (!token.empty() && !loopback_ && url_.http_url.starts_with("http://")) {
      return fail(ErrorCode::rejected, "a token is not sent over http:// to another machine",
                  "use libsql:// or https:// for " + url_.display);
    }
    token_ = std::move(token);
    return {};
  }

  void collect() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      auto node = active_.extract(message->easy_handle);
      curl_multi_remove_handle(multi_, message->easy_handle);
      if (!node.empty()) finish(std::move(node.mapped()), code);
    }
  }

  void finish(Job job, CURLcode code) {
    usage_.bytes_received += job.transfer->bytes_received();
    usage_.bytes_sent += job.transfer->bytes_sent();
    auto reply = reply_of(job, code);
    if (reply && !*reply) {  // to be sent again, ahead of what was never sent
      job.transfer.reset();
      queue_.push_front(std::move(job));
    } else if (reply) {
      done_.push_back({job.ticket, std::move(*reply)});
    } else {
      done_.push_back(
          {job.ticket, [error = without_token(std::move(reply).error(), job.token)]() mutable {
             return Result<BatchReply>(std::unexpected(std::move(error)));
           }});
    }
  }

  // Empty: send it again.
  Result<PendingReply> reply_of(Job& job, CURLcode code) {
    TIDEMARK_TRY(job.transfer->outcome(code));
    hrana::Answer answer;
    answer.status = job.transfer->status();
    const std::string location = job.transfer->location();
    std::string body = job.transfer->take_body();
    answer.body = body;
    answer.location = location;
    answer.had_token = !job.token.empty();
    if (answer.status == 401 && !job.reauthorized && options_.token) {
      job.reauthorized = true;
      token_.reset();  // it may have been rotated
      return PendingReply();
    }
    TIDEMARK_ASSIGN(next, server_.take(job.variant, answer));
    if (next == hrana::Server::Next::send_again) {
      if (job.sends < kSendsMax) return PendingReply();
      return fail(ErrorCode::unavailable, url_.display + " answers in no known way");
    }
    return PendingReply([body = std::move(body), statements = job.batch.statements.size(),
                         nonce = job.nonce, token = job.token, misplaced = misplaced_,
                         buffers = buffers_]() mutable {
      auto reply = hrana::decode_pipeline_in(body, statements, nonce);
      buffers->give(std::move(body));
      if (reply) return reply;
      // The answers on that connection are out of step for good: from now on, one for each.
      if (hrana::is_misplaced(reply.error())) *misplaced = true;
      reply = std::unexpected(without_token(std::move(reply).error(), token));
      return reply;
    });
  }

  // A server may repeat what it was sent.
  static Error without_token(Error error, const std::string& token) {
    if (token.empty()) return error;
    for (std::string* const text : {&error.message, &error.hint, &error.source_text}) {
      for (std::size_t at = 0; (at = text->find(token, at)) != std::string::npos;) {
        text->replace(at, token.size(), "***");
      }
    }
    return error;
  }

  const SourceUrl url_;
  const ConnectOptions options_;
  const bool loopback_;
  const std::string ca_file_;
  hrana::Server server_;
  CURLM* const multi_;
  std::optional<std::string> token_;  // as read last
  std::mt19937_64 nonces_{std::random_device{}()};
  // An answer came to another request than its own; told by whoever decodes it.
  const std::shared_ptr<std::atomic<bool>> misplaced_ = std::make_shared<std::atomic<bool>>(false);
  const std::shared_ptr<ReplyBuffers> buffers_ = std::make_shared<ReplyBuffers>();
  std::deque<Job> queue_;
  std::map<CURL*, Job> active_;
  std::deque<Completion> done_;
  Ticket last_ticket_ = 0;
  Usage usage_;
  std::atomic<bool> woken_ = false;
};

}  // namespace

bool is_loopback(std::string_view http_url) {
  const std::size_t scheme = http_url.find("://");
  std::string_view host = http_url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
  host = host.substr(0, host.find(':'));
  if (host == "localhost") return true;
  // Digits and dots alone: "127.0.0.1.example" is a name.
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<std::unique_ptr<Connection>> open_http(const SourceUrl& url, ConnectOptions options) {
  static std::once_flag once;
  static CURLcode ready = CURLE_FAILED_INIT;
  std::call_once(once, [] { ready = curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (ready != CURLE_OK) return fail(ErrorCode::internal, "libcurl cannot be set up");
  return std::make_unique<HttpConnection>(url, std::move(options));
}

}  // namespace tidemark::turso::http
