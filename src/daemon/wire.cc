#include "daemon/wire.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/json_fields.h"

namespace tidemark::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::string_view kHint = "docs/daemon.md lists the requests";

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

// visit(name, member) of everything that a request may hold beside "v" and "do".
template <typename AskType, typename Visit>
void each_field(AskType& ask, const Visit& visit) {
  visit("source", ask.source);
  visit("max_episodes_cache", ask.max_episodes_cache);
  visit("sync_patterns", ask.sync_patterns);
  visit("sync_embeddings", ask.sync_embeddings);
  visit("batch_size", ask.batch_size);
  visit("validate_checksums", ask.validate_checksums);
  visit("max_concurrent_fetches", ask.max_concurrent_fetches);
  visit("request_deadline_ms", ask.request_deadline);
  visit("pass_deadline_ms", ask.pass_deadline);
  visit("max_rows_read_per_pass", ask.max_rows_read_per_pass);
  visit("audit_interval_ms", ask.audit_interval);
  visit("full", ask.full);
  visit("set_scope", ask.set_scope);
  visit("adopt", ask.adopt);
}

void put(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}
void put(Json& json, const char* name, bool value) {
  if (value) json[name] = true;
}
void put(Json& json, const char* name, const std::optional<std::chrono::milliseconds>& value) {
  if (value) json[name] = value->count();
}
template <typename T>
void put(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

Json to_json(const Error& error) {
  return {{"code", std::string(to_string(error.code))},
          {"message", error.message},
          {"hint", error.hint},
          {"source_text", error.source_text}};
}

Error error_from(const Json& json) {
  Error error;
  std::string code;
  read_member(json, "code", code);
  for (int n = 0; n <= static_cast<int>(ErrorCode::internal); ++n) {
    const auto known = static_cast<ErrorCode>(n);
    if (code == to_string(known)) error.code = known;
  }
  read_member(json, "message", error.message);
  read_member(json, "hint", error.hint);
  read_member(json, "source_text", error.source_text);
  return error;
}

Json to_json(const Progress& p) {
  Json json = {{"phase", p.phase}, {"collection", p.collection}, {"rows_done", p.rows_done}};
  json["rows_total"] = p.rows_total ? Json(*p.rows_total) : Json();
  return json;
}

Progress progress_from(const Json& json) {
  Progress p;
  read_member(json, "phase", p.phase);
  read_member(json, "collection", p.collection);
  read_member(json, "rows_done", p.rows_done);
  read_member(json, "rows_total", p.rows_total);
  return p;
}

// The report's JSON has no word of `catching_up`.
Json to_json(const SyncReport& report) {
  return {{"report", parsed(report.to_json())}, {"catching_up", report.freshness.catching_up}};
}

SyncReport sync_from(const Json& json) {
  SyncReport report = report_from_json(member(json, "report").dump());
  read_member(json, "catching_up", report.freshness.catching_up);
  return report;
}

Json to_json(const RepairReport& report) {
  return {{"problems", report.problems},
          {"rows_dropped", report.rows_dropped},
          {"kept_as", report.kept_as},
          {"sync", to_json(report.sync)}};
}

RepairReport repair_from(const Json& json) {
  RepairReport report;
  read_member(json, "problems", report.problems);
  read_member(json, "rows_dropped", report.rows_dropped);
  read_member(json, "kept_as", report.kept_as);
  report.sync = sync_from(member(json, "sync"));
  return report;
}

Json to_json(const AuditReport& report) {
  Json collections = Json::object();
  for (const auto& [name, found] : report.collections) {
    collections[name] = {{"equal", found.equal},
                         {"missing", found.missing},
                         {"different", found.different},
                         {"surplus", found.surplus},
                         {"keys", found.keys}};
  }
  Json json = {{"collections", std::move(collections)}, {"requests", report.requests}};
  json["rows_read"] = report.rows_read ? Json(*report.rows_read) : Json();
  return json;
}

AuditReport audit_from(const Json& json) {
  AuditReport report;
  for (const auto& [name, found] : member(json, "collections").items()) {
    CollectionAudit& c = report.collections[name];
    read_member(found, "equal", c.equal);
    read_member(found, "missing", c.missing);
    read_member(found, "different", c.different);
    read_member(found, "surplus", c.surplus);
    read_member(found, "keys", c.keys);
  }
  read_member(json, "requests", report.requests);
  read_member(json, "rows_read", report.rows_read);
  return report;
}

Json to_json(const Done& done) {
  if (const auto* const sync = std::get_if<SyncReport>(&done)) return {{"sync", to_json(*sync)}};
  if (const auto* const repair = std::get_if<RepairReport>(&done)) {
    return {{"repair", to_json(*repair)}};
  }
  return {{"validate", to_json(std::get<AuditReport>(done))}};
}

Done done_from(const Json& json) {
  if (json.contains("repair")) return repair_from(json["repair"]);
  if (json.contains("validate")) return audit_from(json["validate"]);
  return sync_from(member(json, "sync"));
}

Json to_json(const ScrubState& s) {
  Json json = {{"percent", s.percent}, {"ended_at_ms", nullptr}};
  if (s.ended_at) {
    using std::chrono::milliseconds;
    const auto since_1970 = s.ended_at->time_since_epoch();
    json["ended_at_ms"] = std::chrono::duration_cast<milliseconds>(since_1970).count();
  }
  return json;
}

ScrubState scrub_from(const Json& json) {
  ScrubState s;
  read_member(json, "percent", s.percent);
  read_member(json, "ended_at_ms", s.ended_at);
  return s;
}

Json to_json(const Status& s) {
  Json json = {{"pid", s.pid},
               {"source", s.source},
               {"cache", s.cache},
               {"uptime_ms", s.uptime.count()},
               {"passes", s.passes},
               {"failures", s.failures},
               {"last_error", s.last_error},
               {"running", s.running},
               {"trigger", s.trigger}};
  json["progress"] = s.progress ? to_json(*s.progress) : Json();
  json["next_pass_ms"] = s.next_pass ? Json(s.next_pass->count()) : Json();
  json["scrub"] = s.scrub ? to_json(*s.scrub) : Json();
  return json;
}

Status status_from(const Json& json) {
  Status s;
  read_member(json, "pid", s.pid);
  read_member(json, "source", s.source);
  read_member(json, "cache", s.cache);
  read_member(json, "uptime_ms", s.uptime);
  read_member(json, "passes", s.passes);
  read_member(json, "failures", s.failures);
  read_member(json, "last_error", s.last_error);
  read_member(json, "running", s.running);
  read_member(json, "trigger", s.trigger);
  if (const Json& progress = member(json, "progress"); progress.is_object()) {
    s.progress = progress_from(progress);
  }
  read_member(json, "next_pass_ms", s.next_pass);
  if (const Json& scrub = member(json, "scrub"); scrub.is_object()) s.scrub = scrub_from(scrub);
  return s;
}

// false: no such request.
bool read_command(const std::string& word, Request& request) {
  for (const Work work : {Work::sync, Work::repair, Work::rebuild, Work::validate}) {
    if (word != to_string(work)) continue;
    request.command = Command::perform;
    request.ask.work = work;
    return true;
  }
  if (word == "status")
    request.command = Command::status;
  else if (word == "nudge")
    request.command = Command::nudge;
  else if (word == "reload")
    request.command = Command::reload;
  else if (word == "stop")
    request.command = Command::stop;
  else
    return false;
  return true;
}

std::string word_of(const Request& request) {
  switch (request.command) {
    case Command::perform:
      return std::string(to_string(request.ask.work));
    case Command::status:
      return "status";
    case Command::nudge:
      return "nudge";
    case Command::reload:
      return "reload";
    case Command::stop:
      return "stop";
  }
  return "";
}

std::unexpected<Error> bad_request(const std::string& what) {
  return fail(ErrorCode::invalid, "bad request: " + what, std::string(kHint));
}

Result<void> read_field(const std::string& name, const Json& value, Request& request) {
  bool known = false;
  bool right = false;
  each_field(request.ask, [&](const char* field, auto& member) {
    if (request.command != Command::perform || name != field) return;
    known = true;
    right = read(value, member);
  });
  if (!known) return bad_request("unknown name " + name.substr(0, 64));
  if (!right) return bad_request(name + " is of another type");
  return {};
}

}  // namespace

std::string encode(const Request& request) {
  Json json = {{"v", kVersion}, {"do", word_of(request)}};
  if (request.command == Command::perform) {
    each_field(request.ask, [&](const char* name, const auto& value) { put(json, name, value); });
  }
  return line_of(json);
}

Result<Request> decode_request(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return bad_request("not a JSON object on one line");
  int version = 0;
  read_member(json, "v", version);
  if (version != kVersion) return bad_request("\"v\" is not 1");
  std::string word;
  read_member(json, "do", word);
  Request request;
  if (!read_command(word, request)) {
    return bad_request(
        "\"do\" is none of sync, repair, rebuild, validate, status, nudge, reload, "
        "stop");
  }
  for (const auto& [name, value] : json.items()) {
    if (name != "v" && name != "do") TIDEMARK_TRY(read_field(name, value, request));
  }
  return request;
}

std::string encode(const Reply& reply) {
  if (const auto* const p = std::get_if<Progress>(&reply)) {
    return line_of({{"progress", to_json(*p)}});
  }
  if (const auto* const done = std::get_if<Done>(&reply)) {
    return line_of({{"done", to_json(*done)}});
  }
  if (const auto* const status = std::get_if<Status>(&reply)) {
    return line_of({{"status", to_json(*status)}});
  }
  if (const auto* const error = std::get_if<Error>(&reply)) {
    return line_of({{"error", to_json(*error)}});
  }
  return line_of({{"ok", true}});
}

Result<Reply> decode_reply(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_object()) {
    if (json.contains("progress")) return Reply(progress_from(json["progress"]));
    if (json.contains("done")) return Reply(done_from(json["done"]));
    if (json.contains("status")) return Reply(status_from(json["status"]));
    if (json.contains("error")) return Reply(error_from(json["error"]));
    if (json.contains("ok")) return Reply(Acknowledged{});
  }
  return fail(ErrorCode::internal, "the daemon's reply is none", "do both have the same version?");
}

}  // namespace tidemark::daemon
