// Memory pressure: the page cache, the daemon, the size of rows, what the machine has left.
#include "base/figures.h"
#include "doctor/findings.h"
#include "doctor/tuning.h"

namespace tidemark::doctor {
namespace {

using base::format_bytes;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

std::string smaller_page_cache(std::uint64_t bytes) {
  return "[cache] page_cache = \"" + std::to_string(std::max(bytes / kMiB, std::uint64_t{1})) +
         "MiB\"";
}

void judge_daemon(const Measurements& m, Findings& out) {
  if (!m.daemon || !m.daemon->memory) return;
  const ProcessMemory& memory = *m.daemon->memory;
  const std::uint64_t page_cache = m.subject.page_cache_bytes;
  const auto severity = at_least(memory.resident_bytes, page_cache + kBesidePageCache,
                                 page_cache + kBesidePageCacheBad);
  out.add(severity,
          "the daemon has " + format_bytes(memory.resident_bytes) + " in memory, at most " +
              format_bytes(memory.peak_bytes) + " until now",
          "[sync] max_concurrent_fetches = " +
              std::to_string(std::max(m.subject.config.max_concurrent_fetches / 2, 1U)) + " and " +
              smaller_page_cache(page_cache / 2) + ", then restart it");
}

void judge_page_cache(const Measurements& m, Findings& out) {
  const std::uint64_t page_cache = m.subject.page_cache_bytes;
  std::string text = "the page cache may take " + format_bytes(page_cache);
  if (!m.memory) return out.ok(std::move(text));
  text += m.memory->limit_bytes ? " of the control group's " : " of this machine's ";
  text += format_bytes(m.memory->total_bytes);
  const std::uint64_t most = m.memory->total_bytes / kPageCachePart;
  out.add(page_cache > most ? Severity::problem : Severity::ok, std::move(text),
          smaller_page_cache(most));
}

void judge_machine(const Measurements& m, Findings& out) {
  if (!m.memory) return;
  const std::uint64_t available = m.memory->available_bytes;
  const auto severity = available < kAvailableBad   ? Severity::problem
                        : available < kAvailableLow ? Severity::notice
                                                    : Severity::ok;
  std::string text = format_bytes(available) + " of memory can still be had";
  if (m.memory->limit_bytes) text += " in this control group";
  out.add(severity, std::move(text),
          m.memory->limit_bytes ? "give it more (MemoryMax= of systemd, --memory of docker), or " +
                                      smaller_page_cache(m.subject.page_cache_bytes / 2)
                                : smaller_page_cache(m.subject.page_cache_bytes / 2) +
                                      ", and end what takes the rest");
}

void judge_rows(const Measurements& m, Findings& out) {
  if (!m.source || !m.source->page || m.source->page->rows == 0) return;
  const std::uint64_t bytes = m.source->page->bytes / m.source->page->rows;
  if (bytes < kRowBytesLarge) return;
  out.notice("an episode has " + format_bytes(bytes) + " on average: pages of few rows are large",
             "[sync] batch_size = 4 and max_concurrent_fetches = 2");
}

}  // namespace

void judge_memory_pressure(const Measurements& m, Findings& out) {
  judge_page_cache(m, out);
  judge_daemon(m, out);
  judge_machine(m, out);
  judge_rows(m, out);
}

}  // namespace tidemark::doctor
