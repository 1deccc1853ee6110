// The C++ reader that python_reading.py compares Python with: does what a line of its stdin names
// and answers with the seconds of processor time that it took.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tidemark/reader.h"

namespace tidemark::bench {
namespace {

constexpr const char* kColumn = "task_description";
constexpr const char* kVector = "embedding_vector";

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "python_peer: %s\n", what);
  std::exit(1);
}

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// One thread. Each method does its work once for each of `keys_`, or `times` times.
class Peer {
 public:
  Peer(const std::string& cache, const std::string& keys) : reader_(open(cache)) {
    std::ifstream file(keys);
    for (std::string key; std::getline(file, key);) keys_.push_back(key);
    require(!keys_.empty(), "no keys");
  }

  // False: there is no such work. What is read is added up, so that none of it can be left out.
  [[nodiscard]] bool perform(const std::string& work, std::size_t times) {
    if (work == "get-snapshot") return get_in_snapshot();
    if (work == "get") return get();
    if (work == "list") return list(times);
    if (work == "nearest") return nearest(times);
    if (work == "vector") return vector();
    return false;
  }
  [[nodiscard]] std::size_t bytes_read() const { return bytes_read_; }

 private:
  static Reader open(const std::string& cache) {
    auto reader = Reader::open(cache);
    require(reader.has_value(), "open");
    return std::move(*reader);
  }
  Snapshot snapshot() const {
    auto made = reader_.snapshot();
    require(made.has_value(), "snapshot");
    return std::move(*made);
  }
  void read_column(const Row& row) {
    const auto value = row.at(kColumn);
    require(value.has_value(), "column");
    bytes_read_ += std::string(value->bytes()).size();
  }
  template <typename Reads>
  std::vector<float> vector_of(const Reads& reads, const std::string& key) {
    const auto found = reads.get("embeddings", "m-" + key);
    require(found && *found, "embedding");
    const auto value = found->row().at(kVector);
    require(value && !value->bytes().empty(), "vector");
    const auto* const first = reinterpret_cast<const char*>(value->bytes().data());
    std::vector<float> floats(value->bytes().size() / sizeof(float));
    std::copy_n(first, floats.size() * sizeof(float), reinterpret_cast<char*>(floats.data()));
    return floats;
  }

  bool get_in_snapshot() {
    const Snapshot reads = snapshot();
    for (const auto& key : keys_) {
      const auto found = reads.get("episodes", key);
      require(found && *found, "get");
      read_column(found->row());
    }
    return true;
  }
  bool get() {
    for (const auto& key : keys_) {
      const auto found = reader_.get("episodes", key);
      require(found && *found, "get");
      read_column(found->row());
    }
    return true;
  }
  bool list(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      std::size_t rows = 0;
      const auto visit = [&](const Row& row) {
        read_column(row);
        ++rows;
        return true;
      };
      require(snapshot().scan({.collection = "episodes", .limit = 1'000}, visit).has_value() &&
                  rows == 1'000,
              "list");
    }
    return true;
  }
  bool nearest(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      const auto query = vector_of(reader_, keys_[i % keys_.size()]);
      const auto found = reader_.nearest({.vector = query});
      require(found && found->neighbours.size() == 10, "nearest");
      for (const auto& neighbour : found->neighbours) bytes_read_ += neighbour.parent_key.size();
    }
    return true;
  }
  bool vector() {
    const Snapshot reads = snapshot();
    for (const auto& key : keys_) bytes_read_ += vector_of(reads, key).size();
    return true;
  }

  const Reader reader_;
  std::vector<std::string> keys_;
  std::size_t bytes_read_ = 0;
};

void serve(Peer& peer) {
  std::string work;
  std::size_t times = 0;
  while (std::cin >> work >> times) {
    const double start = seconds_now();
    require(peer.perform(work, times), "no such work");
    std::printf("%.9f\n", seconds_now() - start);
    std::fflush(stdout);
  }
  require(peer.bytes_read() > 0, "nothing was read");
}

}  // namespace
}  // namespace tidemark::bench

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "python_peer CACHE KEYS_FILE\n");
    return 2;
  }
  tidemark::bench::Peer peer(words[1], words[2]);
  tidemark::bench::serve(peer);
}
