#include "runtime/core/cpu_features.h"

#include <algorithm>
#include <cpuid.h>
#include <cstdint>
#include <iterator>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/core/error.h"

namespace dlcc::runtime {

namespace {

enum Register : uint8_t { EAX, EBX, ECX, EDX };
// Register state that the operating system must save for the feature (bits of XCR0).
enum State : uint32_t { NONE = 0, YMM = 0x6, ZMM = 0xE6, TILE = 0x60000 };

struct Feature {
  std::string_view name; // as LLVM spells it
  uint32_t leaf, subleaf;
  Register reg;
  uint8_t bit;
  State state;
};

// Intel SDM volume 2A (CPUID) and AMD APM volume 3 appendix E.
constexpr Feature table[] = {
    {"sse3", 1, 0, ECX, 0, NONE},
    {"pclmul", 1, 0, ECX, 1, NONE},
    {"ssse3", 1, 0, ECX, 9, NONE},
    {"fma", 1, 0, ECX, 12, YMM},
    {"cx16", 1, 0, ECX, 13, NONE},
    {"sse4.1", 1, 0, ECX, 19, NONE},
    {"sse4.2", 1, 0, ECX, 20, NONE},
    {"crc32", 1, 0, ECX, 20, NONE},
    {"movbe", 1, 0, ECX, 22, NONE},
    {"popcnt", 1, 0, ECX, 23, NONE},
    {"aes", 1, 0, ECX, 25, NONE},
    {"xsave", 1, 0, ECX, 26, NONE},
    {"avx", 1, 0, ECX, 28, YMM},
    {"f16c", 1, 0, ECX, 29, YMM},
    {"rdrnd", 1, 0, ECX, 30, NONE},
    {"x87", 1, 0, EDX, 0, NONE},
    {"cx8", 1, 0, EDX, 8, NONE},
    {"cmov", 1, 0, EDX, 15, NONE},
    {"mmx", 1, 0, EDX, 23, NONE},
    {"fxsr", 1, 0, EDX, 24, NONE},
    {"sse", 1, 0, EDX, 25, NONE},
    {"sse2", 1, 0, EDX, 26, NONE},
    {"fsgsbase", 7, 0, EBX, 0, NONE},
    {"bmi", 7, 0, EBX, 3, NONE},
    {"avx2", 7, 0, EBX, 5, YMM},
    {"bmi2", 7, 0, EBX, 8, NONE},
    {"invpcid", 7, 0, EBX, 10, NONE},
    {"rtm", 7, 0, EBX, 11, NONE},
    {"avx512f", 7, 0, EBX, 16, ZMM},
    {"avx512dq", 7, 0, EBX, 17, ZMM},
    {"rdseed", 7, 0, EBX, 18, NONE},
    {"adx", 7, 0, EBX, 19, NONE},
    {"avx512ifma", 7, 0, EBX, 21, ZMM},
    {"clflushopt", 7, 0, EBX, 23, NONE},
    {"clwb", 7, 0, EBX, 24, NONE},
    {"avx512cd", 7, 0, EBX, 28, ZMM},
    {"sha", 7, 0, EBX, 29, NONE},
    {"avx512bw", 7, 0, EBX, 30, ZMM},
    {"avx512vl", 7, 0, EBX, 31, ZMM},
    {"avx512vbmi", 7, 0, ECX, 1, ZMM},
    {"pku", 7, 0, ECX, 4, NONE},
    {"waitpkg", 7, 0, ECX, 5, NONE},
    {"avx512vbmi2", 7, 0, ECX, 6, ZMM},
    {"shstk", 7, 0, ECX, 7, NONE},
    {"gfni", 7, 0, ECX, 8, NONE},
    {"vaes", 7, 0, ECX, 9, YMM},
    {"vpclmulqdq", 7, 0, ECX, 10, YMM},
    {"avx512vnni", 7, 0, ECX, 11, ZMM},
    {"avx512bitalg", 7, 0, ECX, 12, ZMM},
    {"avx512vpopcntdq", 7, 0, ECX, 14, ZMM},
    {"rdpid", 7, 0, ECX, 22, NONE},
    {"cldemote", 7, 0, ECX, 25, NONE},
    {"movdiri", 7, 0, ECX, 27, NONE},
    {"movdir64b", 7, 0, ECX, 28, NONE},
    {"enqcmd", 7, 0, ECX, 29, NONE},
    {"uintr", 7, 0, EDX, 5, NONE},
    {"avx512vp2intersect", 7, 0, EDX, 8, ZMM},
    {"serialize", 7, 0, EDX, 14, NONE},
    {"tsxldtrk", 7, 0, EDX, 16, NONE},
    {"pconfig", 7, 0, EDX, 18, NONE},
    {"amx-bf16", 7, 0, EDX, 22, TILE},
    {"avx512fp16", 7, 0, EDX, 23, ZMM},
    {"amx-tile", 7, 0, EDX, 24, TILE},
    {"amx-int8", 7, 0, EDX, 25, TILE},
    {"avxvnni", 7, 1, EAX, 4, YMM},
    {"avx512bf16", 7, 1, EAX, 5, ZMM},
    {"cmpccxadd", 7, 1, EAX, 7, NONE},
    {"amx-fp16", 7, 1, EAX, 21, TILE},
    {"hreset", 7, 1, EAX, 22, NONE},
    {"avxifma", 7, 1, EAX, 23, YMM},
    {"avxvnniint8", 7, 1, EDX, 4, YMM},
    {"avxneconvert", 7, 1, EDX, 5, YMM},
    {"amx-complex", 7, 1, EDX, 8, TILE},
    {"prefetchi", 7, 1, EDX, 14, NONE},
    {"xsaveopt", 0xD, 1, EAX, 0, NONE},
    {"xsavec", 0xD, 1, EAX, 1, NONE},
    {"xsaves", 0xD, 1, EAX, 3, NONE},
    {"ptwrite", 0x14, 0, EBX, 4, NONE},
    {"sahf", 0x80000001, 0, ECX, 0, NONE},
    {"lzcnt", 0x80000001, 0, ECX, 5, NONE},
    {"sse4a", 0x80000001, 0, ECX, 6, NONE},
    {"prfchw", 0x80000001, 0, ECX, 8, NONE},
    {"mwaitx", 0x80000001, 0, ECX, 29, NONE},
    {"64bit", 0x80000001, 0, EDX, 29, NONE},
    {"clzero", 0x80000008, 0, EBX, 0, NONE},
    {"rdpru", 0x80000008, 0, EBX, 4, NONE},
    {"wbnoinvd", 0x80000008, 0, EBX, 9, NONE},
};

bool cpuid_bit(const Feature& f) {
  unsigned r[4] = {};
  if (f.leaf == 7 && f.subleaf > 0) {
    if (!__get_cpuid_count(7, 0, &r[0], &r[1], &r[2], &r[3]) || r[0] < f.subleaf) return false;
  }
  if (!__get_cpuid_count(f.leaf, f.subleaf, &r[0], &r[1], &r[2], &r[3])) return false;
  return (r[f.reg] >> f.bit) & 1u;
}

// XCR0: which register state the operating system saves; 0 without OSXSAVE.
uint64_t enabled_state() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || ((c >> 27) & 1u) == 0) return 0;
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

// Linux gives a process the AMX tile registers only when it asks: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
bool tiles_permitted() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

bool usable(const Feature& f, uint64_t xcr0) {
  if (!cpuid_bit(f) || (xcr0 & f.state) != f.state) return false;
  return f.state != TILE || tiles_permitted();
}

// The best vector extension that can be used here, for messages.
const char* best_vector_extension(uint64_t xcr0) {
  for (std::string_view name : {"avx512f", "avx2", "avx"})
    for (const Feature& f : table)
      if (f.name == name && usable(f, xcr0)) return f.name.data();
  return "sse2";
}

} // namespace

std::string missing_cpu_features(std::string_view features) {
  const uint64_t xcr0 = enabled_state();
  std::string missing;
  while (!features.empty()) {
    size_t comma = std::min(features.find(','), features.size());
    std::string_view name = features.substr(0, comma);
    features.remove_prefix(std::min(comma + 1, features.size()));
    if (name.empty() || name[0] == '-') continue;
    if (name[0] == '+') name.remove_prefix(1);
    auto f = std::find_if(std::begin(table), std::end(table), [&](const Feature& x) { return x.name == name; });
    if (f == std::end(table)) return "needs feature '" + escape(name) + "', which this library does not know";
    if (!usable(*f, xcr0)) missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty()) return missing;
  return "needs " + missing + ", this CPU has " + best_vector_extension(xcr0);
}

} // namespace dlcc::runtime
