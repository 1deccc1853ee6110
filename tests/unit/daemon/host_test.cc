#include "daemon/host.h"

#include <gtest/gtest.h>

namespace tidemark::daemon {
namespace {

TEST(Host, an_address_or_localhost_is_this_one) {
  for (const char* here : {"localhost", "LocalHost:9464", "127.0.0.1", "127.0.0.1:9464", "[::1]",
                           "[::1]:9464", "10.1.2.3:80"}) {
    EXPECT_TRUE(means_this_host(here)) << here;
  }
  for (const char* other : {"", ":9464", "evil.example", "localhost.evil.example", "localhost.",
                            "127.0.0.1.evil.example", "127.0.0.1@evil.example",
                            "[::1].evil.example", "[localhost", "[]", "127.0.0.1 evil"}) {
    EXPECT_FALSE(means_this_host(other)) << other;
  }
}

TEST(Host, a_port_is_what_follows_the_brackets_or_the_first_colon) {
  const auto split = [](const char* text) {
    const HostPort parts = split_host(text);
    return std::string(parts.host) + "|" + std::string(parts.port);
  };
  EXPECT_EQ(split("127.0.0.1:9464"), "127.0.0.1|9464");
  EXPECT_EQ(split("[::1]:9464"), "::1|9464");
  EXPECT_EQ(split("[::1]"), "::1|");
  EXPECT_EQ(split("localhost"), "localhost|");
}

}  // namespace
}  // namespace tidemark::daemon
