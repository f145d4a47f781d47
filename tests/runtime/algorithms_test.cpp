// Small algorithms against published vectors.
#include <gtest/gtest.h>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/cpu_features.h"
#include "runtime/core/crc32c.h"
#include "runtime/core/error.h"
#include "runtime/core/permutation.h"
#include "runtime/core/philox.h"
#include "runtime/core/sha256.h"

using namespace dlcc::runtime;

static std::string sha(const std::string& text) { return hex(sha256(text.data(), text.size())); }

// FIPS 180-4 examples (NIST, "Descriptions of SHA-256").
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(sha(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnySizeGiveTheSameDigest) {
  const std::string text(300, 'x');
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 h;
    h.update(text.data(), cut);
    h.update(text.data() + cut, text.size() - cut);
    ASSERT_EQ(hex(h.finish()), sha(text)) << cut;
  }
}

// RFC 3720, B.4.
TEST(Crc32c, PublishedVectors) {
  EXPECT_EQ(crc32c(0, "123456789", 9), 0xE3069283u);
  std::vector<uint8_t> bytes(32, 0);
  EXPECT_EQ(crc32c(0, bytes.data(), 32), 0x8A9136AAu);
  bytes.assign(32, 0xFF);
  EXPECT_EQ(crc32c(0, bytes.data(), 32), 0x62A8AB43u);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  EXPECT_EQ(crc32c(0, bytes.data(), 32), 0x46DD794Eu);
  for (size_t cut = 0; cut <= 32; ++cut)
    EXPECT_EQ(crc32c(crc32c(0, bytes.data(), cut), bytes.data() + cut, 32 - cut), 0x46DD794Eu);
}

// Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
TEST(Philox, KnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Blocks of 64 elements: counter block*16 + lane, word w is element 64*block + 16*w + lane.
TEST(Philox, ElementsAreNumberedByBlocksOfSixtyFour) {
  for (uint32_t block = 0; block < 3; ++block)
    for (uint32_t lane = 0; lane < 16; ++lane) {
      auto words = philox4x32_10({block * 16 + lane, 0, 7, 0x1234}, {5, 9});
      for (uint32_t w = 0; w < 4; ++w)
        EXPECT_EQ(random_bits((uint64_t{9} << 32) | 5, 0x1234, 7, 64 * block + 16 * w + lane), words[w]);
    }
}

TEST(Permutation, IsABijectionOfEverySmallSize) {
  for (uint64_t n = 1; n <= 300; ++n) {
    Permutation p(n, 42, 3);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < n; ++i) seen.insert(p(i));
    ASSERT_EQ(seen.size(), n);
    ASSERT_EQ(*seen.rbegin(), n - 1);
  }
}

TEST(Permutation, DependsOnSeedAndEpochAndHandlesHugeSizes) {
  auto order = [](uint64_t seed, uint64_t epoch) {
    Permutation p(60000, seed, epoch);
    std::vector<uint64_t> out;
    for (uint64_t i = 0; i < 60000; ++i) out.push_back(p(i));
    return out;
  };
  auto base = order(1, 0);
  EXPECT_EQ(order(1, 0), base);
  EXPECT_NE(order(1, 1), base);
  EXPECT_NE(order(2, 0), base);
  // Few fixed points and no trend: about one expected, and the mean of the first half near the middle (3 sigma = 300).
  double mean = 0;
  int fixed = 0;
  for (uint64_t i = 0; i < 60000; ++i) {
    fixed += base[i] == i;
    if (i < 30000) mean += static_cast<double>(base[i]) / 30000;
  }
  EXPECT_LT(fixed, 10);
  EXPECT_NEAR(mean, 29999.5, 300);
  Permutation huge(uint64_t{1} << 62, 1, 0);
  EXPECT_LT(huge(12345), uint64_t{1} << 62);
}

// Each of the 24 orders of four elements about equally often: chi-squared with 23 degrees of freedom, 0.1 % point 49.7.
TEST(Permutation, AllOrdersOfFourOccur) {
  std::vector<int> count(256, 0);
  constexpr int trials = 24000;
  for (int epoch = 0; epoch < trials; ++epoch) {
    Permutation p(4, 99, static_cast<uint64_t>(epoch));
    ++count[p(0) * 64 + p(1) * 16 + p(2) * 4 + p(3)];
  }
  double chi = 0;
  int orders = 0;
  for (int c : count) {
    if (c == 0) continue;
    ++orders;
    chi += (c - 1000.0) * (c - 1000.0) / 1000.0;
  }
  EXPECT_EQ(orders, 24);
  EXPECT_LT(chi, 49.7);
}

TEST(CpuFeatures, AgreesWithTheCompilersOwnDetection) {
  auto has = [](const char* name) { return missing_cpu_features(name).empty(); };
  EXPECT_EQ(has("+avx2"), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(has("+fma"), __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(has("+bmi2"), __builtin_cpu_supports("bmi2") != 0);
  EXPECT_EQ(has("+avx512f"), __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(has("+avx512bw"), __builtin_cpu_supports("avx512bw") != 0);
  EXPECT_EQ(has("+avx512dq"), __builtin_cpu_supports("avx512dq") != 0);
  EXPECT_EQ(has("+avx512cd"), __builtin_cpu_supports("avx512cd") != 0);
  EXPECT_EQ(has("+avx512vl"), __builtin_cpu_supports("avx512vl") != 0);
  EXPECT_EQ(has("+avx512vnni"), __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(has("+avx512bf16"), __builtin_cpu_supports("avx512bf16") != 0);
  EXPECT_EQ(has("+sse4.2,+popcnt"), __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"));
  EXPECT_EQ(has("+sse4a"), __builtin_cpu_supports("sse4a") != 0);
}

TEST(CpuFeatures, NamesWhatIsMissing) {
  EXPECT_EQ(missing_cpu_features(""), "");
  EXPECT_EQ(missing_cpu_features("-avx512f,+sse2"), "");
  EXPECT_EQ(missing_cpu_features("+sse2,+warp-drive"), "needs feature 'warp-drive', which this library does not know");
  // No processor has both of these vendors' extensions.
  std::string text = missing_cpu_features("+sse4a,+uintr,+hreset");
  EXPECT_NE(text.find("needs "), std::string::npos);
  EXPECT_NE(text.find(", this CPU has "), std::string::npos);
}

TEST(Escape, ShowsControlBytesAndCutsLongText) {
  EXPECT_EQ(escape("a\x1b[2Jb\n\x7f"), "a\\x1b[2Jb\\x0a\\x7f");
  EXPECT_EQ(escape("\xc3\xa9"), "\xc3\xa9");
  EXPECT_EQ(escape("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(escape("\xff"), "\\xff");
  EXPECT_EQ(escape("a\xe2\x80\xae"
                   "b"),
            "a\\xe2\\x80\\xaeb")
      << "a right-to-left override";
  EXPECT_EQ(escape("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80") << "an overlong form, a surrogate";
  EXPECT_EQ(escape("\xf0\x9f\x98\x80", 3), "...");
  EXPECT_EQ(escape(std::string(500, 'a')), std::string(200, 'a') + "...");
}

TEST(Utf8, RefusesOverlongFormsAndSurrogates) {
  EXPECT_TRUE(is_utf8("z\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xf0\x9f\x98"})
    EXPECT_FALSE(is_utf8(bad));
}
