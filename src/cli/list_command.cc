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
                          {ErrorCode::invalid,
                           "--where wants INDEX=VALUE, not " + arguments.where,
                           "for example --where pattern_type=error_recovery",
                           {}});
    }
    query.where_index = arguments.where.substr(0, equals);
    query.where_value = arguments.where.substr(equals + 1);
  }
  const auto reader = Reader::open(cache_path(context.settings), reader_options(context));
  if (!reader) return report_cache_error(context, "list", reader.error());
  // A reader that went away (head, less) ends the listing; finish_output() judges it.
  const auto listed = reader->scan(query, [](const Row& row) {
    return write_out("{\"collection\":" + json_string(row.collection()) +
                     ",\"key\":" + json_string(row.key()) + ",\"row\":" + row.to_json() + "}\n");
  });
  return listed ? kDone : report_cache_error(context, "list", listed.error());
}

}  // namespace tidemark::cli
