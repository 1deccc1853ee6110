// What an audit suspects: rows that differ from the source although the cache followed its log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cache/meta.h"
#include "cache/writer.h"
#include "model/collection.h"
#include "source/changes.h"
#include "source/guard.h"
#include "sync/events.h"

namespace tidemark::sync {

// One thread. The applier of an audit tells it what it changes. A change counts only when an
// unlogged write can be its reason: a row that enters or leaves the scope because another did, or
// that could not be sent before, is as the log says.
class Suspects {
 public:
  // `before`: of the cache that follows the log.
  explicit Suspects(const cache::Meta& before);

  // Before the event is applied, and after; it must live between.
  void coming(const FetchedRows& event);
  void taken();
  void put(const model::Collection& collection, const std::string& key, cache::PutOutcome outcome);
  // gone: from the source; else from the scope.
  void removed(const model::Collection& collection, const std::string& key, bool gone);

  // What the log names is explained.
  void explain(const source::Changes& changes);
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  // Without an empty one.
  [[nodiscard]] const std::map<std::string, std::set<std::string>>& by_table() const {
    return keys_;
  }

 private:
  [[nodiscard]] bool should_have_been_there(const model::Collection& collection,
                                            const std::string& key) const;
  [[nodiscard]] bool left_by_itself(const model::Collection& collection,
                                    const std::string& key) const;

  const std::string boundary_;  // the window was whole down to here
  std::set<std::pair<std::string, std::string>> skipped_;
  std::unordered_set<std::string> entered_;  // parents that were not cached before
  const FetchedRows* event_ = nullptr;
  std::unordered_map<std::string, std::size_t> rows_;  // of the event, by key
  std::unordered_set<std::string> unfit_;  // of the event: rows that came, and cannot be cached
  std::map<std::string, std::set<std::string>> keys_;
};

// Why the log of a table in scope cannot be trusted although it looks healthy: an audit found that
// it misses changes, and its triggers are the same since. Nothing: it can.
[[nodiscard]] std::optional<std::string> missed_before(const cache::AuditRecord& audit,
                                                       const source::Guard& guard,
                                                       const model::Catalog& catalog,
                                                       const Scope& scope);
// Takes what was missed under other epochs than these out of the record.
void forget_renewed(cache::AuditRecord& audit, const std::map<std::string, std::string>& epochs);

}  // namespace tidemark::sync
