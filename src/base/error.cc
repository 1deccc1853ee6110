#include "tidemark/error.h"

namespace tidemark {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::rejected:
      return "rejected";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::stale:
      return "stale";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::needs_repair:
      return "needs_repair";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace tidemark
