// A writer that fails (a full disk) while the source says nothing: the fetch side must not be
// waited for until its request's deadline.
#include <thread>

#include "source/source.h"
#include "sync/fetcher.h"
#include "tests/integration/serving.h"
#include "turso/connection.h"

namespace tidemark {
namespace {

using Clock = std::chrono::steady_clock;
using support::HranaPeer;
using support::Serving;

TEST(ServerAbandon, a_request_to_a_silent_server_ends_within_a_second) {
  Serving world;
  HranaPeer peer(world.database());
  peer.script({nlohmann::json{{"kind", "hang"}}});
  const auto url = turso::parse_source_url(peer.url());
  ASSERT_TRUE(url);
  const auto connection = turso::connect(*url, {});
  ASSERT_TRUE(connection);
  const SyncConfig config;  // 30 s for a request
  sync::Fetcher fetcher(**connection, config, Clock::time_point::max(), {});
  Clock::time_point abandoned;
  Result<turso::BatchReply> reply;
  {
    const std::jthread writer([&] {
      EXPECT_TRUE(peer.wait_until([](const auto& stats) { return stats["hanging"] > 0; }));
      abandoned = Clock::now();
      fetcher.abandon();
    });
    reply = fetcher.ask(turso::Batch{{source::schema_statement()}});
  }
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::cancelled);
  EXPECT_LT(Clock::now() - abandoned, std::chrono::seconds(1));
  EXPECT_FALSE(fetcher.ask(turso::Batch{{source::schema_statement()}})) << "abandoned for good";
}

}  // namespace
}  // namespace tidemark
