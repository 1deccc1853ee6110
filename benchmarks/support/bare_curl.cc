#include "benchmarks/support/bare_curl.h"

#include <curl/curl.h>

#include "benchmarks/support/timing.h"

namespace tidemark::bench {
namespace {

std::size_t count_bytes(char*, std::size_t size, std::size_t count, void* total) {
  *static_cast<std::uint64_t*>(total) += size * count;
  return size * count;
}

std::size_t keep_bytes(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

CURL* make_post(const std::string& url, const std::string& body) {
  CURL* const easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
  return easy;
}

void require_ok(CURL* easy, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  require(code == CURLE_OK && status == 200, "bare curl: " + std::to_string(status));
}

}  // namespace

std::uint64_t post_all(const std::string& url, const std::vector<std::string>& bodies) {
  CURLM* const multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 10L);
  std::uint64_t bytes = 0;
  for (const auto& body : bodies) {
    CURL* const easy = make_post(url, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);
    curl_multi_add_handle(multi, easy);
  }
  int running = 1;
  while (running > 0) {
    curl_multi_perform(multi, &running);
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      CURL* const easy = message->easy_handle;
      require_ok(easy, message->data.result);
      curl_multi_remove_handle(multi, easy);
      curl_easy_cleanup(easy);
    }
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  curl_multi_cleanup(multi);
  return bytes;
}

std::vector<std::string> post_each(const std::string& url, const std::vector<std::string>& bodies) {
  std::vector<std::string> replies;
  for (const auto& body : bodies) {
    std::string& reply = replies.emplace_back();
    CURL* const easy = make_post(url, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
    require_ok(easy, curl_easy_perform(easy));
    curl_easy_cleanup(easy);
  }
  return replies;
}

}  // namespace tidemark::bench
