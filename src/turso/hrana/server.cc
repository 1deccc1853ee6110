#include "turso/hrana/server.h"

#include "turso/hrana/pipeline.h"

namespace tidemark::turso::hrana {
namespace {

constexpr std::string_view kUrlHint =
    "check the source URL: a Turso database answers at libsql://NAME-ORG.turso.io";

constexpr std::string_view kServerHint = "the trouble is at the server: try again later";

// A proxy or another program answers with a page for browsers, which explains nothing here.
bool is_web_page(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && text[start] == '<';
}

Error server_error(const std::string& text, const std::string& status) {
  if (is_web_page(text)) {
    return {ErrorCode::unavailable,
            "a web page came instead of a reply (" + status + ")",
            "check that the URL is that of a Turso database, and the proxy if there is one",
            {}};
  }
  return {ErrorCode::unavailable, "the source fails: " + text + " (" + status + ")",
          std::string(kServerHint), text};
}

Error status_error(const Answer& answer) {
  const std::string text = error_text(answer.body);
  const std::string status = "HTTP " + std::to_string(answer.status);
  const auto error = [&](ErrorCode code, const std::string& message, std::string hint) {
    return Error{code, message + " (" + status + ")", std::move(hint), text};
  };
  if (answer.status == 403 && text.find("BLOCKED") != std::string::npos) {
    return statement_error("BLOCKED", text);
  }
  switch (answer.status) {
    case 401:
      if (!answer.had_token) {
        return error(ErrorCode::rejected, "the source wants a token, and none is given",
                     "set TURSO_AUTH_TOKEN, or give --token-file");
      }
      return error(ErrorCode::rejected, "the source does not accept the token",
                   "check TURSO_AUTH_TOKEN or the token file; a token may have expired");
    case 403:
      return error(ErrorCode::rejected, "the token has no right to read this database",
                   "check that the token is for this database");
    case 404:
    case 405:
      return error(ErrorCode::invalid, "there is no Turso database at this URL",
                   std::string(kUrlHint));
    case 413:
      return {ErrorCode::invalid,
              "the request is too large (" + status + ")",
              {},
              "RESPONSE_TOO_LARGE " + text};
    case 408:
    case 429:
      return error(ErrorCode::unavailable, "the source asks to come later",
                   "wait a little, then run again");
    default:
      break;
  }
  if (answer.status >= 500) return server_error(text, status);
  if (answer.status >= 300 && answer.status < 400) {
    return error(ErrorCode::invalid,
                 "the source redirects to " + std::string(answer.location.substr(0, 200)),
                 "a token is never sent on; if that address is right, use it as the source URL");
  }
  Error known = statement_error(text, text);
  if (known.code == ErrorCode::unavailable) return known;
  return error(ErrorCode::invalid, "the source does not understand the request: " + text,
               std::string(kUrlHint));
}

}  // namespace

Server::Server(const ServerTraits& traits) {
  if (traits.text.find("hrana=2") != std::string::npos) variant_.version = kOldestVersion;
  if (traits.text.find("close=0") != std::string::npos) variant_.close = false;
  known_ = traits.text.find("hrana=") != std::string::npos;
}

std::string Server::path(const Variant& variant) {
  return "/v" + std::to_string(variant.version) + "/pipeline";
}

ServerTraits Server::traits() const {
  if (!known_) return {};
  return {"hrana=" + std::to_string(variant_.version) + " close=" + (variant_.close ? "1" : "0")};
}

// True when the answer asks for another form of the same request.
bool Server::learn(const Variant& sent, int status) {
  if (sent != variant_) return status == 404 || status == 500;  // learned since it was sent
  if (status == 404 && sent.version == kNewestVersion) {
    variant_.version = kOldestVersion;
    known_ = false;
    return true;
  }
  if (status == 500 && sent.close && !confirmed_ && !close_refused_) {
    variant_.close = false;
    known_ = false;
    close_refused_ = true;
    return true;
  }
  if (status == 404 && known_) {  // an upgraded server may speak version 3 alone
    variant_ = {};
    known_ = false;
    return true;
  }
  return false;
}

Result<Server::Next> Server::take(const Variant& sent, const Answer& answer) {
  if (answer.status == 200) {
    if (sent == variant_) known_ = confirmed_ = true;
    return Next::decode;
  }
  if (learn(sent, answer.status)) return Next::send_again;
  if (close_refused_ && !known_) {  // it fails without `close` too: nothing was learned
    variant_.close = true;
    close_refused_ = false;
  }
  return std::unexpected(status_error(answer));
}

}  // namespace tidemark::turso::hrana
