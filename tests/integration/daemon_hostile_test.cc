// Local clients that mean harm: passes keep their pace, and memory its bounds.
#include <atomic>
#include <fstream>
#include <thread>

#include "daemon/tuning.h"
#include "tests/integration/daemon_http.h"

namespace tidemark {
namespace {

using std::string_literals::operator""s;

using support::ChildProcess;
using support::DaemonHttp;
using support::RawClient;
using support::wait_until;

constexpr std::size_t kConnections = 2'000;
constexpr std::size_t kHeld = 256;  // at a time; the rest hang up
#ifdef TIDEMARK_ADDRESS_SANITIZER   // what it keeps aside of freed memory fills up first
constexpr std::uint64_t kPasses = 400;
#else
constexpr std::uint64_t kPasses = 40;
#endif
// Allocator and thread stacks; 2,000 connections of 8 KiB of header alone are 16 MiB.
constexpr std::uint64_t kGrowthBytesMax = std::uint64_t{12} << 20U;

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

struct DaemonHostile : public DaemonHttp {
  // What the n-th client says.
  static std::string words_of(std::size_t n) {
    const std::string get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n";
    switch (n % 8) {
      case 0:
        return "GET /metrics HTTP/1.1\r\nX: ";  // and never more
      case 1:
        return get + "X: " + std::string(100'000, 'x');
      case 2:
        return "\0\xff\x16\x03\x01 what\r\n\r\n"s;
      case 3:
        return "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n";
      case 4:
        return get + "\r\n" + get + "\r\n" + get + "\r\n";
      case 5:
        return get + "\r\n";  // half-closed
      case 6:
        return "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer no\r\n\r\n";
      default:
        return {};
    }
  }
  void attack() const {
    std::vector<std::unique_ptr<RawClient>> held(kHeld);
    for (std::size_t n = 0; n < kConnections; ++n) {
      auto client = std::make_unique<RawClient>(support::connect_to(port));
      client->say(words_of(n));
      if (n % 8 == 5) client->end_of_words();
      held[n % kHeld] = std::move(client);
    }
  }
  // Passes one after the other, at least kPasses and until `done`; how long one takes.
  double milliseconds_of_a_pass(pid_t pid, const std::function<bool()>& done) {
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t count = 0;
    for (; count < kPasses || !done(); ++count) {
      EXPECT_TRUE(ask());
      resident = std::max(resident, resident_bytes(pid));
    }
    asked += count;
    const auto took = std::chrono::steady_clock::now() - began;
    return std::chrono::duration<double, std::milli>(took).count() / static_cast<double>(count);
  }

  std::uint64_t asked = 0;
  std::uint64_t resident = 0;  // at most
};

TEST_F(DaemonHostile, two_thousand_connections_neither_hold_up_passes_nor_take_memory) {
  configure_http(world.url());
  ChildProcess program = start_and_wait();
  const double alone = milliseconds_of_a_pass(program.pid(), [] { return true; });
  const std::uint64_t before = resident;
  std::atomic<bool> over = false;
  double beside = 0;
  {
    const std::jthread attacker([&] {
      attack();
      over = true;
    });
    beside = milliseconds_of_a_pass(program.pid(), [&] { return over.load(); });
  }
  std::printf("a pass takes %.1f ms alone, %.1f ms beside %zu connections: ratio %.2f\n", alone,
              beside, kConnections, beside / alone);
  std::printf("resident: %zu KiB before, %zu KiB at most\n", std::size_t{before >> 10U},
              std::size_t{resident >> 10U});
  EXPECT_LT(resident, before + kGrowthBytesMax);
  EXPECT_EQ(passes(), 1 + asked);  // one each, whoever else there is
  EXPECT_TRUE(wait_until([&] {
    return answer("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 200";
  }));
  stop(program);
}

}  // namespace
}  // namespace tidemark
