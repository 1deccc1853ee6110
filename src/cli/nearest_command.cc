#include <algorithm>
#include <cstdio>

#include "cli/output.h"
#include "cli/vector_file.h"
#include "daemon/json_forms.h"
#include "daemon/like.h"

namespace tidemark::cli {
namespace {

using daemon::Like;

std::string parent_text(const Neighbour& neighbour) {
  if (neighbour.parent_key.empty()) return "-";
  const std::string& collection = neighbour.parent_collection;
  return one_line(collection.empty() ? neighbour.parent_key
                                     : collection + " " + neighbour.parent_key);
}

// SCORE  COLLECTION  KEY  PARENT, aligned.
void print_lines(const Nearest& found) {
  std::size_t collection_width = 0;
  std::size_t key_width = 0;
  for (const Neighbour& one : found.neighbours) {
    collection_width = std::max(collection_width, one.row.collection().size());
    key_width = std::max(key_width, one.row.key().size());
  }
  for (const Neighbour& one : found.neighbours) {
    char score[32];
    std::snprintf(score, sizeof score, "%#9.6g", one.score);
    std::string collection(one.row.collection());
    std::string key = one_line(std::string(one.row.key()));
    collection.resize(collection_width, ' ');
    key.resize(key_width, ' ');
    for (const std::string& part : {std::string(score), collection, key}) write_out(part + "  ");
    write_out(parent_text(one) + "\n");
  }
}

std::string left_out_text(const Coverage& c) {
  std::string text;
  const auto add = [&](std::uint64_t count, const char* why) {
    if (count > 0) text += (text.empty() ? "" : ", ") + grouped(count) + " " + why;
  };
  add(c.other_dimension, "of another dimension");
  add(c.other_model, "of another model");
  add(c.other_parent, "of other collections");
  add(c.no_vector, "without a vector that can be compared");
  add(c.not_finite, "with NaN or infinity");
  add(c.zero, "of zeros");
  return text.empty() ? "" : "; left out: " + text;
}

// What the source may have beyond what was searched.
std::string reach_text(const Coverage& c, const Freshness& freshness) {
  if (c.complete) return "the source had no others, " + freshness_text(freshness);
  std::string why;
  const auto add = [&](bool holds, const char* reason) {
    if (holds) why += (why.empty() ? "" : ", ") + std::string(reason);
  };
  add(!c.in_scope, "not all of it is in the cache's scope");
  add(c.in_scope && !c.window_complete, "older episodes are not cached");
  add(freshness.incomplete > 0, "rows were skipped");
  add(!freshness.doubt.empty(), "the cache is in doubt");
  add(freshness.catching_up, "changes are waiting");
  return "the source may have others" + (why.empty() ? "" : ": " + why);
}

void tell_coverage(const Nearest& found, std::size_t dimension) {
  const Coverage& c = found.coverage;
  std::fprintf(stderr, "searched %s of %zu floats%s; %s\n",
               base::counted(c.searched, "vector").c_str(), dimension, left_out_text(c).c_str(),
               reach_text(c, found.freshness).c_str());
}

NearestQuery query_of(const NearestArguments& arguments) {
  NearestQuery query;
  query.k = arguments.k;
  query.collection = arguments.collection;
  query.similarity = similarity_from_string(arguments.similarity).value_or(Similarity::cosine);
  query.model = arguments.model;
  query.of_collection = arguments.of;
  return query;
}

// What was searched for, as a member of the result.
std::string query_json(const NearestArguments& arguments, const Like& like) {
  std::string json = ",\"similarity\":" + daemon::json_string(arguments.similarity) +
                     ",\"dimension\":" + std::to_string(like.vector.size()) + ",\"like\":";
  if (!arguments.like) return json + "null";
  return json + "{\"collection\":" + daemon::json_string(like.collection) +
         ",\"key\":" + daemon::json_string(like.key) +
         ",\"model\":" + daemon::json_string(like.model_name) + "}";
}

int tell_unknown(const Context& context, const std::string& key, const Freshness& freshness) {
  if (!context.quiet) {
    std::fprintf(stderr, "%s: unknown: no embedding of it is cached, ask the source\n",
                 key.c_str());
  }
  if (context.json) print_envelope("nearest", kUnknown, nullptr, &freshness, {});
  return kUnknown;
}

int search(const Context& context, const NearestArguments& arguments, const Snapshot& snapshot,
           const Like& like) {
  NearestQuery query = query_of(arguments);
  query.vector = like.vector;
  if (arguments.like) query = daemon::query_like(like, std::move(query));
  const auto found = snapshot.nearest(query);
  if (!found) {
    const Freshness freshness = snapshot.freshness();
    return report_error(context, "nearest", found.error(), &freshness);
  }
  if (context.json) {
    print_envelope("nearest", kDone, nullptr, &found->freshness,
                   daemon::nearest_json(*found, query_json(arguments, like)));
    return kDone;
  }
  print_lines(*found);
  if (!context.quiet) tell_coverage(*found, like.vector.size());
  return kDone;
}

}  // namespace

int run_nearest(const Context& context, const NearestArguments& arguments) {
  if (arguments.like.has_value() == !arguments.vector_file.empty()) {
    return report_error(context, "nearest",
                        {ErrorCode::invalid,
                         "nearest wants --like KEY or --vector FILE",
                         "for example tidemark nearest --like 7f3c",
                         {}});
  }
  Like like;
  if (!arguments.like) {
    auto vector = read_vector(arguments.vector_file);
    if (!vector) return report_error(context, "nearest", vector.error());
    like.vector = std::move(*vector);
  }
  ReaderOptions options = reader_options(context);
  options.vector_cache_bytes = 0;  // for one search there is nothing to keep
  const auto reader = Reader::open(cache_path(context.settings), options);
  if (!reader) return report_cache_error(context, "nearest", reader.error());
  const auto snapshot = reader->snapshot();
  if (!snapshot) return report_cache_error(context, "nearest", snapshot.error());
  const Freshness freshness = snapshot->freshness();
  if (too_old(freshness, arguments.max_age)) {
    return report_error(context, "nearest", too_old_error(freshness), &freshness);
  }
  warn_if_stale(context, freshness);
  if (arguments.like) {
    auto found =
        daemon::find_like(*snapshot, *arguments.like, arguments.collection, arguments.model);
    if (!found) return report_error(context, "nearest", found.error(), &freshness);
    if (!*found) return tell_unknown(context, *arguments.like, freshness);
    like = std::move(**found);
  }
  return search(context, arguments, *snapshot, like);
}

}  // namespace tidemark::cli
