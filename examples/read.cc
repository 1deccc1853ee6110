// Reads a cache: how fresh it is, one item, the newest episodes, a snapshot, an embedding's floats.
// Build: g++ -std=c++23 read.cc $(pkg-config --cflags --libs tidemark-reader) -o read
// Run:   ./read memories.redb [COLLECTION KEY]
#include <tidemark/reader.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

// Every call answers a Result: a value, or an error that says what happened and what to do.
int failed(const tidemark::Error& error) {
  std::fprintf(stderr, "read: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return 1;
}

void print_freshness(const tidemark::Freshness& freshness) {
  const std::string state(to_string(freshness.state));
  std::printf("the cache is %s", state.c_str());
  if (freshness.age) {
    std::printf(", checked %lld ms ago", static_cast<long long>(freshness.age->count()));
  }
  std::printf("\n");
}

// hit: here it is. absent: the source has none either. unknown: not cached, so ask the source.
int get(const tidemark::Reader& reader, const std::string& collection, const std::string& key) {
  const auto found = reader.get(collection, key);
  if (!found) return failed(found.error());
  const std::string presence(to_string(found->presence()));
  std::printf("get %s %s: %s\n", collection.c_str(), key.c_str(), presence.c_str());
  if (*found) std::printf("%s\n", found->row().to_json().c_str());
  return 0;
}

// A snapshot answers several questions from one commit. Keep it for milliseconds.
int show_newest(const tidemark::Snapshot& snapshot, std::string& newest_key) {
  const auto episodes = snapshot.count("episodes");
  if (!episodes) return failed(episodes.error());
  std::printf("%llu episodes, the newest:\n", static_cast<unsigned long long>(*episodes));
  const tidemark::Query newest{.collection = "episodes", .limit = 3};
  const auto listed = snapshot.scan(newest, [&](const tidemark::Row& row) {
    if (newest_key.empty()) newest_key = row.key();  // a copy: the row dies after this call
    std::printf("  %s\n", std::string(row.key()).c_str());
    return true;  // go on
  });
  return listed ? 0 : failed(listed.error());
}

// A vector's bytes are not aligned in the file, so they are copied into floats of our own.
int show_embeddings(const tidemark::Snapshot& snapshot, const std::string& parent_key) {
  const tidemark::Query of_parent{.collection = "embeddings", .of_key = parent_key};
  const auto listed = snapshot.scan(of_parent, [](const tidemark::Row& row) {
    for (std::size_t column = 0; column < row.column_count(); ++column) {
      const tidemark::ValueView value = row.at(column);
      if (value.type() != tidemark::ValueType::vector || value.dimension() == 0) continue;
      std::vector<float> floats(value.dimension());
      value.copy_vector(floats);
      std::printf("embedding %s: %zu floats from %.6f to %.6f\n", std::string(row.key()).c_str(),
                  floats.size(), static_cast<double>(floats.front()),
                  static_cast<double>(floats.back()));
    }
    return true;
  });
  return listed ? 0 : failed(listed.error());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: read CACHE [COLLECTION KEY]\n");
    return 2;
  }
  const auto reader = tidemark::Reader::open(argv[1]);
  if (!reader) return failed(reader.error());
  const auto freshness = reader->freshness();
  if (!freshness) return failed(freshness.error());
  print_freshness(*freshness);

  std::string newest_key;
  {
    const auto snapshot = reader->snapshot();
    if (!snapshot) return failed(snapshot.error());
    if (const int status = show_newest(*snapshot, newest_key); status != 0) return status;
    if (const int status = show_embeddings(*snapshot, newest_key); status != 0) return status;
  }
  return argc == 4 ? get(*reader, argv[2], argv[3]) : get(*reader, "episodes", newest_key);
}
