// A source with a few rows of each kind, whose changes are logged.
#pragma once

#include "tests/integration/world.h"
#include "tidemark/capture.h"

namespace tidemark::support {

// 40 episodes, two of each order value, with an embedding each; patterns, one of which has the id
// of an episode; heuristics; an embedding of both.
inline constexpr const char* kForty = R"(
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)
    INSERT INTO episodes SELECT printf('e%02d', i), 'task ' || i, i / 2, i / 3.0, NULL FROM n;
  INSERT INTO patterns VALUES('p1', 'tool', 'one'), ('p2', 'tool', 'two'), ('e01', 'x', 'y');
  INSERT INTO heuristics VALUES(1, 'when one'), (2, 'when two');
  INSERT INTO embeddings SELECT 'm' || episode_id, episode_id, 'episode', '[1, 2]', NULL, 2
    FROM episodes;
  INSERT INTO embeddings VALUES('mp1', 'p1', 'patterns', '[3, 4]', NULL, 2),
    ('mx', 'e01', NULL, '[5, 6]', NULL, 2);)";

inline void administer_capture(const std::string& source, const CaptureRequest& request) {
  auto admin = CaptureAdmin::open(source);
  ASSERT_TRUE(admin);
  const auto plan = admin->plan(request);
  ASSERT_TRUE(plan) << plan.error().message;
  const auto status = admin->apply(*plan, request);
  ASSERT_TRUE(status) << status.error().message;
  if (request.action != CaptureAction::install) return;
  ASSERT_TRUE(status->healthy) << status->trouble;
}

inline void install_capture(const std::string& source) { administer_capture(source, {}); }

}  // namespace tidemark::support
