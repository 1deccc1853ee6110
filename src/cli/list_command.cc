#include <cerrno>
#include <cstdio>

#include "cli/output.h"

namespace tidemark::cli {

int run_list(const Context& context, const ListArguments& arguments) {
  Query query;
  query.collection = arguments.collection;
  query.limit = arguments.latest;
  query.of_key = arguments.of_key;
  if (!arguments.where.empty()) {
    const std::size_t equals = arguments.where.find('=');
    if (equals == std::string::npos || equals == 0) {
      return report_error(context, "list",
                          {ErrorCode::invalid, "--where wants INDEX=VALUE", {}, {}});
    }
    query.where_index = arguments.where.substr(0, equals);
    query.where_value = arguments.where.substr(equals + 1);
  }
  const auto reader = Reader::open(cache_path(context.settings), reader_options(context));
  if (!reader) return report_error(context, "list", reader.error());
  // A reader that went away (head, less) ends the listing quietly.
  bool written = true;
  const auto listed = reader->scan(query, [&](const Row& row) {
    written = std::printf("{\"collection\":%s,\"key\":%s,\"row\":%s}\n",
                          json_string(row.collection()).c_str(), json_string(row.key()).c_str(),
                          row.to_json().c_str()) > 0;
    return written;
  });
  if (!listed) return report_error(context, "list", listed.error());
  if (std::fflush(stdout) == 0 && written) return kDone;
  if (errno == EPIPE) return kDone;
  return report_error(context, "list", {ErrorCode::no_space, "cannot write the listing", {}, {}});
}

}  // namespace tidemark::cli
