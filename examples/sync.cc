// Brings a cache in step with its source once, then reads an item back. Ctrl-C stops it cleanly.
// Build: g++ -std=c++23 sync.cc $(pkg-config --cflags --libs tidemark) -o sync
// Run:   ./sync file:memories.db memories.redb [COLLECTION KEY]
#include <signal.h>
#include <tidemark/reader.h>
#include <tidemark/syncer.h>

#include <cstdio>
#include <stop_token>
#include <string>
#include <thread>

namespace {

int failed(const tidemark::Error& error) {
  std::fprintf(stderr, "sync: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return error.code == tidemark::ErrorCode::cancelled ? 130 : 1;
}

// Ctrl-C becomes a stop request. The signal is blocked in every thread, and one waits for it, since
// little may be done in a signal handler. Call it before any other thread starts.
std::stop_token stop_on_ctrl_c() {
  static sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
  std::stop_source stop;
  std::thread([stop] {
    int signal = 0;
    sigwait(&interrupt, &signal);
    stop.request_stop();
  }).detach();
  return stop.get_token();
}

// Called on the thread that called sync(), a few times a second at most while pages come in.
void print_progress(const tidemark::Progress& progress) {
  std::fprintf(stderr, "  %s %s: %llu rows\n", progress.phase.c_str(), progress.collection.c_str(),
               static_cast<unsigned long long>(progress.rows_done));
}

int read_back(const std::string& cache, const std::string& collection, const std::string& key) {
  const auto reader = tidemark::Reader::open(cache);
  if (!reader) return failed(reader.error());
  const auto found = reader->get(collection, key);
  if (!found) return failed(found.error());
  const std::string presence(to_string(found->presence()));
  std::printf("get %s %s: %s\n", collection.c_str(), key.c_str(), presence.c_str());
  if (*found) std::printf("%s\n", found->row().to_json().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr, "usage: sync SOURCE CACHE [COLLECTION KEY]\n");
    return 2;
  }
  const std::stop_token stop = stop_on_ctrl_c();
  tidemark::SyncConfig config;  // the defaults: the newest 1,000 episodes and what belongs to them
  auto syncer = tidemark::Syncer::open(argv[1], argv[2], config);
  if (!syncer) return failed(syncer.error());

  tidemark::SyncRequest request;
  request.progress = print_progress;
  const auto report = syncer->sync(stop, request);
  if (!report) return failed(report.error());  // the cache is as it was
  std::printf("%s\n", report->to_json().c_str());
  return argc == 5 ? read_back(argv[2], argv[3], argv[4]) : 0;
}
