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
  const auto freshness = reader->freshness();
  if (!freshness) return report_cache_error(context, "list", freshness.error());
  if (too_old(*freshness, arguments.max_age)) {
    return report_error(context, "list", too_old_error(*freshness), &*freshness);
  }
  warn_if_stale(context, *freshness);
  // A reader that went away (head, less) ends the listing; finish_output() judges it.
  const auto listed = reader->scan(query, [](const Row& row) { return write_out(row_line(row)); });
  return listed ? kDone : report_cache_error(context, "list", listed.error());
}

}  // namespace tidemark::cli
