#include "ir/base/philox.h"

#include <gtest/gtest.h>

namespace dlcc {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers of Random123 1.x (tests/kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, ServesSixtyFourElementsFromSixteenCounters) {
  uint64_t seed = 0x0123456789abcdef, batch = 7;
  uint32_t stream = 99;
  for (uint64_t e : {0ull, 1ull, 15ull, 16ull, 31ull, 63ull, 64ull, 200ull, (1ull << 36) + 17}) {
    uint64_t position = e / 64 * 16 + e % 16;
    Words words = philox4x32_10({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), 7, stream},
                                {0x89abcdef, 0x01234567});
    EXPECT_EQ(philox_bits(seed, batch, stream, e), words[e / 16 % 4]) << e;
  }
}

TEST(Philox, UniformIsInsideTheOpenInterval) {
  double sum = 0;
  for (uint64_t e = 0; e < 4096; ++e) {
    double u = philox_uniform(1, 0, 2, e);
    ASSERT_GT(u, 0.0);
    ASSERT_LT(u, 1.0);
    ASSERT_EQ(u, static_cast<float>(u)) << "exact in f32";
    sum += u;
  }
  EXPECT_NEAR(sum / 4096, 0.5, 5 * 0.2887 / 64) << "five standard errors";
}

// Test vectors of the FNV reference page.
TEST(Philox, StreamsAreFnv1a) {
  EXPECT_EQ(stream_of(""), 0x811c9dc5u);
  EXPECT_EQ(stream_of("a"), 0xe40c292cu);
  EXPECT_EQ(stream_of("foobar"), 0xbf9cf968u);
}

} // namespace
} // namespace dlcc
